/**
 * Markdown as Vue nodes. The parser's tokens become elements one by one and text stays text, so that no HTML of a note (which may come from a colleague's pack) is ever parsed; pictures are off,
 * because they would ask other machines for something; links lead to http and https only, in a window of their own.
 */
import MarkdownIt from 'markdown-it';
import type Token from 'markdown-it/lib/token.mjs';
import { h, type VNodeChild } from 'vue';

const parser = new MarkdownIt({ html: false, linkify: true, breaks: true }).disable(['image']);
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
parser.validateLink = (address) => /^https?:\/\//i.test(address);

/** A heading of a note stands below those of the view. */
const headingTag: Readonly<Record<string, string>> = { h1: 'h4', h2: 'h5', h3: 'h6', h4: 'h6', h5: 'h6', h6: 'h6' };

export function markdownNodes(text: string): VNodeChild[] {
  return nested(parser.parse(text, {}));
}

/** Opening and closing tokens in a row become elements within each other. */
function nested(tokens: readonly Token[]): VNodeChild[] {
  const stack: { readonly token: Token | null; readonly children: VNodeChild[] }[] = [{ token: null, children: [] }];
  for (const token of tokens) {
    const top = stack.at(-1)!;
    if (token.nesting === 1) stack.push({ token, children: [] });
    else if (token.nesting === 0) top.children.push(...single(token));
    else if (stack.length > 1) {
      stack.pop();
      const parent = stack.at(-1)!;
      // The paragraph of a tight list item is no block of its own.
      if (top.token!.hidden) parent.children.push(...top.children);
      else parent.children.push(element(top.token!, top.children));
    }
  }
  return stack[0]!.children;
}

function single(token: Token): VNodeChild[] {
  if (token.type === 'inline') return nested(token.children ?? []);
  if (token.type === 'softbreak' || token.type === 'hardbreak') return [h('br')];
  if (token.type === 'code_inline') return [h('code', token.content)];
  if (token.type === 'fence' || token.type === 'code_block') return [h('pre', h('code', token.content))];
  if (token.type === 'hr') return [h('hr')];
  return [token.content];
}

function element(token: Token, children: VNodeChild[]): VNodeChild {
  if (token.tag === 'a') return h('a', { href: token.attrGet('href') ?? undefined, target: '_blank', rel: 'noopener noreferrer' }, children);
  if (token.tag === 'ol') return h('ol', { start: token.attrGet('start') ?? undefined }, children);
  return h(headingTag[token.tag] ?? token.tag, children);
}
