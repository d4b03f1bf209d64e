/**
 * Makes demo/head.nii.gz, the bundled head that is nobody: the mean brain of the training heads (their posed volumes
 * averaged, mirrored onto themselves, cut at the mean brain mask) and a complement drawn for it by CP-MAE itself.
 * No voxel of it is any person's. Needs `npm run build`, the models, and what `prosopon prepare` wrote.
 *
 * Usage: node scripts/make-demo-head.mjs PREPARED [SEED]
 */
import './lib/help.mjs';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeHead } from '../dist/brain/head.js';
import { modelGrid } from '../dist/brain/model-grid.js';
import { parseSeed } from '../dist/deidentify/seed.js';
import { createImage } from '../dist/formats/create-image.js';
import { encodeImage } from '../dist/formats/stored-image.js';
import { cpMae } from '../dist/methods/cp-mae/cp-mae.js';
import { nodeGzip } from '../dist/node/gzip.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { IDENTITY } from '../dist/volume/affine.js';
import { resampleLinear } from '../dist/volume/resample.js';

const [prepared, seedText = 'nobody'] = process.argv.slice(2);
const npy = (path) => {
  const bytes = readFileSync(path);
  return bytes.subarray(10 + bytes.readUInt16LE(8));
};
const { heads } = JSON.parse(readFileSync(join(prepared, 'index.json'), 'utf8'));
const train = heads.filter((head) => head.split === 'train');
const n = 128;
const [sum, count] = [new Float64Array(n ** 3), new Float64Array(n ** 3)];
for (const { id } of train) {
  const [image, flags] = [npy(join(prepared, `${id}_image.npy`)), npy(join(prepared, `${id}_flags.npy`))];
  for (let v = 0; v < sum.length; v++) {
    if ((flags[v] & 1) === 0) continue;
    const m = v - (v % n) + (n - 1 - (v % n));
    for (const to of [v, m]) {
      sum[to] += image[v];
      count[to]++;
    }
  }
}
const coarse = modelGrid(IDENTITY, 128);
const share = { grid: coarse, data: Float32Array.from(count, (c) => c / (2 * train.length)) };
const mean = { grid: coarse, data: Float32Array.from(sum, (s, v) => (count[v] > 0 ? s / count[v] : 0)) };
const grid = modelGrid(IDENTITY, 256);
const fineShare = resampleLinear(share, grid);
const brain = { grid, data: resampleLinear(mean, grid) };
const mask = { grid, data: Uint8Array.from(fineShare, (s) => (s > 0.5 ? 1 : 0)) };
for (let v = 0; v < mask.data.length; v++) if (mask.data[v] === 0) brain.data[v] = 0;

const networks = new NodeNetworkRunner();
const seed = parseSeed(seedText);
/** @type {import('../dist/methods/method.js').MethodContext} */
const context = { networks, resolution: 256 };
const head = makeHead(brain, mask);
const face = await cpMae.synthesize(await cpMae.condition(head, context), seed, context);
await networks.close();
const whole = resampleLinear(face, grid);
// Bytes without noise: 2 MB instead of 12.
const level = 90;
const stored = Uint8Array.from(whole, (value, v) =>
  Math.max(0, Math.min(255, Math.round(level * (mask.data[v] ? brain.data[v] / head.brainLevel : value)))),
);
// Trimmed to what a scanner would cover: 200 x 256 x 240 mm.
const [x0, z0, nx, nz] = [28, 16, 200, 240];
const cut = new Uint8Array(nx * 256 * nz);
for (let k = 0; k < nz; k++)
  for (let j = 0; j < 256; j++) {
    const from = x0 + 256 * (j + 256 * (k + z0));
    cut.set(stored.subarray(from, from + nx), nx * (j + 256 * k));
  }
const affine = [...grid.affine];
affine[3] += x0;
affine[11] += z0;
const image = createImage({ shape: [nx, 256, nz], affine }, cut);
mkdirSync(new URL('../demo/', import.meta.url), { recursive: true });
const [{ bytes }] = await encodeImage(image, cut, nodeGzip, { name: 'head.nii.gz' });
writeFileSync(new URL('../demo/head.nii.gz', import.meta.url), bytes);
console.log(`demo/head.nii.gz: ${(bytes.length / 1e6).toFixed(1)} MB`);
