import { defineConfig } from 'vitest/config';

// biome-ignore lint/style/noDefaultExport: Vitest reads its configuration from the default export
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/build-first.ts'],
    // Two workers: the inference processes that tests start want cores too.
    pool: 'forks',
    maxWorkers: 2,
    // A guard against hanging, not a measure of speed: beside a training, cases of 10 s took more than 60.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
