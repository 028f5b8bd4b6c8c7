/** The dependency rules against a small tree in which each of these imports is wrong, and the right ones beside them: a rule that catches nothing protects nothing. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modules, pinnedNode, root } from '../../../src-main/setup/places.mjs';
import { capture } from '../../../src-main/setup/processes.mjs';

/** From, to, and the rule that forbids it; null where it is allowed. */
const imports = [
  ['src-shared/domain/a.ts', 'src-main/graph/graph.ts', 'shared-is-pure'],
  ['src-shared/contract/a.ts', 'zod', null],
  ['src-shared/contract/b.ts', 'hono', 'shared-is-pure'],
  ['src-renderer/api/a.ts', 'src-main/services/models.ts', 'renderer-apart-from-main'],
  ['src-renderer/features/atlas/a.ts', 'src-renderer/features/start/start.ts', 'features-apart'],
  ['src-main/graph/a.ts', 'src-main/rewrite/rewrite.ts', 'graph-is-the-ground'],
  ['src-main/geometry/a.ts', 'src-main/graph/graph.ts', null],
  ['src-main/geometry/b.ts', 'src-main/inference/engine.ts', 'graph-work-knows-only-graphs'],
  ['src-main/inference/onnxruntime/a.ts', 'src-main/inference/reference/run.ts', 'engines-apart'],
  ['src-main/inference/onnxruntime/b.ts', 'src-main/dataset/decode.ts', 'engines-stand-alone'],
  ['src-main/indexing/a.ts', 'src-main/inference/engine.ts', null],
  ['src-main/indexing/b.ts', 'src-main/inference/reference/run.ts', 'indexing-knows-no-engine'],
  ['src-main/projection/a.ts', 'src-main/dataset/decode.ts', 'projection-knows-no-engine'],
  ['src-main/dataset/a.ts', 'src-main/graph/graph.ts', 'dataset-knows-no-graphs'],
  ['src-main/store/a.ts', 'src-main/graph/graph.ts', 'store-knows-no-graphs'],
  ['src-main/jobs/a.ts', 'src-main/graph/graph.ts', 'jobs-know-no-graphs'],
  ['src-main/inference/worker/a.ts', 'src-main/dataset/normalize.ts', null],
  ['src-main/inference/worker/b.ts', 'src-main/dataset/decode.ts', 'worker-has-no-disk'],
  ['src-main/inference/worker/c.ts', 'src-main/inference/reference/run.ts', null],
  ['src-main/services/a.ts', 'src-main/inference/reference/run.ts', 'engines-only-in-the-worker'],
  ['src-main/services/b.ts', 'src-main/core/main.ts', 'services-below-the-doors'],
  ['src-main/desktop/a.ts', 'src-main/services/models.ts', 'desktop-is-a-shell'],
  ['src-main/core/a.ts', 'src-main/desktop/main.ts', 'nothing-imports-desktop'],
  ['src-main/setup/a.mjs', 'zod', 'setup-needs-nothing'],
  ['src-main/core/b.ts', 'sharp', 'sharp-only-in-dataset'],
  ['src-main/dataset/b.ts', 'sharp', null],
  ['src-main/store/b.ts', 'sqlite3', 'sqlite-only-in-its-driver'],
  ['src-main/services/c.ts', 'onnxruntime-node', 'onnxruntime-only-in-its-engine'],
  ['src-main/services/d.ts', '@tensorflow/tfjs-core', 'tensorflow-only-in-its-engine'],
  ['src-main/core/c.ts', 'electron', 'electron-only-in-desktop'],
  ['src-main/core/d.ts', 'vue', 'shipped-code-needs-shipped-packages'],
];

let folder;
/** Rules broken by each file. */
const broken = new Map();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchback-rules-'));
  for (const [from, to] of imports) {
    const target = to.startsWith('src-') ? `${'../'.repeat(from.split('/').length - 1)}${to}` : to;
    if (to.startsWith('src-')) write(to, 'export {};\n');
    write(from, `import ${JSON.stringify(target)};\n`);
  }
  symlinkSync(modules, join(folder, 'node_modules'), 'junction');
  for (const name of ['package.json', '.dependency-cruiser.cjs', 'tsconfig.base.json']) copyFileSync(join(root, name), join(folder, name));
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src-shared', 'src-main', 'src-renderer'];
  const { output } = await capture(pinnedNode(), [join(modules, 'dependency-cruiser/bin/dependency-cruise.mjs'), ...args], { cwd: folder });
  for (const { from, rule } of JSON.parse(output).summary.violations) broken.set(from, [...(broken.get(from) ?? []), rule.name]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('dependency rules', () => {
  it.each(imports)('%s -> %s: %s', (from, _to, rule) => {
    if (rule === null) expect(broken.get(from)).toBe(undefined);
    else expect(broken.get(from)).toContain(rule);
  });
});

function write(relative, text) {
  mkdirSync(dirname(join(folder, relative)), { recursive: true });
  writeFileSync(join(folder, relative), text);
}
