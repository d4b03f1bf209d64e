/**
 * Every file of tests that draws its cases (fast-check), once for each of N new seeds. Ends with 1 where one fails, and says by
 * which seed; `PROPERTIES_SEED=SEED npx vitest run FILE` shows it again.
 *
 * Usage: node scripts/test-properties.mjs [--seeds N] [FILE...]
 */
import './lib/help.mjs';
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string', default: '5' } },
});
const all = ['src', 'packages/ruler/src', 'test'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(folder, file)),
);
const files =
  positionals.length > 0
    ? positionals
    : all.filter((file) => readFileSync(file, 'utf8').includes("from 'fast-check'"));
const failed = [];
for (let i = 0; i < Number(values.seeds); i++) {
  const seed = String(randomInt(2 ** 31));
  console.error(`seed ${seed}: ${files.length} files`);
  const { status } = spawnSync('npx', ['vitest', 'run', '--reporter=dot', ...files], {
    stdio: 'inherit',
    env: { ...process.env, PROPERTIES_SEED: seed },
  });
  if (status !== 0) failed.push(seed);
}
if (failed.length > 0) {
  console.error(`failed with ${failed.join(', ')}`);
  process.exit(1);
}
