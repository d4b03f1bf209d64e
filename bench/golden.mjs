/**
 * Same bytes out for the same input, seed and options: hashes of results of the command, to be taken before a move of the
 * house and compared after it. Brain masks are given and trusted, so that retraining the brain's networks changes nothing.
 * Hashes hold on one machine (networks differ in the last bits between processors), so they are compared, never committed.
 *
 * Usage: node bench/golden.mjs take FILE --inputs DIR [--root CHECKOUT] [--all]
 *        node bench/golden.mjs compare FILE --inputs DIR [--root CHECKOUT] [--all]
 * --all adds cp-mae and cp-gan to the removal methods (two minutes). Needs nibabel the first time, and `npm run build` in the checkout.
 */
import '../scripts/lib/help.mjs';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    inputs: { type: 'string' },
    root: { type: 'string', default: '.' },
    all: { type: 'boolean', default: false },
  },
});
const [mode, file] = positionals;
if (!['take', 'compare'].includes(mode) || file === undefined || values.inputs === undefined)
  throw new Error('expected: take|compare FILE --inputs DIR');
const { inputs, root } = values;
const run = (...args) =>
  execFileSync('node', [join(root, 'bin/prosopon.mjs'), ...args], { stdio: ['ignore', 'ignore', 'inherit'] });

mkdirSync(inputs, { recursive: true });
if (!existsSync(join(inputs, 'pair.img'))) {
  run('brain', 'demo/head.nii.gz', join(inputs, 'mask.nii.gz'), '--force');
  execFileSync('python3', ['bench/golden_inputs.py', inputs], { stdio: 'inherit' });
}

const METHODS = values.all
  ? ['cp-mae', 'cp-gan', 'quickshear', 'deface', 'average-face']
  : ['quickshear', 'deface', 'average-face'];
/** @type {[string, string, string, string[]][]} */
const FILES = [
  ['demo/head.nii.gz', 'mask.nii.gz', 'out.nii.gz', ['out.nii.gz']],
  [join(inputs, 'head.mgz'), 'mask.mgz', 'out.mgz', ['out.mgz']],
  [join(inputs, 'scaled.nii'), 'mask.nii.gz', 'out.nii', ['out.nii']],
  [join(inputs, 'four.nii.gz'), 'mask.nii.gz', 'out.nii.gz', ['out.nii.gz']],
  [join(inputs, 'pair.hdr'), 'mask.nii.gz', 'out.hdr', ['out.hdr', 'out.img']],
];
const found = {};
for (const method of METHODS)
  for (const [input, mask, output, written] of FILES) {
    const folder = mkdtempSync(join(tmpdir(), 'golden-'));
    const drawn = method.startsWith('cp-') ? ['--seed', '7', '--resolution', '128'] : [];
    const given = ['--brain-mask', join(inputs, mask), '--trust-mask'];
    run('deid', input, join(folder, output), '--method', method, ...drawn, ...given);
    for (const name of written)
      found[`${method} ${input.split('/').at(-1)} ${name}`] = createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex');
    rmSync(folder, { recursive: true });
  }

if (mode === 'take') writeFileSync(file, `${JSON.stringify(found, null, 1)}\n`);
else {
  const before = JSON.parse(readFileSync(file, 'utf8'));
  const wrong = Object.keys(found).filter((name) => before[name] !== found[name]);
  console.log(`${Object.keys(found).length - wrong.length} of ${Object.keys(found).length} the same`);
  for (const name of wrong) console.log(`differs: ${name}`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}
