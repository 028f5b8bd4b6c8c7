/** Preprocessing numbers as people type them. */
import { expect, test } from 'vitest';
import { readNumber, readNumbers, writeNumber, writeNumbers } from '../../../src-renderer/features/report/numberWords.ts';
import { scoreText } from '../../../src-renderer/composables/useFormat.ts';

test('readNumber takes numbers and fractions, nothing else', () => {
  expect(readNumber('1/255')).toBe(1 / 255);
  expect(readNumber(' -0.5 ')).toBe(-0.5);
  expect(readNumber('1e-3')).toBe(0.001);
  for (const words of ['', 'x', '1/0', '1/2/3', '0x10', '1,5', 'Infinity', '1 2']) expect(readNumber(words)).toBeNull();
});

test('readNumbers takes one to four', () => {
  expect(readNumbers('0.485, 0.456,0.406')).toEqual([0.485, 0.456, 0.406]);
  expect(readNumbers('104 117 123')).toEqual([104, 117, 123]);
  expect(readNumbers('')).toBeNull();
  expect(readNumbers('1 2 3 4 5')).toBeNull();
  expect(readNumbers('1, b')).toBeNull();
});

test('what is written reads back to the same number', () => {
  expect(writeNumber(1 / 255)).toBe('1/255');
  expect(writeNumber(0.5)).toBe('0.5');
  for (const value of [1 / 255, 1 / 256, 0.017, 57.375, 1, 0, -1 / 3]) expect(readNumber(writeNumber(value))).toBe(value);
  expect(writeNumbers([0.229, 0.224, 0.225])).toBe('0.229, 0.224, 0.225');
});

test('scores keep four significant figures', () => {
  expect(scoreText(38.21487)).toBe('38.21');
  expect(scoreText(0)).toBe('0');
  expect(scoreText(-0.14231)).toBe('-0.1423');
  expect(scoreText(0.0000123)).toBe('1.23e-5');
});
