import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The doors as sources, for the ruler: a second copy of the product from dist/ would have errors and registries of its own. */
const door = (name: string): string => fileURLToPath(new URL(`src/${name}.ts`, import.meta.url));

const ALL = ['src/**/*.test.ts', 'packages/*/src/**/*.test.ts', 'test/**/*.test.ts'];
/** Tests that change what belongs to their process (signals, streams, exit codes, the environment), or that need one's memory. */
const OF_THEIR_OWN = [
  'src/cli/**/*.test.ts',
  'src/node/**/*.test.ts',
  'src/**/*.browser.test.ts',
  'packages/*/src/commands/**/*.test.ts',
  'packages/*/src/run/**/*.test.ts',
  'packages/*/src/**/*.browser.test.ts',
  'test/**/*.test.ts',
];

const USUAL = {
  setupFiles: ['test/equal-arrays.ts', 'test/properties.ts'],
  pool: 'forks' as const,
  // A guard against hanging, not a measure of speed: beside a training, cases of 10 s took more than 60.
  testTimeout: 240_000,
  hookTimeout: 240_000,
};

// biome-ignore lint/style/noDefaultExport: Vitest reads its configuration from the default export
export default defineConfig({
  resolve: {
    alias: [
      { find: /^prosopon$/, replacement: door('index') },
      { find: /^prosopon\/(node|imaging)$/, replacement: door('$1') },
    ],
  },
  test: {
    globalSetup: ['test/build-first.ts'],
    // Two workers: the inference processes that tests start want cores too.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        // What changes nothing of its process shares one: 39 files took 17 s so and 30 s in a process each.
        test: { ...USUAL, name: 'shared', isolate: false, include: ALL, exclude: OF_THEIR_OWN },
      },
      { extends: true, test: { ...USUAL, name: 'own', include: OF_THEIR_OWN } },
    ],
  },
});
