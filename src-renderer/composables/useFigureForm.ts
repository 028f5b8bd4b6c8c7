/** What forms for figures of channels have in common: which channels, in which format, and why they cannot be drawn. */
import { computed, ref } from 'vue';
import { useI18n } from 'vue-i18n';
import type { FigureFormat } from '../api/records.ts';
import { channelChoice, channelWords } from './channelChoice.ts';

const formats = ['svg', 'png', 'pdf'] as const satisfies readonly FigureFormat[];
const formatOptions = formats.map((value) => ({ value, label: value.toUpperCase() }));

/** `first` are the channels to begin with, `channels` those of the layer, `most` what the core's contract allows in one figure. */
export function useFigureForm(first: readonly number[], channels: () => number, most: number) {
  const { t } = useI18n();
  const words = ref(channelWords(first));
  const kind = ref<FigureFormat>('svg');
  const choice = computed(() => channelChoice(words.value, channels()));
  const problem = computed(() => {
    if (choice.value === null) return t('figure.badChannels', { last: channels() - 1 });
    return choice.value.length > most ? t('figure.tooMany', { most }) : null;
  });
  return { words, kind, formatOptions, choice, problem };
}
