/** What axe (axe-core, WCAG 2.2 A and AA) has against a page: contrast, names, roles, order, sizes of targets. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Violations with the elements that they are at; empty where there are none. */
export async function violationsOf(page: Page): Promise<readonly { readonly id: string; readonly help: string; readonly at: readonly string[] }[]> {
  // Evaluated rather than added as a script: the page's own policy allows no inline scripts.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(
    (values) => (globalThis as unknown as { axe: { run(root: Document, options: object): Promise<AxeResults> } }).axe.run(document, { runOnly: { type: 'tag', values } }),
    rules,
  );
  return violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.slice(0, 5).map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary ?? ''}`) }));
}
