/**
 * Finds the template that an arriving English sentence was made from and says it in another language. The core makes its sentences from
 * templates; a catalogue holds each with its values as {0}, {1} … and its translation, which may place them in another order.
 * `{image|images}` in a template is a word that differs in number only. Matching looks for the literal stretches from left to right with
 * indexOf: no backtracking, so a long or hostile sentence costs little, and every character of a value reaches the translation.
 */

import { withParticle } from './koreanParticles.ts';

export interface SentenceCatalogue {
  readonly [template: string]: string;
}

/**
 * @returns a function that gives a sentence in the catalogue's language. Of several templates that fit, the one with the most text of its
 *   own wins; its values are looked up in turn, as they may be sentences or clauses of the core (a reason within a message). Sentences
 *   that were joined are taken one by one. What no template fits stays as it came.
 */
export function compileSentences(catalogue: SentenceCatalogue): (sentence: string) => string {
  const { whole, patterns } = compiled(catalogue);
  return (sentence) => {
    if (sentence.length > longestSentence) return sentence;
    const search: Search = { whole, patterns, left: mostLooks };
    return saidBy(search, sentence, 0) ?? sentence;
  };
}

/** Longer text is a listing or a file, no sentence; `toPlainError` cuts messages at as many characters. */
const longestSentence = 4001;
/** How often one sentence may be looked up, its parts included. */
const mostLooks = 120;
const deepest = 5;

interface Pattern {
  /** The text around the values: one stretch more than there are values. */
  readonly stretches: readonly string[];
  /** The number of each value in the template. */
  readonly numbers: readonly number[];
  readonly translation: string;
  readonly letters: number;
}

interface Search {
  readonly whole: ReadonlyMap<string, string>;
  readonly patterns: readonly Pattern[];
  left: number;
}

function compiled(catalogue: SentenceCatalogue): { readonly whole: ReadonlyMap<string, string>; readonly patterns: readonly Pattern[] } {
  const whole = new Map<string, string>();
  const patterns: Pattern[] = [];
  for (const [template, translation] of Object.entries(catalogue)) {
    for (const form of formsOf(template)) {
      const pieces = form.split(/\{(\d+)\}/);
      const stretches = pieces.filter((_, at) => at % 2 === 0);
      if (stretches.length === 1) whole.set(form, translation);
      else patterns.push({ stretches, numbers: pieces.filter((_, at) => at % 2 === 1).map(Number), translation, letters: stretches.join('').length });
    }
  }
  return { whole, patterns: patterns.toSorted((a, b) => b.letters - a.letters) };
}

/** A template with its words in number written out, each way. */
function formsOf(template: string): readonly string[] {
  const choice = /\{([^{}|]*)\|([^{}|]*)\}/.exec(template);
  if (!choice) return [template];
  return [choice[1]!, choice[2]!].flatMap((word) => formsOf(template.slice(0, choice.index) + word + template.slice(choice.index + choice[0].length)));
}

/** @returns undefined where nothing of the text is known. */
function saidBy(search: Search, text: string, depth: number): string | undefined {
  if (depth > deepest || (!text.includes(' ') && !search.whole.has(text))) return undefined;
  const fit = fitted(search, text, depth);
  if (fit && !fit.runsOver) return fit.said;
  const parts = oneByOne(search, text, depth);
  if (parts && (parts.areAllKnown || !fit)) return parts.said;
  return fit?.said ?? listed(search, text, depth) ?? behindName(search, text, depth);
}

interface Fit {
  readonly said: string;
  /** A value runs over the end of a sentence, as it may where several were joined. */
  readonly runsOver: boolean;
}

function fitted(search: Search, text: string, depth: number): Fit | undefined {
  const same = search.whole.get(text);
  if (same !== undefined) return { said: same, runsOver: false };
  if (search.left-- <= 0) return undefined;
  for (const { stretches, numbers, translation, letters } of search.patterns) {
    if (letters > text.length || (text.endsWith('.') && endsOpen(stretches))) continue;
    const values = valuesBetween(stretches, text);
    if (!values) continue;
    const said = parted(search, values, stretches, depth).map((value) => saidBy(search, value, depth + 1) ?? value);
    const byNumber = new Map(numbers.map((number, at) => [String(number), said[at]!]));
    return {
      said: translation.split(/\{(\d+)\}/).reduce((before, piece, at) => joined(before, at % 2 === 0 ? piece : (byNumber.get(piece) ?? piece))),
      runsOver: values.some((value) => sentenceEnd.test(value)),
    };
  }
  return undefined;
}

