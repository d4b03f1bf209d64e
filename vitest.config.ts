import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The doors as sources, for the ruler: a second copy of the product from dist/ would have errors and registries of its own. */
const door = (name: string): string => fileURLToPath(new URL(`src/${name}.ts`, import.meta.url));

// biome-ignore lint/style/noDefaultExport: Vitest reads its configuration from the default export
export default defineConfig({
  resolve: {
    alias: [
      { find: /^prosopon$/, replacement: door('index') },
      { find: /^prosopon\/(node|imaging)$/, replacement: door('$1') },
    ],
  },
  test: {
    include: ['src/**/*.test.ts', 'packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/build-first.ts'],
    setupFiles: ['test/equal-arrays.ts', 'test/properties.ts'],
    // Two workers: the inference processes that tests start want cores too.
    pool: 'forks',
    maxWorkers: 2,
    // A guard against hanging, not a measure of speed: beside a training, cases of 10 s took more than 60.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
