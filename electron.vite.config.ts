/**
 * Builds the four processes. Everything of src-main becomes ES modules in out/main that run on the pinned plain Node (the desktop entry on Electron),
 * with npm packages left outside; the sandboxed preload must be one CommonJS file with nothing left outside; the renderer is a Vue page.
 */
import { resolve } from 'node:path';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'electron-vite';
import icons from 'unplugin-icons/vite';
import type { Plugin } from 'vite';

const root = import.meta.dirname;

/** Every place in the workbench has an address of several segments, so assets must be addressed from the root; electron-vite insists on `./`. */
const assetsFromRoot: Plugin = {
  name: 'switchback:assets-from-root',
  enforce: 'post',
  config: () => ({ base: '/' }),
};

/**
 * Our sources are ES modules that make their own `require` where they need one; electron-vite, seeing that word in a chunk, would declare it a second
 * time in front of it. Its hook is taken out.
 */
const noCommonJsShims: Plugin = {
  name: 'switchback:no-commonjs-shims',
  configResolved(config) {
    const shims = config.plugins.find((plugin) => plugin.name === 'vite:esm-shim');
    if (shims !== undefined) delete shims.renderChunk;
  },
};

export default defineConfig({
  main: {
    plugins: [noCommonJsShims],
    build: {
      target: 'node24',
      outDir: 'out/main',
      externalizeDeps: true,
      rolldownOptions: {
        input: {
          desktop: resolve(root, 'src-main/desktop/main.ts'),
          core: resolve(root, 'src-main/core/main.ts'),
          worker: resolve(root, 'src-main/inference/worker/main.ts'),
          cli: resolve(root, 'src-main/cli/main.ts'),
          drawThread: resolve(root, 'src-main/training/sample/drawThread.ts'),
          layoutThread: resolve(root, 'src-main/features/layout/layoutThread.ts'),
          neighbourThread: resolve(root, 'src-main/features/neighbours/neighbourThread.ts'),
          trialThread: resolve(root, 'src-main/classifiers/trialThread.ts'),
        },
        // Chunks lie beside the entries, so that `new URL('./worker.js', import.meta.url)` means the same in every chunk.
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      target: 'node24',
      outDir: 'out/preload',
      externalizeDeps: false,
      rolldownOptions: {
        input: { preload: resolve(root, 'src-main/desktop/preload.ts') },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: resolve(root, 'src-renderer'),
    plugins: [vue(), icons({ compiler: 'vue3' }), assetsFromRoot],
    build: {
      target: 'chrome140',
      minify: true,
      outDir: resolve(root, 'out/renderer'),
      rolldownOptions: { input: resolve(root, 'src-renderer/index.html') },
    },
  },
});
