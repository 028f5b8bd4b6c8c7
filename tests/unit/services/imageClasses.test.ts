/** Which class a person means, and what they are told when none fits. */
import { describe, expect, it } from 'vitest';
import { findClass, type ImageClass } from '../../../src-main/services/imageClasses.ts';

const made = (index: number, wnid: string | null, name: string | null): ImageClass => ({ index, wnid, name, images: 1 });
const imagenet = [made(0, 'n01440764', 'tench, Tinca tinca'), made(1, 'n01443537', 'goldfish, Carassius auratus'), made(134, 'n02012849', 'crane'), made(517, 'n03126707', 'crane'), made(639, 'n03710721', 'maillot, tank suit')];
const folders = [made(0, null, '7'), made(1, null, 'cat'), made(2, null, 'red_panda')];

describe('a class', () => {
  it.each([
    ['0', 0], ['517', 3], ['n01443537', 1], ['N01440764', 0], ['tench', 0], ['Tinca Tinca', 0], ['goldfish, carassius auratus', 1], [' tank suit ', 4],
  ])('is found by %j', (wish, place) => {
    expect(findClass(imagenet, wish, 'abc')).toBe(place);
  });

  it('of a folder is found by its name before its place', () => {
    expect(findClass(folders, '7', 'abc')).toBe(0);
    expect(findClass(folders, '1', 'abc')).toBe(1);
    expect(findClass(folders, 'Red Panda', 'abc')).toBe(2);
  });

  it('that two have is refused with both', () => {
    expect(() => findClass(imagenet, 'crane', 'abc')).toThrow('"crane" names 2 classes: 134 n02012849 crane; 517 n03126707 crane. Say the class index or the wnid.');
  });

  it('that none has is refused with the nearest', () => {
    expect(() => findClass(folders, 'red pandas', 'abc')).toThrow('The index abc has no class "red pandas" among its 3. The nearest: 2 red_panda; ');
    expect(() => findClass(imagenet, 'golfish', 'abc')).toThrow('The nearest: 1 n01443537 goldfish, Carassius auratus;');
    expect(() => findClass([], 'cat', 'abc')).toThrow('The index abc knows no classes. Put the images into one folder per class, or index them with --labels FILE.tsv.');
  });
});
