/**
 * What a researcher would write today with PyTorch, to measure against on the same machine in the same run: the test data's neighbour
 * `peers/torch_reference.py`, run by the system's python3 with Debian's torch.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dataPath } from '../support/testData.ts';

const python = '/usr/bin/python3';
const script = join(dirname(dataPath('')), 'peers', 'torch_reference.py');

export type PeerNetwork = 'alexnet' | 'zfnet' | 'squeezenet';

/** Why there is no peer on this machine; null where there is one. */
export function missingPeer(): string | null {
  if (!existsSync(script)) return `${script} is missing`;
  const trial = spawnSync(python, ['-c', 'import torch, torchvision, onnx, PIL'], { encoding: 'utf8' });
  return trial.status === 0 ? null : `${python} has no torch, onnx and PIL (Debian's python3-torch, python3-onnx, python3-pil)`;
}

/** Writes the peer's network with its seeded weights as ONNX. */
export function exportPeer(network: PeerNetwork, path: string): void {
  execFileSync(python, [script, 'export', '--net', network, '--out', path]);
}

/** Images per second of indexing a folder with two loading processes, its first picture to its last. */
export function peerIndex(network: PeerNetwork, folder: string, images: number): number {
  return run<{ images_per_s: number }>('index', '--net', network, '--images', folder, '--limit', String(images), '--workers', '2').images_per_s;
}

/** Projections per second of a layer (counted from 0), one whole forward and backward pass for each. */
export function peerProject(network: PeerNetwork, folder: string, images: number, layer: number, channels: number): number {
  return run<{ projections_per_s: number }>('project', '--net', network, '--images', folder, '--limit', String(images), '--layer', String(layer), '--channels', String(channels)).projections_per_s;
}

function run<T>(...args: readonly string[]): T {
  return JSON.parse(execFileSync(python, [script, ...args], { encoding: 'utf8', maxBuffer: 2 ** 26 })) as T;
}
