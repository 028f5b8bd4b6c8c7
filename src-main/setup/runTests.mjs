/**
 * `npm test`: types, lint rules, dependency directions and unused code first (each counts as one test), then everything vitest finds. The last line,
 * alone, is the sum: `N passed, N failed` and `, N skipped` where something could not run here.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { environment, modules, pinnedNode, root } from './places.mjs';
import { handOver } from './processes.mjs';

/** Tests whose title begins so may be skipped in continuous integration too (tests/support/testData.ts). */
const allowedSkip = 'may be missing here: ';
const reportPath = join(root, 'out/test-report.json');

const checks = [
  { title: 'types', program: 'vue-tsc/bin/vue-tsc.js', args: ['-b'] },
  { title: 'lint', program: 'eslint/bin/eslint.js', args: ['.', '--max-warnings', '0'] },
  {
    title: 'dependency directions',
    program: 'dependency-cruiser/bin/dependency-cruise.mjs',
    args: ['--config', '.dependency-cruiser.cjs', 'src-shared', 'src-main', 'src-renderer'],
  },
  { title: 'unused code', program: 'knip/bin/knip.js', args: [] },
];

/** Runs all checks and tests, or only the tests that `args` name (they go to vitest). Resolves with the exit code. */
export async function runTests(args) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  if (args.length === 0) {
    for (const { title, program, args: checkArgs } of checks) {
      console.log(`\n== ${title}`);
      const code = await handOver(pinnedNode(), [join(modules, program), ...checkArgs], { cwd: root, env: environment() });
      sum[code === 0 ? 'passed' : 'failed'] += 1;
      console.log(code === 0 ? `${title}: passed` : `${title}: FAILED`);
    }
  }
  console.log('\n== tests');
  mkdirSync(join(root, 'out'), { recursive: true });
  rmSync(reportPath, { force: true });
  const vitest = [join(modules, 'vitest/vitest.mjs'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`, ...args];
  const code = await handOver(pinnedNode(), vitest, { cwd: root, env: environment() });
  const counted = countTests(existsSync(reportPath) ? JSON.parse(readFileSync(reportPath, 'utf8')) : { testResults: [] }, inContinuousIntegration());
  for (const key of ['passed', 'failed', 'skipped']) sum[key] += counted[key];
  for (const title of counted.forbiddenSkips) console.log(`skipped, which is a failure in continuous integration: ${title}`);
  // Vitest fails on errors outside of any test, too: they must not end in a green sum.
  if (code !== 0 && counted.failed === 0) sum.failed += 1;
  console.log(`\n${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`);
  return sum.failed === 0 && sum.passed > 0 ? 0 : 1;
}

/**
 * Adds up vitest's JSON report. A file that could not even be loaded counts as one failure; where `strict`, so does a skipped test that has no leave to skip.
 * @param {{ testResults: readonly { name: string, status: string, assertionResults: readonly { title: string, fullName: string, status: string }[] }[] }} report
 */
export function countTests(report, strict) {
  const sum = { passed: 0, failed: 0, skipped: 0, forbiddenSkips: [] };
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'passed') sum.passed += 1;
      else if (test.status === 'failed') sum.failed += 1;
      else if (strict && !test.title.startsWith(allowedSkip)) {
        sum.failed += 1;
        sum.forbiddenSkips.push(test.fullName);
      } else sum.skipped += 1;
    }
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) sum.failed += 1;
  }
  return sum;
}

function inContinuousIntegration() {
  return ['CI', 'SWITCHBACK_CI'].some((name) => !['', '0', 'false'].includes(process.env[name] ?? ''));
}
