/**
 * The core's sentences in Korean and Chinese: every sentence that its sources can say has a translation with the same values, and the
 * matching gives it back with every value. `node tests/support/listCoreSentences.ts ko` (or zh-CN) lists what is missing.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileSentences } from '../../../src-renderer/locales/sentenceMatching.ts';
import { readCoreTemplates } from '../../support/coreTemplates.ts';

const root = join(import.meta.dirname, '../../..');
const templates = readCoreTemplates(root);
const texts = new Set(templates.map(({ text }) => text));
const numbersIn = (text: string): string[] => [...new Set([...text.matchAll(/\{(\d+)\}/g)].map((match) => match[1]!))].sort();

describe.each(['ko', 'zh-CN'])('the catalogue of %s', (language) => {
  const catalogue = JSON.parse(readFileSync(join(root, `src-renderer/locales/core.${language}.json`), 'utf8')) as Record<string, string>;
  const say = compileSentences(catalogue);

  test('holds every sentence of the core', () => {
    expect(templates.filter(({ text }) => catalogue[text] === undefined).map(({ text, where }) => `${where}: ${text}`)).toEqual([]);
  });

  test('holds nothing that the core no longer says', () => {
    expect(Object.keys(catalogue).filter((text) => !texts.has(text))).toEqual([]);
  });

  test('keeps every value, and leaves none empty', () => {
    expect(Object.entries(catalogue).filter(([text, translation]) => translation.trim() === '' || numbersIn(text).join() !== numbersIn(translation).join()).map(([text]) => text)).toEqual([]);
  });

  test('says each of its sentences again with the values that came', () => {
    const lost = Object.keys(catalogue).flatMap((text) => {
      const form = text.replaceAll(/\{([^{}|]*)\|[^{}|]*\}/g, '$1');
      const said = say(form.replaceAll(/\{(\d+)\}/g, (_, number: string) => `«${number}»`));
      const asked = catalogue[text]!.replaceAll(/\{(\d+)\}/g, (_, number: string) => `«${number}»`);
      return said === asked ? [] : [`${form} -> ${said}`];
    });
    expect(lost).toEqual([]);
  });

  test.each([
    ['There is no index "a b" in this workspace: list the indexes to see what it holds.', ['a b']],
    ['The image folder /pictures/of: all cannot be opened: it does not exist. Choose a folder that exists.', ['/pictures/of: all']],
    ['7 channels always say the same and correlate with none; their places mean nothing.', ['7']],
    ['1 channel always says the same and correlates with none; its place means nothing.', ['1']],
    ['The database /w/switchback.db cannot grow: the disk is full; free some space and resume.', ['/w/switchback.db']],
  ])('%s', (sentence, values) => {
    const said = say(sentence);
    expect(said).toMatch(language === 'ko' ? /\p{Script=Hangul}/u : /\p{Script=Han}/u);
    for (const value of values) expect(said).toContain(value);
    expect(said.replaceAll(/["“]?[\w/.: -]*\/[\w/.: ]*|["“][^"”]*["”]/g, '')).not.toMatch(/[a-z]{3}/);
  });
});

describe('matching', () => {
  const say = compileSentences({
    'There is no {0} in {1}.': '{1}에 {0} 없음.',
    'There is no map in {0}.': '{0}에 지도 없음.',
    '{0} cannot be read: {1}.': '{0} 읽기 실패: {1}.',
    'no permission': '권한 없음',
    'the disk is full': '디스크 가득',
    'Try again.': '다시 하세요.',
    'Done with {0} {image|images}.': '이미지 {0}장 끝.',
    '{0}, {1}': '{1} 그리고 {0}',
  });

  test('the template with the most text of its own wins, and a translation may place values in another order', () => {
    expect(say('There is no map in /w.')).toBe('/w에 지도 없음.');
    expect(say('There is no layer in net.onnx.')).toBe('net.onnx에 layer 없음.');
  });

  test('a value that is a clause of the core is said too, one that is not stays', () => {
    expect(say('/a cannot be read: no permission.')).toBe('/a 읽기 실패: 권한 없음.');
    expect(say('/a cannot be read: EIO.')).toBe('/a 읽기 실패: EIO.');
    expect(say('/a cannot be read: no permission; the disk is full.')).toBe('/a 읽기 실패: 권한 없음; 디스크 가득.');
  });

  test('values that touch part where the second is a clause of the core', () => {
    const touching = compileSentences({ 'Node {0} {1}.': '노드 {0}: {1}.', '{0} that makes {1}': '{1}을 만드는 {0}', 'reshapes {0} to {1}': '{0}을 {1}로 바꿈' });
    expect(touching('Node Reshape that makes "y" reshapes [1, 4] to [4].')).toBe('노드 "y"을 만드는 Reshape: [1, 4]을 [4]로 바꿈.');
    expect(touching('Node a b is odd.')).toBe('노드 a: b is odd.');
    const spaces = compileSentences({ '{0}{1}, {2} numbers': '{0}{1}, 수 {2}개', ' (mean of each channel)': ' (채널마다 평균)' });
    expect(spaces('conv 3 (mean of each channel), 96 numbers')).toBe('conv 3 (채널마다 평균), 수 96개');
    expect(spaces('conv3, 96 numbers')).toBe('conv3, 수 96개');
  });

  test('behind a full-width mark no space stays, within a value it does', () => {
    const chinese = compileSentences({ 'Layer {0} is odd.': '层 {0} 不对。', 'Open {0} again.': '请重新打开 {0}。', 'a gap': '空隙', 'a hole': '洞', '{0} has {1}.': '{0}：{1}。', '{0}, that is all': '（{0}）' });
    expect(chinese('Layer a。 b is odd. Open c again.')).toBe('层 a。 b 不对。请重新打开 c。');
    expect(chinese('x has a gap; a hole.')).toBe('x：空隙；洞。');
  });

  test('a Korean particle takes the form of the sound before it, where that is known', () => {
    const korean = compileSentences({ 'Open {0}.': '{0}을(를) 여세요.', 'Set to {0}.': '{0}(으)로 바꿉니다.', 'It is {0}.': '{0}은(는) 그것입니다.', 'the map': '지도', 'the folder of channels': '채널' });
    expect(['Open the map.', 'Open the folder of channels.', 'Open 3.', 'Open 2.', 'Open a.onnx.', 'Open "12".'].map(korean)).toEqual(['지도를 여세요.', '채널을 여세요.', '3을 여세요.', '2를 여세요.', 'a.onnx을(를) 여세요.', '"12"를 여세요.']);
    expect(['Set to 7.', 'Set to 10.', 'Set to the map.', 'Set to the folder of channels.', 'It is (6).'].map(korean)).toEqual(['7로 바꿉니다.', '10으로 바꿉니다.', '지도로 바꿉니다.', '채널로 바꿉니다.', '(6)은 그것입니다.']);
  });

  test('a clause that ends in a value is not taken for a sentence', () => {
    const open = compileSentences({ 'Index {0} with {1}': '{0} 색인({1})' });
    expect(open('Index photos with net')).toBe('photos 색인(net)');
    expect(open('Index them with a labels file.')).toBe('Index them with a labels file.');
  });

  test('both numbers of a word are known', () => {
    expect(say('Done with 1 image.')).toBe('이미지 1장 끝.');
    expect(say('Done with 2 images.')).toBe('이미지 2장 끝.');
  });

  test('sentences that were joined, and a name before one, are taken apart', () => {
    expect(say('There is no map in /w. Try again.')).toBe('/w에 지도 없음. 다시 하세요.');
    expect(say('Something else. Try again.')).toBe('Something else. 다시 하세요.');
    expect(say('conv1: Try again.')).toBe('conv1: 다시 하세요.');
  });

  test('unknown text, and text longer than a sentence, stays as it came', () => {
    expect(say('Everything is fine.')).toBe('Everything is fine.');
    const long = `There is no ${'x'.repeat(5000)} in y.`;
    expect(say(long)).toBe(long);
  });

  test('a value that looks like a placeholder is not taken for one', () => {
    expect(say('There is no {1} in $& {0}.')).toBe('$& {0}에 {1} 없음.');
  });

  test('a long sentence of nothing but separators takes no time to speak of', () => {
    const catalogue = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`{0} a {1} a {2} a {3} a ${'b'.repeat(at % 7)}{4}!`, '{0}{1}{2}{3}{4}']));
    const started = performance.now();
    compileSentences(catalogue)(' a'.repeat(1900));
    compileSentences(catalogue)('x: a; '.repeat(600));
    compileSentences(catalogue)('A a. '.repeat(800));
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

test('templates are read with their values, their ways and their numbers', () => {
  expect(texts).toContain('There is no index "{0}" in this workspace: list the indexes to see what it holds.');
  expect(texts).toContain('The {0} has {1} values for {2} channel{|s}: give one value, or one per channel.');
  expect(texts).toContain('The network in {0} has no input; Switchback feeds one picture. Convert it with the picture as its only input.');
  expect(texts).toContain('The network in {0} has several inputs ({1}); Switchback feeds one picture. Convert it with the picture as its only input.');
  expect(texts).toContain('Rescan {0} with {1}');
  expect([...texts].filter((text) => /^(SELECT|INSERT)|^<svg/.test(text))).toEqual([]);
  expect(templates.length).toBeGreaterThan(900);
});
