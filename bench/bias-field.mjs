/**
 * How much of a coil's brightness is carried on beyond the brain: heads as `prosopon prepare` writes them (T1-weighted, real),
 * each multiplied by a smooth field that is known (three waves of 250 to 500 mm, by a seed), the field told from the brain
 * alone, and its error over the complement above the chin. Amplitude 0 is what a clean head suffers. Needs `npm run build`.
 *
 * Usage: node bench/bias-field.mjs PREPARED [--split val] [--count 8]
 */
import '../scripts/lib/help.mjs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { biasAt, fitBias, unusualBias } from '../dist/brain/bias-field.js';
import { makeHead } from '../dist/brain/head.js';
import { modelGrid } from '../dist/brain/model-grid.js';
import { applyAffine, IDENTITY, invert } from '../dist/volume/affine.js';
import { Random } from '../dist/volume/random.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { split: { type: 'string', default: 'val' }, count: { type: 'string', default: '8' } },
});
const [folder] = positionals;
if (folder === undefined) {
  console.error('usage: node bench/bias-field.mjs PREPARED');
  process.exit(2);
}
const AMPLITUDES = [0, 0.15, 0.3, 0.5];
const BRAIN_FLAG = 1;
/** In the bytes of a prepared image: darker is air. */
const TISSUE = 30;
const CHIN_Z = -90;
const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
const bytes = (name) => {
  const file = readFileSync(join(folder, name));
  return file.subarray(10 + file.readUInt16LE(8));
};
const grid = modelGrid(IDENTITY, 128);
const random = new Random(new Uint32Array(8).fill(22));

function knownField(mask) {
  const waves = [0, 1, 2].map(() => {
    const way = [random.normal(), random.normal(), random.normal()];
    const length = (2 * Math.PI) / (250 + 250 * random.uniform()) / Math.hypot(...way);
    return { way: way.map((v) => v * length), phase: 2 * Math.PI * random.uniform() };
  });
  const field = new Float32Array(mask.length);
  let [sum, count] = [0, 0];
  for (let o = 0; o < field.length; o++) {
    const p = applyAffine(grid.affine, [o % 128, (o >> 7) % 128, o >> 14]);
    let log = 0;
    for (const { way, phase } of waves)
      log += Math.sin(way[0] * p[0] + way[1] * p[1] + way[2] * p[2] + phase) / 1.7;
    field[o] = log;
    if (mask[o] === 1) {
      sum += log;
      count++;
    }
  }
  return field.map((log) => log - sum / count);
}

const rows = AMPLITUDES.map(() => []);
for (const { id } of index.heads
  .filter(({ split }) => split === options.split)
  .slice(0, Number(options.count))) {
  const values = Float32Array.from(bytes(`${id}_image.npy`));
  const mask = Uint8Array.from(bytes(`${id}_flags.npy`), (flags) => flags & BRAIN_FLAG);
  const field = knownField(mask);
  for (const [a, amplitude] of AMPLITUDES.entries()) {
    const data = values.map((v, o) => v * Math.exp(amplitude * field[o]));
    const head = makeHead({ grid, data }, { grid, data: mask });
    const found = fitBias(head.volume, head.brainMask, head.pose, head.scale);
    const carried = found && unusualBias(found.field, found.t1w);
    const inFrame = invert(head.pose);
    let [before, after, n] = [0, 0, 0];
    for (let o = 0; o < field.length; o += 37) {
      if (mask[o] === 1 || values[o] < TISSUE) continue;
      const p = applyAffine(inFrame, applyAffine(grid.affine, [o % 128, (o >> 7) % 128, o >> 14]));
      if (p[2] < CHIN_Z) continue;
      const [x, y, z] = p.map((mm) => mm / head.scale);
      const truth = amplitude * field[o];
      before += truth ** 2;
      after += (truth - (carried ? biasAt(carried, x, y, z) : 0)) ** 2;
      n++;
    }
    rows[a].push([Math.sqrt(before / n), Math.sqrt(after / n)]);
  }
}
console.log(
  '| amplitude | heads | off by, before | after | heads that are no worse |\n| --- | --- | --- | --- | --- |',
);
for (const [a, amplitude] of AMPLITUDES.entries()) {
  const of = rows[a];
  const mean = (i) => (of.reduce((sum, row) => sum + row[i], 0) / of.length).toFixed(3);
  const good = of.filter(([before, after]) => after <= before).length;
  console.log(`| ${amplitude} | ${of.length} | ${mean(0)} | ${mean(1)} | ${good} |`);
}
