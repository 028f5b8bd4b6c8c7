/**
 * Theme, language, engine and device. The core keeps them; the theme and language are also remembered in the browser, so that the first
 * paint has them before the core has answered.
 */
import { defineStore } from 'pinia';
import { ref, watch } from 'vue';
import { core } from '../api/client.ts';
import { toFailure } from '../api/failure.ts';
import type { SettingsRecord } from '../api/records.ts';
import { applyLocale } from '../locales/locale.ts';
import type { PlainError } from '../../src-shared/errors.ts';

const rememberedKey = 'switchback.appearance';

export const useSettings = defineStore('settings', () => {
  const record = ref<SettingsRecord>({ theme: 'system', language: 'system', engine: 'auto', device: 'auto', memoryBudgetBytes: null, ...remembered() });
  const known = ref(false);
  const failure = ref<PlainError | null>(null);

  watch(() => record.value.theme, applyTheme, { immediate: true });
  watch(() => record.value.language, applyLocale, { immediate: true });

  async function load(): Promise<void> {
    try {
      take(await core.settings.get());
    } catch (thrown) {
      failure.value = toFailure(thrown);
    }
  }

  /** Shows the change at once; puts the old value back when the core refuses it. */
  async function change(part: Partial<SettingsRecord>): Promise<void> {
    const before = record.value;
    record.value = { ...before, ...part };
    try {
      take(await core.settings.set(part));
    } catch (thrown) {
      record.value = before;
      failure.value = toFailure(thrown);
    }
  }

  function take(taken: SettingsRecord): void {
    record.value = taken;
    known.value = true;
    failure.value = null;
    localStorage.setItem(rememberedKey, JSON.stringify({ theme: taken.theme, language: taken.language }));
  }

  return { record, known, failure, load, change };
});

function remembered(): Partial<SettingsRecord> {
  try {
    return JSON.parse(localStorage.getItem(rememberedKey) ?? '{}') as Partial<SettingsRecord>;
  } catch {
    return {};
  }
}

function applyTheme(theme: SettingsRecord['theme']): void {
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
