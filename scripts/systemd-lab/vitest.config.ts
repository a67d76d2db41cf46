import { defineConfig } from 'vitest/config';

/** `npm run test:systemd`. */
export default defineConfig({
  test: {
    include: ['test/systemd/**/*.test.ts'],
    globalSetup: 'scripts/systemd-lab/global-setup.ts',
    // One machine is booted at a time: they would share the processors and blur the times.
    fileParallelism: false,
    pool: 'forks',
    reporters: ['verbose'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
