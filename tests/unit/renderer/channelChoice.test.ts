/** Channel lists as typed in the figure dialog. */
import { describe, expect, test } from 'vitest';
import { channelChoice, channelWords } from '../../../src-renderer/composables/channelChoice.ts';

describe('channelChoice', () => {
  test('numbers and ranges, ascending and without repeats', () => {
    expect(channelChoice('40, 2-4,3', 64)).toEqual([2, 3, 4, 40]);
    expect(channelChoice(' 7 ', 8)).toEqual([7]);
  });

  test('nothing but such a list, and no channel that is not there', () => {
    for (const words of ['', 'a', '1-', '4-2', '1,,2', '64', '0-64', '-1']) expect(channelChoice(words, 64), words).toBeNull();
  });
});

test('channelWords writes runs as ranges', () => {
  expect(channelWords([0, 1, 2, 5, 7, 8])).toBe('0-2, 5, 7-8');
  expect(channelWords([])).toBe('');
});
