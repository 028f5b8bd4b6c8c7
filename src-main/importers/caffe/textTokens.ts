/** Text format cut into tokens: words, numbers, quoted texts and marks, each with its line; blanks and comments are left out. */

/** What is wrong with a text, as half a sentence, and on which line. */
export class TextError extends Error {
  readonly line: number;

  constructor(line: number, sentence: string) {
    super(sentence);
    this.name = 'TextError';
    this.line = line;
  }
}

export interface Token {
  /** `end` stands once, behind everything else. */
  readonly kind: 'word' | 'number' | 'string' | 'mark' | 'end';
  readonly text: string;
  readonly line: number;
}

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['word', /[A-Za-z_]\w*/y],
  ['number', /-?(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?|inf(?:inity)?)(?!\w)/iy],
  ['string', /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y],
  ['mark', /[{}<>:,;[\]]/y],
];

/** Throws TextError at what no token begins with. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const blank = /[^\S\n]+|#[^\n]*/y;
  let line = 1;
  let offset = 0;
  reading: while (offset < text.length) {
    if (text[offset] === '\n') {
      line++;
      offset++;
      continue;
    }
    blank.lastIndex = offset;
    if (blank.test(text)) {
      offset = blank.lastIndex;
      continue;
    }
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = offset;
      const found = pattern.exec(text);
      if (!found) continue;
      tokens.push({ kind, text: found[0], line });
      offset = pattern.lastIndex;
      continue reading;
    }
    const rest = /^["']/.test(text[offset]!) ? 'a text without its closing quote' : JSON.stringify(text[offset]);
    throw new TextError(line, `${rest} is no part of a network description`);
  }
  tokens.push({ kind: 'end', text: '', line });
  return tokens;
}
