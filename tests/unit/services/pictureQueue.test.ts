/** Pictures that wait to be drawn: few at once, single ones first, and none whose reader has gone away. */
import { describe, expect, it } from 'vitest';
import { createPictureQueue, type PictureRank } from '../../../src-main/services/pictureQueue.ts';

function harness(atOnce: number) {
  const inTurn = createPictureQueue(atOnce);
  const begun: string[] = [];
  const finish = new Map<string, () => void>();
  const ask = (name: string, rank: PictureRank, signal?: AbortSignal) =>
    inTurn(rank, signal, () => {
      begun.push(name);
      return new Promise<string>((resolve) => finish.set(name, () => resolve(name)));
    });
  const end = async (name: string) => {
    finish.get(name)!();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { ask, begun, end };
}

describe('the queue of pictures', () => {
  it('draws as many at once as it may; a single picture passes patches, patches pass projections', async () => {
    const { ask, begun, end } = harness(2);
    const asked = [ask('a', 'projections'), ask('b', 'projections'), ask('c', 'projections'), ask('d', 'patches'), ask('e', 'single')];
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toEqual(['a', 'b']);
    await end('b');
    await end('a');
    expect(begun).toEqual(['a', 'b', 'e', 'd']);
    await end('e');
    expect(begun).toEqual(['a', 'b', 'e', 'd', 'c']);
    await end('d');
    await end('c');
    expect(await Promise.all(asked)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('drops those whose reader has left before their turn, and keeps no place for them', async () => {
    const { ask, begun, end } = harness(1);
    const first = ask('first', 'patches');
    const controllers = Array.from({ length: 4096 }, () => new AbortController());
    const ends = Promise.allSettled(controllers.map(({ signal }, at) => ask(`dead ${at}`, 'patches', signal)));
    const last = ask('last', 'projections');
    for (const controller of controllers) controller.abort();
    expect((await ends).every((each) => each.status === 'rejected')).toBe(true);
    await end('first');
    expect(begun).toEqual(['first', 'last']);
    await end('last');
    expect(await Promise.all([first, last])).toEqual(['first', 'last']);
    await expect(ask('late', 'single', AbortSignal.abort())).rejects.toThrow('Cancelled.');
  });

  it('goes on after a picture that failed', async () => {
    const inTurn = createPictureQueue(1);
    await expect(inTurn('single', undefined, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await inTurn('single', undefined, async () => 'next')).toBe('next');
  });
});
