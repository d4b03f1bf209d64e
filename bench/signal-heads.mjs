/**
 * Label heads painted by the signal model (bench/lib/paint-by-signal.mjs), people that no training saw: every contrast with its
 * sequence told and with nothing told, and what is drawn against what is true for fat, muscle, bone, vitreous and scalp. A JSON line
 * a head, then tables. Needs `npm run build`.
 *
 * Drawn over true, medians: of the result where the drawn head has the tissue, of the painted head where its labels have it. `there`:
 * both at the labels' own places, so that what lies elsewhere counts. Scalp: all between 2 and 6.5 mm under the skin of the vault.
 * The painter has the product's equations and relaxation times: what is shown are placement, levels and anchoring, not those.
 *
 * Results show real people's anatomy: --out must lie outside the repository. With --write it gets scans and sidecars for
 * `prosopon deid SCAN OUT --acquisition SIDECAR`; with --look pictures of middle sagittal slices.
 *
 * Usage: node bench/signal-heads.mjs PREPARED_LABELS [--split val,test] [--contrasts t1w,t2w,...] [--only TEXT] [--resolution 128] [--out DIR --write --look]
 */
import '../scripts/lib/help.mjs';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { extractBrain } from '../dist/brain/extract.js';
import { makeHead } from '../dist/brain/head.js';
import { modelGrid } from '../dist/brain/model-grid.js';
import { BODY_TISSUES } from '../dist/brain/relaxation.js';
import { readAcquisition } from '../dist/deidentify/acquisition.js';
import { deidentify } from '../dist/deidentify/pipeline.js';
import { parseSeed } from '../dist/deidentify/seed.js';
import { createImage } from '../dist/formats/create-image.js';
import { encodeImage, finiteVolume } from '../dist/formats/stored-image.js';
import { createMethods } from '../dist/methods/registry.js';
import { nodeDeflate } from '../dist/node/deflate.js';
import { nodeGzip } from '../dist/node/gzip.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { montage } from '../dist/render/image.js';
import { encodePng } from '../dist/render/png.js';
import { renderSlices } from '../dist/render/slices.js';
import { largestComponent } from '../dist/volume/components.js';
import { fillHoles, invertMask, squaredDistance } from '../dist/volume/morphology.js';
import { Random } from '../dist/volume/random.js';
import { resampleLinear } from '../dist/volume/resample.js';
import { quantile } from '../dist/volume/statistics.js';
import { NAMES, PAINTED_CONTRASTS, paintHead, readLabelHead } from './lib/paint-by-signal.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    split: { type: 'string', default: 'val,test' },
    contrasts: { type: 'string', default: PAINTED_CONTRASTS.join(',') },
    only: { type: 'string', default: '' },
    resolution: { type: 'string', default: '128' },
    out: { type: 'string' },
    write: { type: 'boolean', default: false },
    look: { type: 'boolean', default: false },
  },
});
const [prepared] = positionals;
if (prepared === undefined) {
  console.error(
    'usage: node bench/signal-heads.mjs PREPARED_LABELS (what scripts/prepare-label-heads.mjs wrote)',
  );
  process.exit(2);
}
const out = options.out === undefined ? undefined : resolve(options.out);
const repository = fileURLToPath(new URL('..', import.meta.url));
if ((options.write || options.look) && (out === undefined || !relative(repository, out).startsWith('..'))) {
  console.error('--write and --look need an --out outside the repository: they show real people');
  process.exit(2);
}
if (out !== undefined) mkdirSync(out, { recursive: true });

const TISSUES = ['fat', 'muscle', 'bone', 'eye'];
const SHOWN = [...TISSUES, 'scalp'];
const networks = new NodeNetworkRunner();
const found = createMethods().get('cp-mae');
if (found.kind !== 'remodel') throw new Error('cp-mae draws no heads');
const method = found;
const resolution = options.resolution === '256' ? 256 : 128;

const median = (values) => (values.length < 100 ? undefined : quantile(Float32Array.from(values), 0.5));

/** Medians of the painted tissues, brain levels; `values` may be another image's on the same grid. */
function atLabels(values, { tissue }, { brainMask, brainLevel }) {
  const found = Object.fromEntries(TISSUES.map((t) => [t, []]));
  for (let o = 0; o < tissue.length; o++)
    if (brainMask.data[o] === 0) found[NAMES[tissue[o]]]?.push(values[o] / brainLevel);
  return Object.fromEntries(TISSUES.map((t) => [t, median(found[t])]));
}

/** Medians where the drawn head has them, brain levels. */
async function asDrawn(result, drawn) {
  const { first, share } = await drawn.tissues();
  const seen = resampleLinear(result.volume, drawn.grid, { outside: Number.NaN });
  const brain = resampleLinear(result.brainMask, drawn.grid);
  const found = Object.fromEntries(TISSUES.map((t) => [t, []]));
  for (let o = 0; o < seen.length; o++) {
    if (!Number.isFinite(seen[o]) || brain[o] > 0 || share[o] > 32 || !(drawn.data[o] > 0.1)) continue;
    found[BODY_TISSUES[first[o]]]?.push(seen[o] / result.brainLevel);
  }
  return Object.fromEntries(TISSUES.map((t) => [t, median(found[t])]));
}

