/**
 * Two jobs for Kubernetes: an indexed one that computes the shards (its completion index counts from 0, shards from 1), and one that waits for all of them and merges. Model, images and
 * workspace lie in one volume, mounted at the deepest folder that holds them all, so that paths are the same inside and outside.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { beginning, commonFolder, mergeLines, scratchLines, shardLines, shardsFolder, type JobOrder } from './jobOrder.ts';
import { yamlDocument, type YamlValue } from './yaml.ts';

/** Pods at once; a person may change it in the file. */
const mostAtOnce = 32;

/** @throws AppError BAD_REQUEST where no one volume can hold everything */
export function kubernetesJobs(order: JobOrder, container: string): string {
  const volume = commonFolder([order.workspace, ...order.reads]);
  if (volume === '/') throw new AppError('BAD_REQUEST', `Model, images and workspace must lie in one volume: ${[...order.reads, order.workspace].join(', ')} have no folder in common. Give the paths as they are inside the containers.`);
  const shards = [...beginning(order), ...scratchLines, 'number=$((JOB_COMPLETION_INDEX + 1))', 'mkdir -p "$shards"', ...shardLines(order)];
  const merge = [...beginning(order), ...scratchLines, `until [ "$(ls -d "$shards"/shard-* 2>/dev/null | wc -l)" -ge ${order.shards} ]; do sleep 20; done`, ...mergeLines()];
  return [
    `# Switchback ${order.version}: an index in ${order.shards} shards, then their merge. Submit both with "kubectl apply -f THIS_FILE". The claim "switchback" is the volume that holds\n# ${volume}; ${shardsFolder(order)} gathers the shards. Deleted and applied again, the jobs compute only what is missing.\n`,
    yamlDocument(job('switchback-shards', shards, volume, container, { completions: order.shards, parallelism: Math.min(order.shards, mostAtOnce), completionMode: 'Indexed', backoffLimit: Math.max(6, order.shards) })),
    '---\n',
    yamlDocument(job('switchback-merge', merge, volume, container, { backoffLimit: 2 })),
  ].join('');
}

function job(name: string, script: readonly string[], volume: string, image: string, extent: { readonly [key: string]: YamlValue }): { readonly [key: string]: YamlValue } {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      ...extent,
      template: {
        spec: {
          restartPolicy: 'Never',
          containers: [
            {
              name: 'switchback',
              image,
              command: ['/bin/bash', '-c'],
              args: [script.join('\n')],
              env: [{ name: 'TMPDIR', value: '/scratch' }],
              resources: { requests: { cpu: '4', memory: '4Gi' } },
              volumeMounts: [{ name: 'data', mountPath: volume }, { name: 'scratch', mountPath: '/scratch' }],
            },
          ],
          volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'switchback' } }, { name: 'scratch', emptyDir: {} }],
        },
      },
    },
  };
}
