/**
 * Originals and results side by side for the eye: front, left and oblique renderings of the scan and of one or more
 * seeds' results, a page per head, and every front picture alone for the face detector of bench/faces.
 * The pages show real people: --out must lie outside the repository. Needs `npm run build`.
 *
 * Usage: node bench/look.mjs SPLIT --out DIR [--seeds 1,2] [--resolution 256] [--models DIR] [--labels] [--heads A,B] [--method cp-gan]
 *   --labels   take the brain mask from the label maps instead of our own extraction
 */
import '../scripts/lib/help.mjs';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { extractBrain } from '../dist/brain/extract.js';
import { makeHead } from '../dist/brain/head.js';
import { maskFromLabels } from '../dist/brain/reference-mask.js';
import { deidentify, FOUND_MARGIN_MM } from '../dist/deidentify/pipeline.js';
import { parseSeed } from '../dist/deidentify/seed.js';
import { createImage } from '../dist/formats/create-image.js';
import { scaledData } from '../dist/formats/stored-image.js';
import { createMethods } from '../dist/methods/registry.js';
import { nodeDeflate } from '../dist/node/deflate.js';
import { nodeGzip } from '../dist/node/gzip.js';
import { loadImage } from '../dist/node/image-files.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { prepareSurface } from '../dist/render/field.js';
import { montage } from '../dist/render/image.js';
import { encodePng } from '../dist/render/png.js';
import { portrait } from '../dist/render/portrait.js';
import { renderSlices } from '../dist/render/slices.js';
import { parseView } from '../dist/render/views.js';
import { cohort, dataFolder } from './lib/cohort.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    seeds: { type: 'string', default: '1,2' },
    resolution: { type: 'string', default: '256' },
    models: { type: 'string' },
    method: { type: 'string', default: 'cp-mae' },
    labels: { type: 'boolean', default: false },
    heads: { type: 'string' },
  },
});
/** @type {128 | 256} */
const resolution = values.resolution === '128' ? 128 : 256;
const networks = new NodeNetworkRunner(values.models ? { models: values.models } : {});
const method = createMethods().get(values.method);
const folder = dataFolder();
const only = values.heads?.split(',');
for (const name of ['', 'original', 'result']) mkdirSync(join(values.out, name), { recursive: true });
for (const head of await cohort(folder, positionals[0] ?? 'val')) {
  if (only && !only.some((part) => head.id.includes(part))) continue;
  const scan = await loadImage(head.scan);
  const volume = { grid: scan.grid, data: scaledData(scan, 0) };
  const mask = values.labels
    ? maskFromLabels(await loadImage(head.labels).then((i) => ({ grid: i.grid, data: scaledData(i, 0) })))
    : (await extractBrain(volume, networks)).mask;
  const { pose } = makeHead(volume, mask);
  const row = (source, name) => {
    const field = prepareSurface(source);
    const views = ['front', 'left', 'oblique'].map(
      (v) => portrait(field, { frame: pose, view: parseView(v) }).image,
    );
    writeFileSync(join(values.out, name), encodePng(views[0], nodeDeflate));
    return [
      ...views,
      renderSlices(source, {
        planes: ['sagittal'],
        frame: pose,
        pixelMm: 1.25,
        at: [0, 0, 0],
      })[0],
    ];
  };
  const tiles = row(volume, `original/${head.id}.png`);
  for (const seed of values.seeds.split(',')) {
    const done = await deidentify(
      {
        image: await loadImage(head.scan),
        outputName: 'x.nii.gz',
        brainMask: createImage(scan.grid, mask.data),
      },
      {
        method,
        seed: parseSeed(seed),
        resolution,
        brainMarginMm: FOUND_MARGIN_MM,
      },
      { networks, gzip: nodeGzip, extractBrain, makeHead },
    );
    const { result } = done.images[0];
    tiles.push(...row({ grid: result.grid, data: scaledData(result, 0) }, `result/${head.id}_${seed}.png`));
  }
  const flat = tiles.map((t) => t);
  writeFileSync(join(values.out, `${head.id}.png`), encodePng(montage(flat, { columns: 4 }), nodeDeflate));
  console.log(head.id);
}
await networks.close();
