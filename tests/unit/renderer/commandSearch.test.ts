/** The command palette's search. */
import { describe, expect, test } from 'vitest';
import { searchCommands, type Command } from '../../../src-renderer/features/palette/commandSearch.ts';

const command = (label: string, group: string, keywords?: string): Command => ({ id: label, label, group, keywords, run: () => undefined });
const commands = [
  command('conv1', 'Layer', 'squeezenet0_conv0_fwd'), command('conv10', 'Layer', 'squeezenet0_conv9_fwd'), command('Settings', 'Go'),
  command('Dark', 'Theme'), command('Guided', 'Method'), command('squeezenet1.1', 'Index', 'photos'),
];
const labels = (typed: string, most = 12): string[] => searchCommands(typed, commands, most).map((each) => each.label);

describe('searchCommands', () => {
  test('a label that begins with the letters comes first, in the given order', () => {
    expect(labels('conv1')).toEqual(['conv1', 'conv10']);
    expect(labels('s')).toEqual(['Settings', 'squeezenet1.1', 'conv1', 'conv10']);
  });

  test('the group and other words find it too, and every word must be found', () => {
    expect(labels('theme')).toEqual(['Dark']);
    expect(labels('conv9_fwd')).toEqual(['conv10']);
    expect(labels('method gui')).toEqual(['Guided']);
    expect(labels('guided theme')).toEqual([]);
  });

  test('nothing typed offers the first commands', () => {
    expect(labels('  ', 2)).toEqual(['conv1', 'conv10']);
  });
});
