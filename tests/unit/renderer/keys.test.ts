/** Names of keys, what is taken for a model, and which language is shown. */
import { expect, test } from 'vitest';
import { keyName } from '../../../src-renderer/composables/useKeys.ts';
import { looksLikeModel } from '../../../src-renderer/composables/usePathChoice.ts';
import { languageOf } from '../../../src-renderer/locales/locale.ts';

const key = (name: string, held: Partial<Record<'shiftKey' | 'altKey' | 'ctrlKey' | 'metaKey', boolean>> = {}) => keyName({ key: name, shiftKey: false, altKey: false, ctrlKey: false, metaKey: false, ...held });

test('a shifted character is its own name, a shifted arrow is not', () => {
  expect(key('?', { shiftKey: true })).toBe('?');
  expect(key('ArrowUp', { shiftKey: true })).toBe('Shift+ArrowUp');
  expect(key('m', { ctrlKey: true })).toBe('Ctrl+m');
  expect(key('m', { metaKey: true })).toBe('Ctrl+m');
});

test('undo is not redo because capitals are locked', () => {
  expect(key('Z', { ctrlKey: true })).toBe('Ctrl+z');
  expect([key('Z', { ctrlKey: true, shiftKey: true }), key('z', { metaKey: true, shiftKey: true })]).toEqual(['Ctrl+Shift+z', 'Ctrl+Shift+z']);
  expect(key('Z', { shiftKey: true })).toBe('Z');
});

test('a dropped path is a model by its ending, else a folder of images', () => {
  expect(looksLikeModel('/models/Net.ONNX')).toBe(true);
  expect(looksLikeModel('/photos/onnx')).toBe(false);
});

test('the first system language with a catalogue is shown', () => {
  expect(languageOf(['de-DE', 'ko-KR', 'en-US'])).toBe('ko');
  expect(languageOf(['zh-TW'])).toBe('zh-CN');
  expect(languageOf(['fr'])).toBe('en');
});