/** What lies 2 to 6.5 mm under the skin of the vault, brain levels. */
function scalp({ volume, brainMask, brainLevel, pose }) {
  const grid = modelGrid(pose, 128);
  const [nx, ny, nz] = grid.shape;
  const values = resampleLinear(volume, grid);
  const brain = resampleLinear(brainMask, grid);
  const solid = Uint8Array.from(values, (v, o) => (v > 0.15 * brainLevel || brain[o] > 0 ? 1 : 0));
  const depth = squaredDistance(invertMask(fillHoles(largestComponent({ grid, data: solid }))));
  const off = squaredDistance({ grid, data: Uint8Array.from(brain, (b) => (b > 0.5 ? 1 : 0)) });
  const found = [];
  for (let o = nx * ny * Math.round(nz / 2 + 15); o < values.length; o++)
    if (depth[o] >= 4 && depth[o] <= 6.5 ** 2 && off[o] >= 49) found.push(values[o] / brainLevel);
  return median(found);
}

/** @returns the result as a head, and the drawn head whose tissues are known */
async function treated(image, brain, known) {
  let drawn;
  const watched = {
    ...method,
    synthesize: async (gamma, seed, context) => {
      drawn = await method.synthesize(gamma, seed, context);
      return drawn;
    },
  };
  const done = await deidentify(
    { image, outputName: 'out.nii.gz' },
    { method: watched, resolution, seed: parseSeed(1), ...known },
    { networks, gzip: nodeGzip, extractBrain: async () => brain },
  );
  return { result: makeHead(finiteVolume(done.images[0].result), brain.mask), drawn };
}

const { heads } = JSON.parse(readFileSync(join(prepared, 'index.json'), 'utf8'));
const wanted = options.split.split(',');
const people = heads
  .filter(({ split }) => wanted.includes(split))
  .filter(({ id }) => options.only.split(',').some((part) => id.includes(part)));
/** @type {Record<string, any>[]} */
const rows = [];
for (const [p, { id }] of people.entries()) {
  const labels = readLabelHead(prepared, id);
  for (const contrast of options.contrasts.split(',')) {
    const random = new Random(parseSeed(1000 + p)).fork(contrast);
    const painted = paintHead(labels, contrast, random);
    const image = () => createImage(painted.grid, painted.stored.slice());
    const name = `${contrast}_${id}`;
    try {
      if (options.write) {
        const files = await encodeImage(image(), painted.stored, nodeGzip, { name: `${name}.nii.gz` });
        for (const file of files) writeFileSync(join(out, file.name), file.bytes);
        writeFileSync(join(out, `${name}.json`), JSON.stringify(painted.sidecar));
      }
      const volume = finiteVolume(image());
      const brain = await extractBrain(volume, networks, {});
      const original = makeHead(volume, brain.mask);
      const truth = { ...atLabels(volume.data, painted, original), scalp: scalp(original) };
      const row = {
        id,
        contrast,
        field: painted.sequence.field,
        fatSuppressed: painted.sequence.fatSuppressed === true,
        truth,
      };
      const pictures = [original];
      for (const [known, what] of [
        ['sequence', { sequence: readAcquisition(painted.sidecar) }],
        ['nothing', {}],
      ]) {
        const { result, drawn } = await treated(image(), brain, what);
        row[known] = { ...(await asDrawn(result, drawn)), scalp: scalp(result) };
        row[`${known} there`] = { ...atLabels(result.volume.data, painted, original) };
        pictures.push(result);
      }
      rows.push(row);
      console.log(JSON.stringify(row, (_, v) => (typeof v === 'number' ? Number(v.toFixed(3)) : v)));
      if (options.look) {
        const slices = pictures.flatMap((head) =>
          renderSlices(head.volume, {
            frame: original.pose,
            at: [2, 10, -20],
            planes: ['sagittal', 'axial'],
            window: [0, 2.2 * original.brainLevel],
          }),
        );
        writeFileSync(join(out, `${name}.png`), encodePng(montage(slices), nodeDeflate));
      }
    } catch (error) {
      rows.push({ id, contrast, refused: true });
      console.log(JSON.stringify({ id, contrast, refused: error.message.slice(0, 200) }));
    }
  }
}
await networks.close();

function cell(of, key, tissue) {
  const ratios = of
    .map((row) => row[key]?.[tissue] / row.truth?.[tissue])
    .filter((ratio) => Number.isFinite(ratio));
  if (ratios.length === 0) return '-';
  const count = (low, high) => ratios.filter((r) => r >= low && r <= high).length;
  return `${quantile(Float32Array.from(ratios), 0.5).toFixed(2)} (${count(0.7, 1.4)}; ${count(0.5, 2)} of ${ratios.length})`;
}
for (const key of ['sequence', 'sequence there', 'nothing', 'nothing there']) {
  console.log(
    `\nknown: ${key}\n| contrast | ${SHOWN.join(' | ')} |\n| --- |${SHOWN.map(() => ' --- |').join('')}`,
  );
  for (const contrast of [...options.contrasts.split(','), 'all']) {
    const of = rows.filter((row) => contrast === 'all' || row.contrast === contrast);
    console.log(`| ${contrast} | ${SHOWN.map((tissue) => cell(of, key, tissue)).join(' | ')} |`);
  }
}
console.log(
  `\n${rows.filter(({ refused }) => !refused).length} of ${rows.length} images treated, ${people.length} people`,
);
