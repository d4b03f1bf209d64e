/**
 * Brain extraction on real heads: Dice against the DLMUSE masks (closed and filled) of a split, and figures and
 * pictures for every other head. Needs `npm run build`. Pictures show real people: --out must lie outside the repository.
 *
 * Usage: node bench/brain-dice.mjs [test|val|heads] [--models DIR] [--out DIR]
 */
import '../scripts/lib/help.mjs';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { extractBrain } from '../dist/brain/extract.js';
import { centroid } from '../dist/brain/pose.js';
import { maskFromLabels } from '../dist/brain/reference-mask.js';
import { scaledData } from '../dist/formats/stored-image.js';
import { nodeDeflate } from '../dist/node/deflate.js';
import { loadImage } from '../dist/node/image-files.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { montage } from '../dist/render/image.js';
import { encodePng } from '../dist/render/png.js';
import { renderSlices } from '../dist/render/slices.js';
import { cohort, dataFolder } from './lib/cohort.mjs';
import { scoresOf } from './lib/mask-scores.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { models: { type: 'string' }, out: { type: 'string' } },
});
const split = positionals[0] ?? 'test';
const folder = dataFolder();
const networks = new NodeNetworkRunner(values.models ? { models: values.models } : {});
const heads =
  split === 'heads'
    ? readdirSync(join(folder, 'heads'))
        .filter((f) => /\.(nii\.gz|mgz)$/.test(f))
        .map((f) => ({ id: f, scan: join(folder, 'heads', f), labels: undefined }))
    : await cohort(folder, split);
const scores = [];
for (const head of heads) {
  try {
    const image = await loadImage(head.scan);
    const volume = { grid: image.grid, data: scaledData(image, 0) };
    const began = performance.now();
    const { mask, agreement, measures } = await extractBrain(volume, networks);
    const seconds = (performance.now() - began) / 1000;
    const row = {
      id: head.id,
      ml: Math.round(measures.millilitres),
      flip: agreement.toFixed(4),
      template: measures.fit.correlation.toFixed(4),
      border: measures.borderShare.toFixed(4),
      seconds: seconds.toFixed(1),
    };
    if (head.labels) {
      const labels = await loadImage(head.labels);
      const truth = maskFromLabels({ grid: labels.grid, data: scaledData(labels, 0) });
      Object.assign(row, scoresOf(truth, mask));
      scores.push(row);
    }
    console.log(JSON.stringify(row));
    if (values.out) {
      mkdirSync(values.out, { recursive: true });
      const pictures = renderSlices(volume, {
        at: centroid(mask),
        outlines: [{ mask, colour: [255, 60, 60] }],
      });
      writeFileSync(
        join(values.out, `${head.id}.png`),
        encodePng(montage(pictures, { columns: 3 }), nodeDeflate),
      );
    }
  } catch (error) {
    if (error.kind !== 'refusal') throw error;
    console.log(JSON.stringify({ id: head.id, refused: error.message }));
  }
}
await networks.close();
if (scores.length > 0) {
  const dice = scores.map((row) => row.dice).sort((a, b) => a - b);
  const mean = dice.reduce((a, b) => a + b, 0) / dice.length;
  const missed = scores.map((row) => row.missed);
  console.log(
    `N ${dice.length} of ${heads.length}; Dice mean ${mean.toFixed(4)}, worst ${dice[0].toFixed(4)}; brain missed mean ${((100 * missed.reduce((a, b) => a + b, 0)) / missed.length).toFixed(2)} %, worst ${(100 * Math.max(...missed)).toFixed(2)} %`,
  );
}
