/**
 * The three languages and which of them is shown. Messages are compiled to a tree that is walked, not to functions, so that a page without
 * `eval` can show them; the language test keeps the catalogues complete.
 */
import { createI18n } from 'vue-i18n';
import { showCoreSentences } from './coreSentences.ts';
import en from './en.json';
import ko from './ko.json';
import zhCN from './zh-CN.json';

export const languages = ['en', 'ko', 'zh-CN'] as const;
export type Language = (typeof languages)[number];

export const i18n = createI18n({ legacy: false, locale: 'en', fallbackLocale: 'en', messages: { en, ko, 'zh-CN': zhCN } });

/** Shows a language; `system` takes the first of the system's languages that there is a catalogue for. */
export function applyLocale(choice: Language | 'system'): void {
  const language = choice === 'system' ? languageOf(navigator.languages) : choice;
  i18n.global.locale.value = language;
  document.documentElement.lang = language;
  void showCoreSentences(language);
}

/** @param wanted BCP 47 tags in order of preference. */
export function languageOf(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split('-')[0];
    if (base === 'en' || base === 'ko') return base;
    if (base === 'zh') return 'zh-CN';
  }
  return 'en';
}
