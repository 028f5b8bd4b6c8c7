/** Keys that work wherever the focus is, except while a person types, chooses from a list, or answers a dialog. */
import { onBeforeUnmount, onMounted } from 'vue';

/** What a key does; returning false lets the browser have it. */
export type KeyActions = Readonly<Record<string, (event: KeyboardEvent) => boolean | void>>;

/** Listens while the component is there. Keys are named as `KeyboardEvent.key`, with `Shift+`, `Alt+` or `Ctrl+` before arrows and named keys. */
export function useKeys(actions: KeyActions): void {
  const listen = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || isTaken(event)) return;
    const action = actions[keyName(event)];
    if (action && action(event) !== false) event.preventDefault();
  };
  onMounted(() => window.addEventListener('keydown', listen));
  onBeforeUnmount(() => window.removeEventListener('keydown', listen));
}

/** The key as `useKeys` names it: a shifted character is its own name ("?"), except with Ctrl or ⌘, where the lock of capitals must not turn undo into redo. */
export function keyName(event: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'altKey' | 'ctrlKey' | 'metaKey'>): string {
  const chord = event.ctrlKey || event.metaKey;
  const isLetter = /^\p{L}$/u.test(event.key);
  const named = event.key.length > 1 || (chord && isLetter);
  const parts = [chord ? 'Ctrl+' : '', event.altKey ? 'Alt+' : '', named && event.shiftKey ? 'Shift+' : ''];
  return parts.join('') + (chord && isLetter ? event.key.toLowerCase() : event.key);
}

/** With Ctrl or ⌘ nobody types or walks a list; only text keeps what edits it. */
function isTakenChord(key: string, target: HTMLElement): boolean {
  if (target.closest('[role=dialog]') !== null) return true;
  const isText = target.isContentEditable || target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && !['checkbox', 'radio', 'range', 'button'].includes(target.type));
  return isText && (key.length > 1 || 'acvxyz'.includes(key.toLowerCase()));
}

function isTaken(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (event.ctrlKey || event.metaKey) return isTakenChord(event.key, target);
  if (target instanceof HTMLInputElement && target.type === 'radio') return event.key.startsWith('Arrow');
  if (target instanceof HTMLInputElement && target.type === 'checkbox') return false;
  return target.isContentEditable || target.closest('input, textarea, select, [role=listbox], [role=combobox], [role=dialog], [role=slider], [role=menu]') !== null;
}
