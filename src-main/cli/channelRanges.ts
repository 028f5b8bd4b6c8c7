/** Channels as a person types them: 0-15 or 3,17,40-43. */
import { InvalidArgumentError } from 'commander';

export function channelRanges(most: number): (text: string) => readonly number[] {
  const tooMany = () => new InvalidArgumentError(`A figure holds at most ${most} channels.`);
  return (text) => {
    const channels = text.split(',').flatMap((part) => {
      const [, from, to = from] = /^\s*(\d{1,8})\s*(?:-\s*(\d{1,8})\s*)?$/.exec(part) ?? [];
      const [first, last] = [Number(from), Number(to)];
      if (from === undefined || last < first) throw new InvalidArgumentError('It must be channels and ranges of them, such as 0-15 or 3,17,40-43.');
      if (last - first >= most) throw tooMany();
      return Array.from({ length: last - first + 1 }, (_, at) => first + at);
    });
    if (channels.length > most) throw tooMany();
    return channels;
  };
}
