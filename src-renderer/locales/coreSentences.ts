/**
 * Sentences of the core in the language that is shown. The core speaks English only: its errors, warnings, reasons, titles and steps are
 * matched against a catalogue of its templates (sentenceMatching.ts), which is loaded with the language; English needs none. What the
 * catalogue does not know is shown as it came.
 */
import { shallowRef } from 'vue';
import { compileSentences, type SentenceCatalogue } from './sentenceMatching.ts';

const catalogues: Readonly<Record<string, () => Promise<{ readonly default: SentenceCatalogue }>>> = {
  ko: () => import('./core.ko.json'),
  'zh-CN': () => import('./core.zh-CN.json'),
};

const unchanged = (sentence: string): string => sentence;
const translate = shallowRef(unchanged);
let wanted = 'en';

/** A sentence of the core in the language shown. Reactive: used in a template it changes with the language. */
export function coreText(sentence: string): string {
  return translate.value(sentence);
}

/** Loads the catalogue of a language; until it is there the page is busy, and where it cannot be had, sentences stay English. */
export async function showCoreSentences(language: string): Promise<void> {
  wanted = language;
  const page = document.documentElement;
  page.setAttribute('aria-busy', 'true');
  const loaded = await catalogues[language]?.().catch(() => null);
  if (wanted !== language) return;
  translate.value = loaded ? remembered(compileSentences(loaded.default)) : unchanged;
  page.removeAttribute('aria-busy');
}

/** How many sentences are remembered: more than one page shows, few enough to forget. */
const mostRemembered = 2000;

function remembered(compute: (sentence: string) => string): (sentence: string) => string {
  const known = new Map<string, string>();
  return (sentence) => {
    const before = known.get(sentence);
    if (before !== undefined) return before;
    if (known.size >= mostRemembered) known.clear();
    const said = compute(sentence);
    known.set(sentence, said);
    return said;
  };
}
