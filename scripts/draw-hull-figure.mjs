/**
 * Makes docs/images/hull.png, like figure 2 of C-DeID-GAN, of the bundled head that is nobody: the head; its surface
 * representation Z; the convex hull; the brain, which is all else that gamma holds. Rows: sagittal and axial slices, and a
 * view from the front. Green: eight draws of the hull over the head. Needs `npm run build`.
 *
 * Usage: node scripts/draw-hull-figure.mjs [OUT.png]
 */
import './lib/help.mjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modelGrid } from '../dist/brain/model-grid.js';
import { convexHull } from '../dist/methods/cp-gan/hull.js';
import { binaryHead, surfaceProbability } from '../dist/methods/cp-gan/surface.js';
import { nodeDeflate } from '../dist/node/deflate.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { montage } from '../dist/render/image.js';
import { encodePng } from '../dist/render/png.js';
import { portrait } from '../dist/render/portrait.js';
import { renderSlices } from '../dist/render/slices.js';
import { Random } from '../dist/volume/random.js';
import { resampleLinear } from '../dist/volume/resample.js';
import { sha256 } from '../dist/volume/sha256.js';
import { gaussianSmooth } from '../dist/volume/smooth.js';
import { demoGamma } from './lib/demo-gamma.mjs';

const out = process.argv[2] ?? fileURLToPath(new URL('../docs/images/hull.png', import.meta.url));
const networks = new NodeNetworkRunner();
const { head, gamma } = await demoGamma(networks);
await networks.close();
const grid = modelGrid(head.pose, 128);
const scan = { grid, data: resampleLinear(head.volume, grid) };
const outline = binaryHead(head);
const surface = surfaceProbability(outline, new Random(sha256(Uint8Array.of(1))));
const draws = Array.from({ length: 8 }, (_, k) =>
  convexHull(outline, new Random(sha256(Uint8Array.of(k))), grid),
);

/** @type {import('../dist/volume/affine.js').Vec3} */
const at = [0, 10, -15];
const slices = (volume, options = {}) =>
  renderSlices(volume, { planes: ['sagittal', 'axial'], at, frame: head.pose, pixelMm: 1.25, ...options });
const front = (volume) =>
  portrait(volume, { frame: head.pose, centre: [0, 22, -30], size: 205, fovMm: 256 }).image;
/** Zeros and ones with a soft edge, as a surface wants them. */
const soft = (mask) => gaussianSmooth(mask, 2);

/** The greatest Z along y, as a picture from the front: x to the right of the subject is on the left. */
const deepest = { grid: surface.grid, data: new Float32Array(surface.data.length) };
const n = surface.grid.shape[0];
for (let k = 0; k < n; k++)
  for (let i = 0; i < n; i++) {
    let most = 0;
    for (let j = 0; j < n; j++) most = Math.max(most, surface.data[i + n * (j + n * k)]);
    for (let j = 0; j < n; j++) deepest.data[i + n * (j + n * k)] = most;
  }
const [zFront] = renderSlices(deepest, {
  planes: ['coronal'],
  frame: head.pose,
  pixelMm: 1.25,
  window: [0, 0.4],
});

const columns = [
  [...slices(scan, { outlines: draws.map((mask) => ({ mask, colour: [60, 200, 90] })) }), front(scan)],
  [...slices(surface, { window: [0, 0.3] }), zFront],
  [...slices(gamma.hull, { window: [0, 1.4] }), front(soft(gamma.hull))],
  [...slices(gamma.brain, { window: [0, 1.6] }), front(soft(gamma.brain))],
];
const cells = [0, 1, 2].flatMap((row) => columns.map((column) => column[row]));
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, encodePng(montage(cells, { columns: columns.length }), nodeDeflate));
