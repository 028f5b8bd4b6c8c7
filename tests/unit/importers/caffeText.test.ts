/** Text format and the three syntaxes of a prototxt. */
import { describe, expect, it } from 'vitest';
import { booleanOf, integerOf, messageOf, numbersOf, textOf, wordOf } from '../../../src-main/importers/caffe/textFields.ts';
import { parseText, type TextMessage } from '../../../src-main/importers/caffe/textFormat.ts';
import { TextError } from '../../../src-main/importers/caffe/textTokens.ts';
import { parseNetwork } from '../../../src-main/importers/caffe/network.ts';

function problem(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof TextError) return `${error.line}: ${error.message}`;
    throw error;
  }
  throw new Error('nothing was wrong');
}

describe('text format', () => {
  it('reads scalars, lists, nested messages, comments and all ways to write numbers', () => {
    const message = parseText(`
      # a comment: { "
      name: "it's \\"so\\"" ' and so' # joined
      n: 1 n: -2.5e-1, n: .5; n: 3. n: 0x10 n: 1.5f n: -inf n: [7, 8]
      on: true word: MAX
      inner { a: 1 } angle < a: 2 > colon: { a: 3 }
    `);
    expect(textOf(message, 'name')).toBe('it\'s "so" and so');
    expect(numbersOf(message, 'n')).toEqual([1, -0.25, 0.5, 3, 16, 1.5, -Infinity, 7, 8]);
    expect([booleanOf(message, 'on', false), booleanOf(message, 'off', false), wordOf(message, 'word', 'AVE')]).toEqual([true, false, 'MAX']);
    expect(['inner', 'angle', 'colon'].map((field) => integerOf(messageOf(message, field)!, 'a', 0))).toEqual([1, 2, 3]);
  });

  it.each([
    ['a { b: 1', '1: the file ends inside the message that begins on line 1; a } is missing'],
    ['a: 1\n}', '2: a field name is expected, not }'],
    ['a\nb: 1', '2: a is followed by b where a colon or { is expected'],
    ['a: }', '1: a is followed by } where a value is expected'],
    ['a: [1 2]', '1: the list of a goes on with 2 where a comma or ] is expected'],
    ['a: "open\nb: 1', '1: a text without its closing quote is no part of a network description'],
    ['a: 1\n\u0001', '2: "\\u0001" is no part of a network description'],
    [`${'a {'.repeat(40)}`, '1: messages are nested more than 32 deep'],
  ])('says what is wrong with %j and where', (text, sentence) => {
    expect(problem(() => parseText(text))).toBe(sentence);
  });

  it.each<[string, (message: TextMessage) => unknown, string]>([
    ['a: "3"', (message) => integerOf(message, 'a', 0), '1: a is "3", not a whole number from 0 to 2147483647'],
    ['a: 1.5', (message) => integerOf(message, 'a', 0, { maximum: 9 }), '1: a is 1.5, not a whole number from 0 to 9'],
    ['a: maybe', (message) => booleanOf(message, 'a', false), '1: a is "maybe", not true or false'],
    ['\na: 1', (message) => messageOf(message, 'a'), '2: a is 1, not a message in { }'],
    ['a { }', (message) => textOf(message, 'a'), '1: a is a message, not a quoted text'],
    ['a: 5', (message) => wordOf(message, 'a', 'x', ['x', 'y']), '1: a is 5, not one of x, y'],
  ])('refuses a field of another kind: %s', (text, read, sentence) => {
    expect(problem(() => read(parseText(text)))).toBe(sentence);
  });
});

describe('networks', () => {
  const expected = { name: 'c', type: 'Convolution', bottoms: ['data'], tops: ['c'] };

  it.each([
    ['V2', 'layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 4 kernel_size: 3 bias_term: false } }'],
    ['V1', 'layers { name: "c" type: CONVOLUTION bottom: "data" top: "c" convolution_param { num_output: 4 kernel_size: 3 bias_term: false } }'],
    ['V0', 'layers { layer { name: "c" type: "conv" num_output: 4 kernelsize: 3 biasterm: false } bottom: "data" top: "c" }'],
  ])('reads a convolution in syntax %s', (syntax, text) => {
    const network = parseNetwork(`name: "net" input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 9 ${text}`);
    expect([network.name, network.syntax, network.inputs]).toEqual(['net', syntax, [{ name: 'data', shape: [1, 3, 8, 9] }]]);
    expect(network.layers).toMatchObject([expected]);
    const parameters = network.layers[0]!.parameters('convolution_param');
    expect([integerOf(parameters, 'num_output', 0), integerOf(parameters, 'kernel_size', 0), booleanOf(parameters, 'bias_term', true)]).toEqual([4, 3, false]);
  });

  it.each([
    ['include { phase: TRAIN }', false],
    ['include: { phase: TEST }', true],
    ['include { phase: TRAIN } include { phase: TEST }', true],
    ['exclude { phase: TEST }', false],
    ['exclude { phase: TRAIN }', true],
    ['include { phase: 1 }', true],
    ['include { min_level: 1 }', false],
    ['include { stage: "deploy" }', false],
    ['include { not_stage: "deploy" }', true],
  ])('keeps layers of the TEST phase: %s', (rule, stays) => {
    expect(parseNetwork(`layer { name: "c" type: "ReLU" bottom: "a" top: "c" ${rule} }`).layers).toHaveLength(stays ? 1 : 0);
  });

  it('refuses a mix of syntaxes', () => {
    expect(problem(() => parseNetwork('layer { name: "a" }\nlayers { name: "b" }'))).toBe('2: the file mixes "layer" and "layers"; a network is written with one of them');
  });
});