/** A clause that ends in a value is no sentence: only behind a full stop or a colon may the value bring a full stop of its own. */
const endsOpen = (stretches: readonly string[]): boolean => stretches.at(-1) === '' && !/[.:] $/.test(stretches.at(-2)!);

/** Where two values touch, or only a space is between them, they part where the second begins to be a clause of the core. */
function parted(search: Search, values: readonly string[], stretches: readonly string[], depth: number): readonly string[] {
  const at = stretches.findIndex((stretch, place) => place > 0 && place < stretches.length - 1 && (stretch === ' ' || stretch === ''));
  if (at < 0) return values;
  const between = stretches[at]!;
  const touching = values[at - 1]! + between + values[at]!;
  const ends = [...touching.matchAll(between === ' ' ? / /g : /[ ,(]/g)].map(({ index }) => index).slice(0, mostWordsOfName);
  const end = ends.find((place) => saidBy(search, touching.slice(place + between.length), depth + 1) !== undefined);
  return end === undefined ? values : values.with(at - 1, touching.slice(0, end)).with(at, touching.slice(end + between.length));
}

const mostWordsOfName = 8;

/** Behind a full-width mark no space stands, and a Korean particle goes by the word before it. */
const joined = (before: string, after: string): string => before + (/[，。；：！？）”]$/u.test(before) ? after.replace(/^ /, '') : withParticle(before, after));

/** What stands between the stretches, each taken at its first place; undefined where they do not cover the text. */
function valuesBetween(stretches: readonly string[], text: string): readonly string[] | undefined {
  const last = stretches.at(-1)!;
  if (!text.startsWith(stretches[0]!) || !text.endsWith(last)) return undefined;
  const end = text.length - last.length;
  const values: string[] = [];
  let at = stretches[0]!.length;
  for (const stretch of stretches.slice(1, -1)) {
    const found = text.indexOf(stretch, at);
    if (found < 0 || found + stretch.length > end) return undefined;
    values.push(text.slice(at, found));
    at = found + stretch.length;
  }
  return at <= end ? [...values, text.slice(at, end)] : undefined;
}

/** Where one sentence ends and the next begins. */
const sentenceEnd = /(?<=[.!?…)]) (?=[\p{Lu}"“]|[\w-]+(?: [\w-]+){0,2}: )/u;

/** Sentences one behind the other; of those that can be taken together the longest run is. */
function oneByOne(search: Search, text: string, depth: number): { readonly said: string; readonly areAllKnown: boolean } | undefined {
  const sentences = text.split(sentenceEnd);
  if (sentences.length < 2 || sentences.length > mostSentences) return undefined;
  const said: string[] = [];
  let known = 0;
  for (let from = 0; from < sentences.length; ) {
    let taken = 1;
    let found: string | undefined;
    for (let count = Math.min(sentences.length - from, sentences.length - 1); count > 0 && found === undefined; count--) {
      const run = sentences.slice(from, from + count).join(' ');
      taken = count;
      const fit = fitted(search, run, depth + 1);
      found = fit && (count === 1 || !fit.runsOver) ? fit.said : count === 1 ? behindName(search, run, depth + 1) : undefined;
    }
    if (found !== undefined) known += taken;
    said.push(found ?? sentences[from]!);
    from += taken;
  }
  return known === 0 ? undefined : { said: said.reduce((before, after) => joined(before, ` ${after}`)), areAllKnown: known === sentences.length };
}

const mostSentences = 8;

/** Clauses with semicolons between them. */
function listed(search: Search, text: string, depth: number): string | undefined {
  const clauses = text.split('; ');
  if (clauses.length < 2 || clauses.length > mostSentences) return undefined;
  const said = clauses.map((clause) => saidBy(search, clause, depth + 1));
  if (said.every((each) => each === undefined)) return undefined;
  return said.map((each, at) => each ?? clauses[at]!).join(said.some((each) => /\p{Script=Han}/u.test(each ?? '')) ? '；' : '; ');
}

/** "name: sentence", where the core puts what it speaks of before a sentence. */
function behindName(search: Search, text: string, depth: number): string | undefined {
  for (let at = text.indexOf(': '), tried = 0; at > 0 && tried < 3; at = text.indexOf(': ', at + 2), tried++) {
    const said = saidBy(search, text.slice(at + 2), depth + 1);
    if (said !== undefined) return `${text.slice(0, at)}: ${said}`;
  }
  return undefined;
}
