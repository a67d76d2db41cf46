import { defineConfig } from 'vitest/config';

/** Takes longer than all others together; `EDGE_INFER_LAB_LONG=1` runs it, too. */
const longTests = ['test/systemd/install-cuts.test.ts'];

/** `npm run test:systemd`. */
export default defineConfig({
  test: {
    include: ['test/systemd/**/*.test.ts'],
    exclude: process.env.EDGE_INFER_LAB_LONG === undefined ? longTests : [],
    globalSetup: 'scripts/systemd-lab/global-setup.ts',
    // One machine is booted at a time: they would share the processors and blur the times.
    fileParallelism: false,
    pool: 'forks',
    reporters: ['verbose'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
