/**
 * Compiles src/ before the tests when a source has changed: the inference process and the command line are
 * tested as compiled programs, which is how users run them.
 *
 * @example
 * // vitest.config.ts
 * globalSetup: ['test/build-first.ts']
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export function setup(): void {
  const script = fileURLToPath(new URL('../scripts/build.mjs', import.meta.url));
  const { status } = spawnSync(process.execPath, [script, '--if-stale'], { stdio: 'inherit' });
  // Tests of what does compile may still run; `npm run check` is what refuses type errors.
  if (status !== 0) console.warn('the build has errors: tests of the compiled programs may use older code');
}
