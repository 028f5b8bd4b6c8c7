/** Job files: right as text, valid as shell and YAML, and run against stand-ins of sbatch and switchback they compute every shard once, skip what is there, and merge. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { commonFolder, quoted, type JobOrder } from '../../../src-main/cli/clusterJobs/jobOrder.ts';
import { kubernetesJobs } from '../../../src-main/cli/clusterJobs/kubernetes.ts';
import { arrayOf, slurmScript } from '../../../src-main/cli/clusterJobs/slurm.ts';
import { yamlDocument } from '../../../src-main/cli/clusterJobs/yaml.ts';
import { temporaryFolder } from '../../support/commandLine.ts';

const root = temporaryFolder('cluster-jobs');
afterAll(() => rmSync(root, { recursive: true, force: true }));

const order: JobOrder = {
  program: ['switchback'],
  workspace: '/work space/it\'s here',
  shards: 64,
  indexArguments: ['--model=/models/net.onnx', '--images=/photos', '--batch=16', '--mean=-1,2,3'],
  reads: ['/models/net.onnx', '/photos'],
  version: '0.1.0',
};
const checked = (script: string) => execFileSync('bash', ['-n'], { input: script, encoding: 'utf8' });

describe('words of a shell', () => {
  it('come back as they were, whatever they hold', () => {
    const words = ['plain', "it's", 'two words', '$HOME', '`x`', '"', '\\', '*', '', 'a\nb', '한글'];
    expect(execFileSync('bash', ['-c', `printf '%s\\0' ${words.map(quoted).join(' ')}`], { encoding: 'utf8' }).split('\0').slice(0, -1)).toEqual(words);
  });
});

describe('the Slurm script', () => {
  it('is one valid script that submits an array and a merge', () => {
    const script = slurmScript(order);
    expect(checked(script)).toBe('');
    expect(script).toContain('array=$(sbatch --parsable --array=1-64 "$0" shards)');
    expect(script).toContain('--dependency="afterok:${array%%;*}"');
    expect(script).toContain(`index --workspace "$scratch/shard-$number" --shard "$number/64" --model=/models/net.onnx --images=/photos --batch=16 --mean=-1,2,3`);
    expect(script).toContain(`workspace='/work space/it'\\''s here'`);
  });
  it('stays within MaxArraySize 1001: more shards share a task', () => {
    expect([1, 64, 1000, 1001, 2000, 100_000].map(arrayOf)).toEqual([
      { tasks: 1, perTask: 1 }, { tasks: 64, perTask: 1 }, { tasks: 1000, perTask: 1 }, { tasks: 501, perTask: 2 }, { tasks: 1000, perTask: 2 }, { tasks: 1000, perTask: 100 },
    ]);
    expect(slurmScript({ ...order, shards: 1001 })).toContain('# Switchback 0.1.0: an index in 1001 shards, 2 in each of 501 array tasks (MaxArraySize is 1001 by default), then their merge.');
  });

  /** A folder with stand-ins: `sbatch` runs what it is given at once, `switchback` notes what it was asked and makes the workspace. */
  function cluster(name: string, shards: number) {
    const folder = join(root, name);
    mkdirSync(join(folder, 'bin'), { recursive: true });
    const executable = (file: string, text: string) => {
      writeFileSync(join(folder, 'bin', file), `#!/bin/bash\nset -eu\n${text}\n`);
      chmodSync(join(folder, 'bin', file), 0o755);
    };
    executable('sbatch', `
      for word in "$@"; do case "$word" in --array=*) range=\${word#--array=1-};; --*) ;; *) rest+=("$word");; esac; done
      for id in $(seq 1 "\${range:-1}"); do SLURM_ARRAY_TASK_ID=$id bash "\${rest[@]}" >&2; done
      echo "7;main"`);
    executable('switchback', `
      echo "$*" | sed "s#/[^ ]*/switchback-[A-Za-z0-9]\\{8\\}/#SCRATCH/#g" >> ${quoted(join(folder, 'calls'))}
      case "$1" in index) mkdir -p "$3"; echo "$5" > "$3/workspace.sqlite";; merge) for last; do :; done; mkdir -p "$last"; cat "\${@:2:$#-3}"/workspace.sqlite > /dev/null 2>&1 || true; echo merged > "$last/workspace.sqlite";; esac`);
    const script = join(folder, 'index.sh');
    writeFileSync(script, slurmScript({ ...order, program: [join(folder, 'bin/switchback')], workspace: join(folder, 'the workspace'), shards, indexArguments: ['--images=/photos'] }));
    const run = () => spawnSync('bash', [script], { encoding: 'utf8', env: { ...process.env, PATH: `${join(folder, 'bin')}:${process.env['PATH']}`, TMPDIR: folder } });
    const calls = () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
    return { folder, run, calls };
  }

  it('computes each shard once in scratch space, merges, and leaves nothing behind', () => {
    const { folder, run, calls } = cluster('three', 3);
    expect(run()).toMatchObject({ status: 0, stdout: 'shards: job 7; merge: job 7\n', stderr: '' });
    expect(calls().slice(0, 3)).toEqual([1, 2, 3].map((number) => `index --workspace SCRATCH/shard-${number} --shard ${number}/3 --images=/photos`));
    expect(calls()[3]).toContain('/the workspace.shards/shard-1 ');
    expect(calls()[3]).toMatch(/--into SCRATCH\/merged$/);
    expect(readdirSync(join(folder, 'the workspace.shards')).sort()).toEqual(['shard-1', 'shard-2', 'shard-3']);
    expect(readFileSync(join(folder, 'the workspace/workspace.sqlite'), 'utf8')).toBe('merged\n');
    expect(readdirSync(folder).filter((name) => name.startsWith('switchback-'))).toEqual([]);
  });
  it('run again computes what is missing, and merges into the workspace that is there', () => {
    const { folder, run, calls } = cluster('again', 3);
    run();
    rmSync(join(folder, 'the workspace.shards/shard-2'), { recursive: true });
    expect(run().status).toBe(0);
    expect(calls().slice(4).map((call) => call.split(' ')[0])).toEqual(['index', 'merge']);
    expect(calls()[4]).toContain('--shard 2/3');
    expect(calls()[5]).toMatch(/--into .*\/the workspace$/);
  });
  it('groups shards beyond 1000 and ends at the last', () => {
    const script = slurmScript({ ...order, shards: 1001 });
    const loop = /for number in (.*); do/.exec(script)![1]!;
    const numbers = (task: number) => execFileSync('bash', ['-c', `SLURM_ARRAY_TASK_ID=${task}; last=$((SLURM_ARRAY_TASK_ID * 2)); echo ${loop}`], { encoding: 'utf8' }).trim().split(/\s+/).map(Number);
    expect([numbers(1), numbers(500), numbers(501)]).toEqual([[1, 2], [999, 1000], [1001]]);
  });
  it('fails where a shard fails, and leaves no half shard', () => {
    const { folder, run } = cluster('failing', 2);
    writeFileSync(join(folder, 'bin/switchback'), '#!/bin/bash\nmkdir -p "$3"; exit 1\n');
    expect(run().status).not.toBe(0);
    expect([readdirSync(join(folder, 'the workspace.shards')), existsSync(join(folder, 'the workspace'))]).toEqual([[], false]);
  });
});

