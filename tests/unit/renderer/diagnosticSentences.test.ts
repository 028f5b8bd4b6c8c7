/** Every sentence that the core can say about an architecture has words, with its values in them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { measureWords, sentenceWords } from '../../../src-renderer/features/diagnostics/sentenceWords.ts';
import { sentenceKeys } from '../../../src-shared/contract/diagnostics.ts';

const format = { share: (value: number) => `${Math.round(100 * value)} %`, integer: (value: number) => String(value) };

test('shares are per cent, ratios have three figures, names stay', () => {
  expect(sentenceWords({ share: 0.256, evenness: 0.5, ratio: 3.14159, channel: 7, layer: 'conv1' }, format)).toEqual({ share: '26 %', evenness: '50 %', ratio: '3.14', channel: '7', layer: 'conv1' });
});

test('a measure is a share, but the strength a ratio, and nothing where there is no number', () => {
  expect([measureWords('dead', 0.5, format), measureWords('strength', 1.7451, format), measureWords('usage', null, format)]).toEqual(['50 %', '1.75×', '–']);
});

test('the catalogue has words for each key', () => {
  const catalogue = JSON.parse(readFileSync(join(import.meta.dirname, '../../../src-renderer/locales/en.json'), 'utf8')) as { diagnostics: { sentence: Record<string, string> } };
  expect(Object.keys(catalogue.diagnostics.sentence).sort()).toEqual([...sentenceKeys].sort());
});
