/**
 * Protocol Buffers text format, in which Caffe networks are written down (.prototxt): fields with a scalar or a nested message, repeated by being
 * written again or as a list, comments from # to the end of the line. No schema is needed to read it; what a field must be is asked when it is used
 * (textFields.ts). Source: https://protobuf.dev/reference/protobuf/textformat-spec
 */

import { TextError, tokenize, type Token } from './textTokens.ts';

/** `word`: an enum value or a truth value. `line` counts from 1. */
export type TextValue =
  | { readonly kind: 'string' | 'word'; readonly value: string; readonly line: number }
  | { readonly kind: 'number'; readonly value: number; readonly line: number }
  | TextMessage;

export interface TextMessage {
  readonly kind: 'message';
  readonly line: number;
  /** Values of each field in the order they stand in the file. */
  readonly fields: ReadonlyMap<string, readonly TextValue[]>;
}

/** Deeper than any network description; a hostile file must not exhaust the stack. */
const maximumDepth = 32;

/** The message that a whole text is. Throws TextError. */
export function parseText(text: string): TextMessage {
  const tokens = tokenize(text);
  const at = { index: 0 };
  return parseFields(tokens, at, 'end', 1, 0);
}

interface Place {
  index: number;
}

function parseFields(tokens: readonly Token[], at: Place, close: '}' | '>' | 'end', line: number, depth: number): TextMessage {
  if (depth > maximumDepth) throw new TextError(line, `messages are nested more than ${maximumDepth} deep`);
  const fields = new Map<string, TextValue[]>();
  for (;;) {
    const token = tokens[at.index]!;
    if (token.kind === 'end') {
      if (close === 'end') return { kind: 'message', line, fields };
      throw new TextError(token.line, `the file ends inside the message that begins on line ${line}; a ${close} is missing`);
    }
    at.index++;
    if (token.text === close && token.kind === 'mark') return { kind: 'message', line, fields };
    if (token.kind !== 'word') throw new TextError(token.line, `a field name is expected, not ${shown(token)}`);
    const values = fields.get(token.text) ?? [];
    fields.set(token.text, values);
    parseFieldValues(tokens, at, values, token, depth);
    const separator = tokens[at.index]!;
    if (separator.kind === 'mark' && (separator.text === ',' || separator.text === ';')) at.index++;
  }
}

/** What stands behind a field name: `: value`, `: [values]`, or a message with or without the colon. */
function parseFieldValues(tokens: readonly Token[], at: Place, values: TextValue[], field: Token, depth: number): void {
  const hasColon = isMark(tokens[at.index]!, ':');
  if (hasColon) at.index++;
  if (!isMark(tokens[at.index]!, '[')) {
    values.push(parseValue(tokens, at, field, hasColon, depth));
    return;
  }
  at.index++;
  while (!isMark(tokens[at.index]!, ']')) {
    values.push(parseValue(tokens, at, field, true, depth));
    if (isMark(tokens[at.index]!, ',')) at.index++;
    else if (!isMark(tokens[at.index]!, ']')) throw new TextError(tokens[at.index]!.line, `the list of ${field.text} goes on with ${shown(tokens[at.index]!)} where a comma or ] is expected`);
  }
  at.index++;
}

function parseValue(tokens: readonly Token[], at: Place, field: Token, hasColon: boolean, depth: number): TextValue {
  const token = tokens[at.index]!;
  const { line } = token;
  if (isMark(token, '{') || isMark(token, '<')) {
    at.index++;
    return parseFields(tokens, at, token.text === '{' ? '}' : '>', line, depth + 1);
  }
  if (!hasColon || token.kind === 'mark' || token.kind === 'end') throw new TextError(line, `${field.text} is followed by ${shown(token)} where ${hasColon ? 'a value' : 'a colon or {'} is expected`);
  at.index++;
  if (token.kind === 'number') return { kind: 'number', value: numberValue(token.text), line };
  if (token.kind === 'word') {
    if (/^(inf|infinity)$/i.test(token.text)) return { kind: 'number', value: Infinity, line };
    return /^nan$/i.test(token.text) ? { kind: 'number', value: NaN, line } : { kind: 'word', value: token.text, line };
  }
  let value = unquote(token);
  for (; tokens[at.index]!.kind === 'string'; at.index++) value += unquote(tokens[at.index]!);
  return { kind: 'string', value, line };
}

function numberValue(text: string): number {
  if (text.startsWith('-')) return -numberValue(text.slice(1));
  if (/^inf/i.test(text)) return Infinity;
  return Number(/^0x/i.test(text) ? text : text.replace(/f$/i, ''));
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };

function unquote({ text }: Token): string {
  return text.slice(1, -1).replace(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);
}

function isMark(token: Token, text: string): boolean {
  return token.kind === 'mark' && token.text === text;
}

function shown(token: Token): string {
  return token.kind === 'end' ? 'the end of the file' : token.text.length > 40 ? `${token.text.slice(0, 40)}...` : token.text;
}
