/** Nothing that a file says is obeyed by a terminal. */
import { expect, it } from 'vitest';
import { printable } from '../../../src-main/cli/printable.ts';
import { table } from '../../../src-main/cli/table.ts';

it('shows what a terminal would obey as its code, and leaves everything else', () => {
  expect(printable('\u001b[2J\u001b]0;title\u0007 a\rb \u009b31m \u202eabc\u2066')).toBe('\\u001b[2J\\u001b]0;title\\u0007 a\\u000db \\u009b31m \\u202eabc\\u2066');
  expect(printable('conv1 한국어 😀 é\tx\ny – “z”')).toBe('conv1 한국어 😀 é\tx\ny – “z”');
});

it('keeps a name with a line feed in its row of a table', () => {
  expect(table(['layer', 'channels'], [['a\nb\tc', '4']])).toBe('layer  channels\na b c         4');
});
