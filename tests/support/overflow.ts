/** Words that do not fit: cut off by their box without an ellipsis, sticking out of it or of the row that it is in, or out of the window. Measured on what is laid out, so that it holds in every language. */
import type { Page } from 'playwright-core';

/** Elements whose own words do not fit, as `tag.class "words": 120 of 100 px`; empty where all do. Boxes that scroll and boxes that end in an ellipsis are meant to hold more than they show. */
export function overflowingWords(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const isScroller = (style: CSSStyleDeclaration): boolean => style.overflowX === 'auto' || style.overflowX === 'scroll';
    const say = (element: Element, needed: number, given: number): void => {
      found.push(`${element.localName}.${[...element.classList].join('.')} "${(element.textContent ?? '').trim().slice(0, 40)}": ${Math.round(needed)} of ${Math.round(given)} px`);
    };
    /** The right end of what may be seen of an element; infinite where it can be scrolled to. */
    const visibleEnd = (element: Element): number => {
      for (let box = element.parentElement; box; box = box.parentElement) {
        const style = getComputedStyle(box);
        if (isScroller(style)) return Number.POSITIVE_INFINITY;
        if (style.overflowX !== 'visible') return box.getBoundingClientRect().right;
      }
      return innerWidth;
    };
    for (const element of document.body.querySelectorAll('*')) {
      const ownWords = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && (node.textContent ?? '').trim() !== '');
      if (ownWords.length === 0 || !element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      // Words for screen readers only are laid out in a single pixel.
      if (isScroller(style) || style.textOverflow === 'ellipsis' || box.width <= 2 || box.height <= 2 || element.closest('svg, .uplot, select, .cut')) continue;
      const range = document.createRange();
      const right = Math.max(...ownWords.map((node) => (range.selectNodeContents(node), range.getBoundingClientRect().right)));
      if (style.display !== 'inline' && element.scrollWidth > element.clientWidth + 1) say(element, element.scrollWidth, element.clientWidth);
      else if (right > visibleEnd(element) + 1) say(element, right, visibleEnd(element));
      // A key cap or a link in a row that is too narrow for it covers what stands beside the row.
      else if (element.parentElement && right > element.parentElement.getBoundingClientRect().right + 1 && getComputedStyle(element.parentElement).display !== 'inline' && style.position !== 'absolute') say(element.parentElement, right, element.parentElement.getBoundingClientRect().right);
    }
    if (document.documentElement.scrollWidth > innerWidth) say(document.documentElement, document.documentElement.scrollWidth, innerWidth);
    return found;
  });
}
