/**
 * How much of a face results keep, by the measure that the pipeline applies (`src/deidentify/face-gone.ts`): every method,
 * strangers laid on by their brains, and results that keep a face on purpose. Brains are the DLMUSE masks, faces are drawn
 * at 2 mm. Prints a JSON line for each, and with --each one for every head. Needs `npm run build`.
 *
 * Results are of real heads and are kept in --work for the next run: it must lie outside the repository.
 *
 * Usage: node bench/face-gone.mjs [val|test] --work DIR [--heads N] [--each]
 */
import '../scripts/lib/help.mjs';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { extractBrain } from '../dist/brain/extract.js';
import { makeHead } from '../dist/brain/head.js';
import { measureMask } from '../dist/brain/plausibility.js';
import { maskFromLabels } from '../dist/brain/reference-mask.js';
import { FACE_KEPT_LIMIT, faceKept, faceSurface, isFaceGone } from '../dist/deidentify/face-gone.js';
import { deidentify, FOUND_MARGIN_MM } from '../dist/deidentify/pipeline.js';
import { parseSeed } from '../dist/deidentify/seed.js';
import { createImage } from '../dist/formats/create-image.js';
import { decodeImage, scaledData } from '../dist/formats/stored-image.js';
import { createMethods } from '../dist/methods/registry.js';
import { nodeGzip } from '../dist/node/gzip.js';
import { loadImage } from '../dist/node/image-files.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { invert, multiply } from '../dist/volume/affine.js';
import { cohort, dataFolder } from './lib/cohort.mjs';
import { spoiled } from './lib/face-spoils.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { work: { type: 'string' }, heads: { type: 'string' }, each: { type: 'boolean', default: false } },
});
const split = positionals[0] ?? 'val';
const work = join(values.work, split);
mkdirSync(work, { recursive: true });
const networks = new NodeNetworkRunner();
const methods = createMethods().all;

const volumeOf = (image) => ({ grid: image.grid, data: scaledData(image, 0) });

async function treated(head, method) {
  const path = join(work, `${head.id}.${method.name}.nii.gz`);
  if (!existsSync(path)) {
    const done = await deidentify(
      {
        image: await loadImage(head.scan),
        outputName: 'x.nii.gz',
        brainMask: createImage(head.volume.grid, Uint8Array.from(head.mask.data)),
      },
      {
        method,
        ...(method.kind === 'remodel' ? { seed: parseSeed(1) } : {}),
        resolution: 128,
        brainMarginMm: FOUND_MARGIN_MM,
        trustMask: true,
      },
      { networks, gzip: nodeGzip, extractBrain, makeHead },
    );
    writeFileSync(path, done.images[0].files[0].bytes);
  }
  return volumeOf(await decodeImage({ name: path, bytes: readFileSync(path) }, nodeGzip));
}

const rows = new Map();
function add(name, id, kept, drawn = false) {
  if (!rows.has(name)) rows.set(name, []);
  rows.get(name).push({ ...kept, gone: isFaceGone(kept, drawn) });
  if (values.each) console.log(JSON.stringify({ id, name, ...kept }));
}

const heads = [];
for (const { id, scan, labels } of (await cohort(dataFolder(), split)).slice(
  0,
  Number(values.heads ?? 1000),
)) {
  const volume = volumeOf(await loadImage(scan));
  const mask = maskFromLabels(volumeOf(await loadImage(labels)));
  const { pose, scale } = measureMask(mask).fit;
  const began = process.cpuUsage();
  const before = faceSurface(volume, pose, scale);
  const { user, system } = process.cpuUsage(began);
  const level = makeHead(volume, mask).brainLevel;
  heads.push({ id, scan, volume, mask, pose, level, before, milliseconds: (user + system) / 1000 });
}
for (const head of heads) {
  const { id, before, pose } = head;
  for (const other of heads) {
    if (other === head) continue;
    // The other head where its brain would lie in this one's place.
    const frame = multiply(other.pose, multiply(invert(pose), before.surface.frame));
    const surface = { ...before.surface, frame, bits: new Int32Array(before.surface.bits.length) };
    add('a stranger', id, faceKept({ ...before, grid: other.volume.grid, surface }, other.volume));
  }
  const results = {};
  for (const method of methods) {
    results[method.name] = await treated(head, method);
    add(method.name, id, faceKept(before, results[method.name]), method.kind === 'remodel');
  }
  for (const [name, volume] of spoiled(head, results))
    add(name, id, faceKept(before, volume), name.includes('cp-mae'));
}
await networks.close();

const round = (v) => Math.round(v * 1000) / 1000;
const least = (sorted) => ({
  min: round(sorted[0]),
  median: round(sorted[sorted.length >> 1]),
  max: round(sorted.at(-1)),
});
const ordered = (list, value) => list.map(value).sort((a, b) => a - b);
for (const [name, list] of rows)
  console.log(
    JSON.stringify({
      name,
      n: list.length,
      ...least(ordered(list, (row) => row.share)),
      sameBits: round(Math.max(...list.map((row) => row.sameBits))),
      passed: list.filter((row) => row.gone).length,
    }),
  );
console.log(
  JSON.stringify({
    split,
    heads: heads.length,
    limit: FACE_KEPT_LIMIT,
    found: heads.filter((head) => head.before.state === 'found').length,
    likeness: least(ordered(heads, (head) => head.before.likeness)),
    milliseconds: least(ordered(heads, (head) => head.milliseconds)),
  }),
);
