/**
 * Tests run in child processes, not worker threads: onnxruntime-node may be loaded in one thread of one process only, and sharp stays out of worker threads.
 * Two projects, because the renderer's tests need a document and Vue's compiler.
 */
import vue from '@vitejs/plugin-vue';
import icons from 'unplugin-icons/vite';
import { defineConfig } from 'vitest/config';

const limits = { testTimeout: 120_000, hookTimeout: 120_000, retry: 0 };

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    coverage: { provider: 'v8', include: ['src-shared/**', 'src-main/**', 'src-renderer/**'] },
    projects: [
      {
        test: {
          ...limits,
          name: 'node',
          environment: 'node',
          include: ['tests/{unit,oracle,parity,corpus,store,e2e}/**/*.test.{ts,mjs}'],
          exclude: ['tests/unit/renderer/**'],
        },
      },
      {
        plugins: [vue(), icons({ compiler: 'vue3' })],
        test: { ...limits, name: 'renderer', environment: 'happy-dom', include: ['tests/unit/renderer/**/*.test.ts'] },
      },
    ],
  },
});
