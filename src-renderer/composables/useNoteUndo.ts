/** Undo and redo of tags and notes from anywhere, each with a word on what happened and the way back. */
import { useI18n } from 'vue-i18n';
import { toFailure } from '../api/failure.ts';
import { coreText } from '../locales/coreSentences.ts';
import { useNotes, type StepOutcome } from '../stores/notes.ts';
import { useToasts } from '../stores/toasts.ts';

export function useNoteUndo(): { readonly undo: () => void; readonly redo: () => void } {
  const { t } = useI18n();
  const notes = useNotes();
  const toasts = useToasts();

  async function step(way: 'undo' | 'redo', take: () => Promise<StepOutcome>): Promise<void> {
    const back = way === 'undo' ? { label: t('notes.redo'), key: 'Ctrl/⌘ Shift Z', act: redo } : { label: t('notes.undo'), key: 'Ctrl/⌘ Z', act: undo };
    try {
      const outcome = await take();
      if (outcome.kind === 'done') toasts.show({ text: t(`notes.${way}Done.${outcome.what}`), action: back }, 'notes');
      else toasts.show({ text: t(outcome.kind === 'nothing' ? 'notes.nothingToTake' : 'notes.changedElsewhere') }, 'notes');
    } catch (thrown) {
      toasts.show({ text: `${t('notes.notKept')}: ${coreText(toFailure(thrown).message)}` }, 'notes');
    }
  }

  const undo = (): void => void step('undo', notes.undo);
  const redo = (): void => void step('redo', notes.redo);
  return { undo, redo };
}
