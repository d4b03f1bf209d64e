/**
 * Makes docs/images/scale.png, figure 5 of C-DeID-GAN with the bundled head that is nobody: gamma resized by 0.85 to 1.15
 * (rows: hull, brain mask, brain) and what the generator draws around it (last two rows: sagittal slice, view from the
 * front). This is the paper's resizing, of the brain too; `deid --scale` resizes the hull alone (docs/decisions/0010).
 * Needs `npm run build` and the network cp-gan-generator.
 *
 * Usage: node scripts/draw-scale-figure.mjs [--models DIR] [--seed WORDS] [--out FILE.png]
 */
import './lib/help.mjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parseSeed } from '../dist/deidentify/seed.js';
import { drawHead } from '../dist/methods/cp-gan/cp-gan.js';
import { scaleGamma } from '../dist/methods/cp-gan/scale.js';
import { nodeDeflate } from '../dist/node/deflate.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { montage } from '../dist/render/image.js';
import { encodePng } from '../dist/render/png.js';
import { portrait } from '../dist/render/portrait.js';
import { renderSlices } from '../dist/render/slices.js';
import { Random } from '../dist/volume/random.js';
import { resampleLinear } from '../dist/volume/resample.js';
import { demoGamma } from './lib/demo-gamma.mjs';

const ALPHAS = [0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15];
const { values } = parseArgs({
  options: { models: { type: 'string' }, seed: { type: 'string', default: '1' }, out: { type: 'string' } },
});
const out = values.out ?? fileURLToPath(new URL('../docs/images/scale.png', import.meta.url));
const own = new NodeNetworkRunner();
const { gamma } = await demoGamma(own);
await own.close();
const networks = new NodeNetworkRunner(values.models === undefined ? {} : { models: values.models });

const slice = (volume, high) =>
  renderSlices(volume, { planes: ['sagittal'], frame: gamma.pose, pixelMm: 2, window: [0, high] })[0];
const columns = [];
for (const alpha of ALPHAS) {
  const scaled = scaleGamma(gamma, alpha);
  const random = new Random(parseSeed(values.seed)).fork('scale figure');
  const drawn = await drawHead(scaled, random, { networks, resolution: 128 });
  const data = resampleLinear(drawn, gamma.brain.grid);
  for (let v = 0; v < data.length; v++) if (scaled.mask.data[v] > 0.5) data[v] = scaled.brain.data[v];
  const head = { grid: gamma.brain.grid, data };
  columns.push([
    slice(scaled.hull, 1.4),
    slice(scaled.mask, 1.4),
    slice(scaled.brain, 1.6),
    slice(head, 1.6),
    portrait(head, { frame: gamma.pose, centre: [0, 22, -30], size: 128, fovMm: 256 }).image,
  ]);
}
await networks.close();
const cells = columns[0].flatMap((_, row) => columns.map((column) => column[row]));
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, encodePng(montage(cells, { columns: ALPHAS.length }), nodeDeflate));
