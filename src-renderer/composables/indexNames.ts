/** What indexes are called where a person chooses among them: the model's name, with only as much more as tells it from the others. Pure. */
import type { IndexRecord } from '../api/records.ts';

type Named = Pick<IndexRecord, 'id' | 'modelName' | 'imagesPath' | 'createdAt'>;

/** By id. `moment` puts a time into words. */
export function indexNames(indexes: readonly Named[], moment: (iso: string) => string): ReadonlyMap<string, string> {
  const words: readonly ((index: Named) => string)[] = [({ modelName }) => modelName, ({ imagesPath }) => imagesPath.split(/[\\/]/).findLast((part) => part !== '') ?? imagesPath, ({ createdAt }) => moment(createdAt), ({ id }) => id];
  const names = new Map<string, string>();
  const add = (alike: readonly Named[], told: string, next: number): void => {
    for (const [word, group] of Map.groupBy(alike, words[next]!)) {
      // A word that all of them share tells nothing.
      const name = [told, alike.length > 1 && group.length === alike.length && told !== '' ? '' : word].filter(Boolean).join(' · ');
      if (group.length === 1 || next === words.length - 1) for (const { id } of group) names.set(id, name);
      else add(group, name, next + 1);
    }
  };
  add(indexes, '', 0);
  return names;
}
