/**
 * A series to DICOM and the same head by the NIfTI route, in turns; medians and their ratio.
 * Usage: node bench/dicom-time.mjs SERIES HEAD.nii --work FOLDER [--rounds 3] [--resolution 128] (needs `npm run build`)
 */
import '../scripts/lib/help.mjs';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    work: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    resolution: { type: 'string', default: '128' },
  },
});
const [series, head] = positionals;
if (series === undefined || head === undefined || values.work === undefined)
  throw new Error('expected SERIES HEAD.nii --work FOLDER');
const ways = {
  dicom: ['dicom', series, join(values.work, 'time-dicom')],
  nifti: ['deid', head, join(values.work, 'time-nifti.nii')],
};
/** @type {Record<string, number[]>} */
const seconds = { dicom: [], nifti: [] };
for (let round = 0; round < Number(values.rounds); round++)
  for (const [name, args] of Object.entries(ways)) {
    rmSync(/** @type {string} */ (args[2]), { recursive: true, force: true });
    const began = performance.now();
    const more = ['--seed', '5', '--resolution', values.resolution, '--quiet'];
    execFileSync('node', ['bin/prosopon.mjs', ...args, ...more], { stdio: 'inherit' });
    seconds[name]?.push((performance.now() - began) / 1000);
  }
const median = (/** @type {string} */ name) =>
  [...(seconds[name] ?? [])].sort((a, b) => a - b)[Math.floor(Number(values.rounds) / 2)] ?? Number.NaN;
const said = (/** @type {string} */ name) => (seconds[name] ?? []).map((s) => s.toFixed(1)).join(' ');
console.log(
  `DICOM ${said('dicom')} s, NIfTI ${said('nifti')} s: ratio of medians ${(median('dicom') / median('nifti')).toFixed(2)}`,
);
