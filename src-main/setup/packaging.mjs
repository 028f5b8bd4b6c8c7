/**
 * What an installer carries, for each platform, as electron-builder's configuration. The core runs on
 * plain Node, which cannot read Electron's archive, so that all it needs lies unpacked beside it and is written out here by name. Addons are N-API and need
 * no rebuilding. Nothing is published and no feed of updates is named: updates stay off.
 */
import { join } from 'node:path';
import { leftOutPlaces, nodePackages, readLock, shippedPackages } from './shippedPackages.mjs';
import { keyOf, webgpuFolder } from './targets.mjs';
import { verifyPackage } from './verifyPackage.mjs';

/** electron-builder's configuration for one platform. `electronDist`: a folder with an Electron runtime; absent: electron-builder fetches it. */
export function builderConfig(target, { electronDist, output = 'dist' } = {}) {
  const lock = readLock();
  const node = nodePackages[keyOf(target)];
  const program = target.platform === 'win32' ? 'node.exe' : 'node';
  return {
    appId: 'org.switchback.workbench',
    productName: 'Switchback',
    copyright: 'MIT',
    directories: { output, buildResources: 'resources/installer' },
    ...(electronDist === undefined ? {} : { electronDist }),
    electronLanguages: ['en-US', 'ko', 'zh-CN'],
    npmRebuild: false,
    nodeGypRebuild: false,
    publish: null,
    asar: true,
    asarUnpack: unpacked(lock, target),
    files: packedFiles(lock, target),
    extraResources: [
      { from: `node_modules/${node}/bin/${program}`, to: `node/${program}` },
      { from: `node_modules/${node}/LICENSE`, to: 'node/LICENSE' },
      { from: 'NOTICE', to: 'NOTICE.txt' },
      { from: 'LICENSE', to: 'LICENSE.txt' },
    ],
    electronFuses: {
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      grantFileProtocolExtraPrivileges: false,
    },
    protocols: [{ name: 'Switchback places', schemes: ['switchback'] }],
    fileAssociations: [
      { ext: 'switchback', name: 'Packed Switchback workspace', description: 'Packed Switchback workspace', mimeType: 'application/x-switchback', role: 'Viewer', rank: 'Owner' },
      { ext: 'onnx', name: 'ONNX model', description: 'ONNX model', mimeType: 'application/x-onnx', role: 'Viewer', rank: 'Alternate' },
      { ext: 'caffemodel', name: 'Caffe model', description: 'Caffe model', mimeType: 'application/x-caffemodel', role: 'Viewer', rank: 'Alternate' },
    ],
    afterPack: ({ appOutDir, packager }) => {
      const folder = target.platform === 'darwin' ? join(appOutDir, `${packager.appInfo.productFilename}.app/Contents/Resources`) : join(appOutDir, 'resources');
      const problems = verifyPackage(folder, target);
      if (problems.length > 0) throw new Error(`The package for ${keyOf(target)} is not whole:\n${problems.join('\n')}`);
    },
    win: { target: [{ target: 'nsis', arch: ['x64'] }], icon: 'resources/installer/icon.ico' },
    nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true, deleteAppDataOnUninstall: false, differentialPackage: false },
    mac: {
      target: [{ target: 'dmg', arch: ['arm64'] }],
      icon: 'resources/installer/icon.icns',
      category: 'public.app-category.graphics-design',
      hardenedRuntime: true,
      entitlements: 'resources/installer/entitlements.mac.plist',
      entitlementsInherit: 'resources/installer/entitlements.mac.plist',
      extendInfo: { NSCameraUsageDescription: 'The image lab shows what a network sees in a picture that you take.' },
    },
    dmg: { writeUpdateInfo: false },
    linux: {
      target: ['AppImage', 'deb'],
      icon: 'resources/icons/switchback.png',
      category: 'Science',
      executableName: 'switchback',
      maintainer: 'Switchback',
      synopsis: 'Shows what every channel of a convolutional network looks for',
    },
    deb: { recommends: ['libvulkan1'], packageCategory: 'science' },
  };
}

/** Of the repository: what runs and what is shown, without what only programmers read, and without other platforms' machine code. */
function packedFiles(lock, target) {
  const runtimes = ['linux/x64', 'linux/arm64', 'win32/x64', 'win32/arm64', 'darwin/arm64'].filter((folder) => folder !== `${target.platform}/${target.arch}`);
  return [
    'package.json',
    'out/main/**',
    'out/preload/**',
    'out/renderer/**',
    'out/licences.json',
    'resources/icons/**',
    'resources/sample/**',
    '!**/*.{map,d.ts,d.mts,d.cts,md,markdown,tsbuildinfo}',
    '!node_modules/**/{test,tests,__tests__,docs,example,examples,benchmarks}/**',
    ...leftOutPlaces(lock, target).map((place) => `!${place}{,/**}`),
    ...runtimes.map((folder) => `!node_modules/onnxruntime-node/bin/napi-v6/${folder}{,/**}`),
    '!node_modules/onnxruntime-node/{script,lib}/**',
    ...['darwin-universal', 'linux-arm64', 'linux-x64', 'win32-arm64', 'win32-x64'].filter((name) => name !== webgpuFolder(target)).map((name) => `!node_modules/webgpu/dist/${name}{,/**}`),
    '!node_modules/sqlite3/{deps,src}/**',
    '!node_modules/sqlite3/build/**',
    'node_modules/sqlite3/build/Release/node_sqlite3.node',
    // Of each TensorFlow package, the one file that Node loads, and the kernels.
    '!node_modules/@tensorflow/*/{dist,src,wasm-out}/**',
    'node_modules/@tensorflow/*/dist/*.node.js',
    'node_modules/@tensorflow/tfjs-backend-wasm/dist/*.wasm',
    'node_modules/@tensorflow/tfjs-backend-wasm/wasm-out/*.{js,wasm}',
  ];
}

/** All that plain Node reads: the core, its packages one by one, the page, the sample. Packed stays what Electron alone runs. */
function unpacked(lock, target) {
  const shellOnly = new Set(onlyOf(lock, target, 'electron-updater'));
  const packages = shippedPackages(lock, target).filter(({ use, place }) => use === 'core' && !shellOnly.has(place));
  return ['package.json', 'out/main/!(desktop)*.js', 'out/renderer/**', 'out/licences.json', 'resources/**', ...packages.map(({ place }) => `${place}/**`)];
}

/** Places of packages that are there for one dependency alone. */
function onlyOf(lock, target, name) {
  const own = lock.packages[''];
  const { [name]: _removed, ...others } = own?.dependencies ?? {};
  const without = new Set(shippedPackages({ packages: { ...lock.packages, '': { ...own, dependencies: others } } }, target).map(({ place }) => place));
  return shippedPackages(lock, target).filter(({ place, use }) => use === 'core' && !without.has(place)).map(({ place }) => place);
}