describe('the Kubernetes jobs', () => {
  const text = () => kubernetesJobs({ ...order, workspace: '/data/work', reads: ['/data/models/net.onnx', '/data/photos'] }, 'registry.example/switchback:0.1.0');
  it('are an indexed job and a merge that waits, with one volume for all', () => {
    const [shards, merge] = text().split('---\n').map(parseYaml) as [Job, Job];
    expect([shards.kind, shards.spec.completionMode, shards.spec.completions, shards.spec.parallelism]).toEqual(['Job', 'Indexed', 64, 32]);
    const [container] = shards.spec.template.spec.containers;
    expect(container!.volumeMounts[0]).toEqual({ name: 'data', mountPath: '/data' });
    expect(container!.image).toBe('registry.example/switchback:0.1.0');
    const scripts = [shards, merge].map((job) => job.spec.template.spec.containers[0]!.args[0]!);
    for (const script of scripts) expect(checked(script)).toBe('');
    expect(scripts[0]).toContain('number=$((JOB_COMPLETION_INDEX + 1))');
    expect(scripts[0]).toContain('--shard "$number/64"');
    expect(scripts[1]).toContain('-ge 64 ]; do sleep 20; done');
  });
  it('need a volume that holds everything', () => {
    expect(() => kubernetesJobs(order, 'x')).toThrow('Model, images and workspace must lie in one volume: /models/net.onnx, /photos, /work space/it\'s here have no folder in common.');
    expect(commonFolder(['/data/a/x', '/data/ab/y'])).toBe('/data');
  });
});

