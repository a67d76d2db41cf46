import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/shared-folder.ts'],
    exclude: ['test/systemd/**'], // npm run test:systemd
    // Real servers, workers and models run in these tests, on machines with as few as two cores.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    pool: 'forks',
    // Some tests load onnxruntime in their own thread: see src/inference/offline.ts.
    env: {
      ORT_DISABLE_TELEMETRY: '1',
      NODE_OPTIONS: `--import=${new URL('test/support/own-host-folder.js', import.meta.url).href}`,
    },
  },
});
