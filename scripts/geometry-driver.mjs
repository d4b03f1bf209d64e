/**
 * The product's side of scripts/check-geometry-scipy.py: runs each job of a list with the compiled package and
 * writes the numbers down, little-endian.
 *
 * @example
 * node scripts/geometry-driver.mjs JOBS.json   # [{ "op": NAME, "input": PATH, "output": PATH, ... }, ...]
 */
import './lib/help.mjs';
import { readFileSync, writeFileSync } from 'node:fs';
import { FsqCodebook } from '../dist/methods/cp-mae/fsq.js';
import { siteMeans } from '../dist/methods/cp-mae/sites.js';
import { brainBlocks } from '../dist/methods/learned-head/grid.js';
import { IDENTITY } from '../dist/volume/affine.js';
import { labelComponents } from '../dist/volume/components.js';
import { closeMm, dilateMm, fillHoles, squaredDistance } from '../dist/volume/morphology.js';
import { resampleLinear } from '../dist/volume/resample.js';
import { gaussianSmooth } from '../dist/volume/smooth.js';
import { quantile } from '../dist/volume/statistics.js';

function bytes(path) {
  return new Uint8Array(readFileSync(path));
}
const floats = (path) => new Float32Array(bytes(path).buffer);
const mask = (job) => ({ grid: job.grid, data: bytes(job.input) });
const volume = (job) => ({ grid: job.grid, data: floats(job.input) });

const OPERATIONS = {
  resample: (job) => resampleLinear(volume(job), job.target, { outside: job.outside }),
  smooth: (job) => gaussianSmooth(volume(job), job.mm).data,
  distance: (job) => squaredDistance(mask(job)),
  dilate: (job) => dilateMm(mask(job), job.mm).data,
  close: (job) => closeMm(mask(job), job.mm).data,
  fill: (job) => fillHoles(mask(job)).data,
  label: (job) => labelComponents(mask(job)).labels,
  quantile: (job) => Float64Array.from(job.q, (q) => quantile(floats(job.input), q)),
  fsq: (job) => {
    const book = new FsqCodebook(job.levels);
    return Float64Array.from(Array.from({ length: book.size }, (_, i) => book.values(i)).flat());
  },
  blocks: (job) => {
    const [brain, fraction] = [floats(job.input), floats(job.mask)];
    const blocks = brainBlocks({
      pose: IDENTITY,
      brain: { grid: job.grid, data: brain },
      mask: { grid: job.grid, data: fraction },
    });
    return Float32Array.of(
      ...siteMeans(blocks, { x: 6, y: 8, z: 8, count: 384 }),
      ...blocks.subarray(0, 1000),
      ...blocks.slice(-1000),
    );
  },
};

for (const job of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  const out = OPERATIONS[job.op](job);
  writeFileSync(job.output, new Uint8Array(out.buffer, out.byteOffset, out.byteLength));
}
