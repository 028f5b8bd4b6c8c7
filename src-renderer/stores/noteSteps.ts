/** What a note holds, when two of them say the same, and how a place is told from another. Pure. */
import type { NotePlace } from '../api/records.ts';

export interface NoteContents {
  /** Markdown as it was typed. */
  readonly text: string;
  readonly tags: readonly string[];
}

export function sameContents(a: NoteContents, b: NoteContents): boolean {
  return a.text === b.text && a.tags.length === b.tags.length && a.tags.every((tag, at) => tag === b.tags[at]);
}

export function placeKey(place: NotePlace): string {
  return place.kind === 'workspace' ? place.kind : [place.kind, place.index, place.layer, place.kind === 'channel' ? place.channel : ''].join(' ');
}

/** What typed words add to the tags: split at commas, each once whatever its capitals, in the spelling that the workspace has already. */
export function withTags(tags: readonly string[], typed: string, known: readonly string[]): readonly string[] {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  return typed.split(',').map((word) => word.trim()).filter(Boolean).reduce<readonly string[]>((all, word) => (all.some((tag) => same(tag, word)) ? all : [...all, known.find((tag) => same(tag, word)) ?? word]), tags);
}

/** Known tags that a few letters may mean, those that begin with them first; without letters the most used ones. */
export function tagSuggestions(typed: string, known: readonly string[], given: readonly string[], most: number): readonly string[] {
  const word = typed.trim().toLowerCase();
  const free = known.filter((tag) => !given.includes(tag) && tag.toLowerCase().includes(word));
  return [...free.filter((tag) => tag.toLowerCase().startsWith(word)), ...free.filter((tag) => !tag.toLowerCase().startsWith(word))].slice(0, most);
}
