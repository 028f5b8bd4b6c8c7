/** Every word on screen comes from a catalogue, and the three catalogues hold the same words. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'vue/compiler-sfc';
import { createI18n } from 'vue-i18n';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../../src-renderer');
const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(vue|ts)$/.test(file) && !file.endsWith('.d.ts'));
const languages = ['en', 'ko', 'zh-CN'] as const;
const catalogues = Object.fromEntries(languages.map((language) => [language, flatten(JSON.parse(readFileSync(join(root, `locales/${language}.json`), 'utf8')))])) as Record<(typeof languages)[number], Map<string, string>>;

function flatten(tree: object, before = ''): Map<string, string> {
  return new Map(Object.entries(tree).flatMap(([key, value]) => (typeof value === 'string' ? [[before + key, value] as [string, string]] : [...flatten(value as object, `${before}${key}.`)])));
}

/** Keys as sources name them, also those that a condition chooses between; `${…}` inside a key stands for one part. */
function usedKeys(): { readonly file: string; readonly key: string }[] {
  return sources.flatMap((file) => {
    const source = readFileSync(join(root, file), 'utf8');
    return [...source.matchAll(/\bt\(/g)].flatMap((match) => keysOf(firstArgument(source, match.index + 2))).map((key) => ({ file, key }));
  });
}

/** From `start` on, up to the comma or bracket that ends it. */
function firstArgument(source: string, start: number): string {
  let depth = 0;
  for (let at = start; at < source.length; at++) {
    const sign = source[at]!;
    if (depth === 0 && (sign === ',' || sign === ')')) return source.slice(start, at).trim();
    if ('([{'.includes(sign)) depth += 1;
    else if (')]}'.includes(sign)) depth -= 1;
  }
  return '';
}

/** The literals of an argument; of a condition only those with a dot, as its comparisons hold other words. */
function keysOf(argument: string): string[] {
  const literals = [...argument.matchAll(/'([^']+)'|`([^`]+)`/g)].map((match) => ({ whole: match[0], text: (match[1] ?? match[2])! }));
  return literals.filter(({ whole, text }) => whole === argument || /^[a-z]\w*\./i.test(text)).map(({ text }) => text);
}

const pattern = (key: string): RegExp => new RegExp(`^${key.split(/\$\{[^}]+\}/).map((part) => part.replaceAll('.', '\\.')).join('[^.]+')}$`);
const words = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();

describe('catalogues', () => {
  test.each(['ko', 'zh-CN'] as const)('%s holds the keys of English, none empty, with the same placeholders', (language) => {
    expect([...catalogues[language].keys()]).toEqual([...catalogues.en.keys()]);
    for (const [key, text] of catalogues[language]) {
      expect(text.trim(), key).not.toBe('');
      expect([...new Set(words(text))], key).toEqual([...new Set(words(catalogues.en.get(key)!))]);
    }
  });

  test('every key that a source names is there', () => {
    const used = usedKeys();
    expect(used.length).toBeGreaterThan(200);
    const missing = used.filter(({ key }) => ![...catalogues.en.keys()].some((known) => pattern(key).test(known)));
    expect(missing).toEqual([]);
  });

  test('every key is used by a source', () => {
    const patterns = usedKeys().map(({ key }) => pattern(key));
    expect([...catalogues.en.keys()].filter((key) => !patterns.some((used) => used.test(key)))).toEqual([]);
  });

  test('all messages can be shown without eval', () => {
    const holder = globalThis as { Function: FunctionConstructor };
    const original = holder.Function;
    const refuse = () => {
      throw new Error('a message was compiled to a function');
    };
    const i18n = createI18n({ legacy: false, locale: 'en', messages: Object.fromEntries(languages.map((language) => [language, JSON.parse(readFileSync(join(root, `locales/${language}.json`), 'utf8'))])) });
    holder.Function = new Proxy(original, { construct: refuse, apply: refuse });
    try {
      for (const language of languages) {
        i18n.global.locale.value = language as 'en';
        expect(i18n.global.t('count.images', { n: '1,234' }, 1234)).toBe({ en: '1,234 images', ko: '이미지 1,234장', 'zh-CN': '1,234 张图像' }[language]);
      }
    } finally {
      holder.Function = original;
    }
  });
});

interface TemplateNode {
  readonly type: number;
  /** Text, or of an interpolation its expression. */
  readonly content?: string | { readonly content?: string };
  readonly tag?: string;
  readonly props?: readonly { readonly type: number; readonly name: string; readonly value?: { readonly content: string }; readonly arg?: { readonly content?: string }; readonly exp?: { readonly content?: string } }[];
  readonly children?: readonly TemplateNode[];
}

const readAttributes = ['title', 'aria-label', 'aria-description', 'aria-roledescription', 'aria-valuetext', 'alt', 'placeholder', 'label', 'text'];

/** Words for a person within an expression: a capital with small letters behind it, several words, or letters beyond the Latin ones. Keys of the catalogue are none of these. */
function spoken(expression: string | undefined): string[] {
  return [...(expression ?? '').replaceAll(/\$\{[^}]*\}/g, '').matchAll(/'([^']*)'|`([^`]*)`/g)].map((match) => match[1] ?? match[2] ?? '').filter((text) => /^\p{Lu}\p{Ll}|\p{L} \p{L}|[^\p{Script=Latin}\P{L}]/u.test(text));
}

/** Text and attributes that a person reads but no catalogue holds, also inside expressions. Names of products, keys and file names are no language. */
function hardCoded(node: TemplateNode): string[] {
  const found: string[] = [];
  if (node.type === 5 && typeof node.content === 'object') found.push(...spoken(node.content.content));
  if (node.type === 2 && typeof node.content === 'string' && /\p{L}/u.test(node.content)) found.push(node.content.trim());
  for (const prop of node.props ?? []) {
    if (prop.type === 7 && prop.name === 'bind' && readAttributes.includes(prop.arg?.content ?? '')) found.push(...spoken(prop.exp?.content));
    if (prop.type === 6 && readAttributes.includes(prop.name) && /\p{L}/u.test(prop.value?.content ?? '')) found.push(`${prop.name}="${prop.value!.content}"`);
  }
  return [...found, ...(node.children ?? []).flatMap(hardCoded)];
}

test('words inside expressions are found, keys and signs are not', () => {
  expect(["cond ? 'Open it' : t('a.b')", '`Channel ${n}`', "'다음'", '`${a} · ${b}`', "t('start.title', { n })", "kind === 'done' ? 'σ' : ''"].map(spoken)).toEqual([['Open it'], ['Channel '], ['다음'], [], [], ['σ']]);
});

test('no template holds text of its own', () => {
  const allowed = ['Switchback', 'Switchback, ', 'cs231n', 'placeholder="/…/squeezenet1.1.onnx"', 'placeholder="labels.tsv"'];
  const texts = sources.filter((file) => file.endsWith('.vue')).flatMap((file) => {
    const template = parse(readFileSync(join(root, file), 'utf8')).descriptor.template;
    return hardCoded(template?.ast as unknown as TemplateNode).map((text) => `${file}: ${text}`);
  });
  expect(texts.filter((text) => !allowed.some((each) => text.endsWith(`: ${each}`)))).toEqual([]);
});
