/**
 * Who may import whom (design.md section 2). What a folder may not import it is handed as an argument. Each rule says why it is there.
 */
const engines = '^src-main/inference/(onnxruntime|tensorflow|reference)/';

/** A folder of src-main that may import only these other folders of src-main. */
function only(name, comment, from, allowed) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: from },
    to: { path: '^src-(main|renderer)/', pathNot: [from, ...allowed.map((folder) => `^src-main/${folder}`)] },
  };
}

/** A package that only one place may import. */
function ownPlace(name, comment, packages, place) {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: '^src-', pathNot: place },
    to: { path: `(^|node_modules/)(${packages})(/|$)` },
  };
}

const graphLevel = ['graph/', 'geometry/', 'rewrite/', 'importers/'];

module.exports = {
  forbidden: [
    {
      name: 'no-circles',
      comment: 'Two files that run each other cannot be understood, tested or moved alone. Circles of types alone are words of one sentence and stay.',
      severity: 'error',
      from: { path: '^src-' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'everything-resolves',
      comment: 'An import that leads nowhere works only until somebody runs it. Icons are made by the build.',
      severity: 'error',
      from: { path: '^src-' },
      to: { couldNotResolve: true, pathNot: '^~icons/' },
    },
    {
      name: 'shared-is-pure',
      comment: 'src-shared runs in Node, in Electron and in a browser: it may know only itself, zod and the contract builder.',
      severity: 'error',
      from: { path: '^src-shared/' },
      to: { pathNot: ['^src-shared/', '(^|node_modules/)(zod|@orpc/contract)(/|$)'] },
    },
    {
      name: 'renderer-apart-from-main',
      comment: 'The renderer is one client for window and browser: it reaches the core only through the contract in src-shared.',
      severity: 'error',
      from: { path: '^src-renderer/' },
      to: { path: '^src-main/' },
    },
    {
      name: 'main-apart-from-renderer',
      comment: 'No process of src-main has a document.',
      severity: 'error',
      from: { path: '^src-main/' },
      to: { path: '^src-renderer/' },
    },
    {
      name: 'features-apart',
      comment: 'A screen can be rewritten or removed without reading another; what two screens share lies in components, composables, stores or api.',
      severity: 'error',
      from: { path: '^src-renderer/features/([^/]+)/' },
      to: { path: '^src-renderer/features/', pathNot: '^src-renderer/features/$1/' },
    },

    only('graph-is-the-ground', 'The graph is the product: everything is built on it, so it is built on nothing.', '^src-main/graph/', []),
    only('graph-work-knows-only-graphs', 'Geometry, rewriting and importing are pure functions of graphs and run without an engine.', '^src-main/(geometry|rewrite|importers)/', graphLevel),
    only('engine-interface-knows-only-graphs', 'What an engine promises must not depend on any engine.', '^src-main/inference/engine\\.ts$', ['graph/']),
    only('engines-stand-alone', 'Engines are exchangeable and run in a worker: they know graphs, their interface and what lies beside it for all engines.', engines, [...graphLevel, 'inference/[^/]+\\.ts$']),
    {
      name: 'engines-apart',
      comment: 'An engine that leans on another cannot be compared with it.',
      severity: 'error',
      from: { path: '^src-main/inference/(onnxruntime|tensorflow|reference)/' },
      to: { path: engines, pathNot: '^src-main/inference/$1/' },
    },
    only('indexing-knows-no-engine', 'Ranking is the same whatever computed the scores: a concrete engine, pictures and the store are handed in.', '^src-main/indexing/', [...graphLevel, 'inference/engine\\.ts']),
    only('projection-knows-no-engine', 'A projection is a graph that any engine runs: a concrete engine, picture encoding and the store are handed in.', '^src-main/projection/', [...graphLevel, 'inference/engine\\.ts']),
    only('dataset-knows-no-graphs', 'Images are images, whatever network looks at them.', '^src-main/dataset/', []),
    only('store-knows-no-graphs', 'What is on disk outlives the code that computed it.', '^src-main/store/', []),
    only('jobs-know-no-graphs', 'A queue that knows what it queues cannot queue anything else.', '^src-main/jobs/', ['store/']),
    only('worker-has-no-disk', 'The worker computes: it has no store, no jobs and no picture decoding, so that it can be killed at any instant.', '^src-main/inference/worker/', [
      ...graphLevel,
      'inference/',
      'indexing/',
      'projection/',
      'dataset/normalize\\.ts',
    ]),
    only('classifiers-know-numbers', 'A classifier is the same whatever its features are of: it is handed rows of numbers.', '^src-main/classifiers/', ['rewrite/training/seededNumbers\\.ts']),
    {
      name: 'studies-apart',
      comment: 'Each study stands on graph, inference and store alone, so that one can be dropped or trusted without the others.',
      severity: 'error',
      from: { path: '^src-main/(training|lab|experiments|features)/' },
      to: { path: '^src-main/(training|lab|experiments|features)/', pathNot: '^src-main/$1/' },
    },
    {
      name: 'engines-only-in-the-worker',
      comment: 'An engine blocks its event loop and onnxruntime may be loaded in one thread of one process: only the worker loads engines.',
      severity: 'error',
      from: { path: '^src-main/', pathNot: ['^src-main/inference/worker/', engines] },
      to: { path: engines },
    },
    {
      name: 'services-below-the-doors',
      comment: 'The command line and the window call the same services; a service knows neither.',
      severity: 'error',
      from: { path: '^src-main/services/' },
      to: { path: '^src-main/(core|cli|desktop)/' },
    },
    {
      name: 'core-below-the-command-line',
      comment: '`serve` starts the core; the core is also started by the desktop, which has no command line.',
      severity: 'error',
      from: { path: '^src-main/core/' },
      to: { path: '^src-main/cli/' },
    },
    {
      name: 'desktop-is-a-shell',
      comment: 'Little can be tested where no Electron runtime can be had, so the desktop holds nothing but its shell, and nothing leans on it.',
      severity: 'error',
      from: { path: '^src-main/desktop/' },
      to: { path: '^src-main/', pathNot: '^src-main/desktop/' },
    },
    {
      name: 'nothing-imports-desktop',
      comment: 'The core runs on plain Node without Electron.',
      severity: 'error',
      from: { path: '^src-', pathNot: '^src-main/desktop/' },
      to: { path: '^src-main/desktop/' },
    },
    {
      name: 'setup-needs-nothing',
      comment: 'The set-up runs before anything is installed and on an older Node: only what Node itself has, and its own files.',
      severity: 'error',
      from: { path: '^src-main/setup/' },
      to: { pathNot: '^src-main/setup/', dependencyTypesNot: ['core'] },
    },
    {
      name: 'nothing-imports-setup',
      comment: 'The set-up is not part of the built program.',
      severity: 'error',
      from: { path: '^src-', pathNot: '^src-main/setup/' },
      to: { path: '^src-main/setup/' },
    },

    ownPlace('sharp-only-in-dataset', 'One place decodes and encodes pictures; sharp clashes with Electron on Linux and must stay in the core.', 'sharp', '^src-main/dataset/'),
    ownPlace('sqlite-only-in-its-driver', 'sqlite3 is no longer maintained: behind one file it can be replaced.', 'sqlite3', '^src-main/store/driver\\.ts$'),
    ownPlace('onnxruntime-only-in-its-engine', 'It may be loaded once per process: one folder decides when.', 'onnxruntime-node|onnxruntime-common', '^src-main/inference/onnxruntime/'),
    ownPlace('tensorflow-only-in-its-engine', 'tfjs has global state (backend, flags): one folder owns it.', '@tensorflow/[^/]+', '^src-main/inference/tensorflow/'),
    ownPlace('webgpu-only-in-one-file', 'A process has one navigator.gpu: one file makes it.', 'webgpu', '^src-main/inference/webgpu\\.ts$'),
    ownPlace('hdf5-only-in-its-reader', 'The HDF5 library is four megabytes of WebAssembly with a file system of its own: one file loads it, when a network needs it.', 'h5wasm', '^src-main/importers/keras/hdf5\\.ts$'),
    ownPlace('opencv-only-in-one-file', 'OpenCV is ten megabytes of WebAssembly for one algorithm: one file loads it, in a process that can be ended.', '@techstark/opencv-js', '^src-main/inference/worker/cutOut\\.ts$'),
    ownPlace('electron-only-in-desktop', 'Everything else runs without Electron.', 'electron', '^src-main/desktop/'),
    {
      name: 'shipped-code-needs-shipped-packages',
      comment: 'The installer carries dependencies, not devDependencies; Electron itself is the runtime. The renderer is bundled.',
      severity: 'error',
      from: { path: '^src-(main|shared)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: ['(^|node_modules/)electron(/|$)', '^(\\.\\./)*node_modules/@types/'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^out/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js', '.vue', '.json'], conditionNames: ['import', 'node', 'default', 'types'], exportsFields: ['exports'] },
  },
};
