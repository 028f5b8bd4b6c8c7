/** Lists what a catalogue of the core's sentences lacks or holds in excess: `node tests/support/listCoreSentences.ts ko`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCoreTemplates } from './coreTemplates.ts';

const root = join(import.meta.dirname, '../..');
const catalogue = JSON.parse(readFileSync(join(root, `src-renderer/locales/core.${process.argv[2] ?? 'ko'}.json`), 'utf8')) as Record<string, string>;
const templates = readCoreTemplates(root);
const texts = new Set(templates.map(({ text }) => text));
for (const { text, where, values } of templates) if (!catalogue[text]) console.log(`missing ${JSON.stringify(text)}\n  at ${where}${values.length > 0 ? ` with ${values.map((value, at) => `{${at}} = ${value}`).join(', ')}` : ''}`);
for (const text of Object.keys(catalogue)) if (!texts.has(text)) console.log(`no longer said ${JSON.stringify(text)}`);