describe('YAML', () => {
  it('comes back through a reader of its forms', () => {
    const value = {
      word: 'batch/v1', number: 3, flag: true, quoted: 'yes', spaced: 'two: words # not a comment', empty: [], none: {},
      list: ['a', 'b\nc\n\nd', { key: 'value', deep: [{ x: 1 }] }],
      text: 'first\n  indented\n\nlast',
    };
    expect(parseYaml(yamlDocument(value))).toEqual(value);
  });
});

interface Job {
  readonly kind: string;
  readonly spec: {
    readonly completionMode?: string;
    readonly completions?: number;
    readonly parallelism?: number;
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string; readonly args: readonly string[]; readonly volumeMounts: readonly object[] }[] } };
  };
}

/** A strict reader of block YAML: maps, lists, JSON scalars, plain words, literal blocks, comments of whole lines. Anything else throws. */
function parseYaml(text: string): unknown {
  const all = text.split('\n').filter((line) => !line.startsWith('#'));
  let at = 0;
  const indentOf = (line: string) => /^ */.exec(line)![0].length;
  const skipBlank = () => {
    while (at < all.length && all[at]!.trim() === '') at++;
  };
  const scalar = (word: string): unknown => (/^[A-Za-z]/.test(word) && word !== 'true' && word !== 'false' ? plain(word) : (JSON.parse(word) as unknown));
  const plain = (word: string): string => {
    if (/[:#] |: *$|["'{}[\]]/.test(word)) throw new Error(`not a plain word: ${word}`);
    return word;
  };
  const literal = (parent: number): string => {
    const kept: string[] = [];
    skipBlank();
    const indent = indentOf(all[at]!);
    if (indent <= parent) throw new Error(`an empty literal at line ${at}`);
    for (; at < all.length && (all[at]!.trim() === '' || indentOf(all[at]!) >= indent); at++) kept.push(all[at]!.slice(indent));
    return kept.join('\n').trimEnd();
  };
  const entry = (rest: string, indent: number): unknown => {
    if (rest === '|') return literal(indent);
    return rest === '' ? block(indent + 1) : scalar(rest);
  };
  function block(least: number): unknown {
    skipBlank();
    const indent = indentOf(all[at]!);
    if (indent < least) throw new Error(`line ${at} is indented too little: ${all[at]}`);
    const isList = all[at]!.slice(indent).startsWith('- ');
    const list: unknown[] = [];
    const map: Record<string, unknown> = {};
    for (skipBlank(); at < all.length && indentOf(all[at]!) === indent; skipBlank()) {
      const line = all[at]!.slice(indent);
      if (isList) {
        if (!line.startsWith('- ')) throw new Error(`line ${at} is no item: ${line}`);
        const rest = line.slice(2);
        if (/^[A-Za-z][\w]*:( |$)/.test(rest)) {
          all[at] = `${' '.repeat(indent + 2)}${rest}`;
          list.push(block(indent + 2));
        } else {
          at++;
          list.push(rest === '|' ? literal(indent) : scalar(rest));
        }
      } else {
        const [, key, rest] = /^([A-Za-z]\w*):(?: (.*))?$/.exec(line) ?? [];
        if (key === undefined) throw new Error(`line ${at} is no entry: ${line}`);
        at++;
        map[key] = entry(rest ?? '', indent);
      }
    }
    if (at < all.length && indentOf(all[at]!) > indent) throw new Error(`line ${at} is indented too much: ${all[at]}`);
    return isList ? list : map;
  }
  return block(0);
}
