/**
 * Heads of any scanner: is each accepted or refused rightly, how good is its mask, does it get a new head. A JSON line a head
 * goes to stdout, a Markdown table at the end. Needs `npm run build`. Sources: IXI's splits (DLMUSE masks), the files of
 * HEADS.md, and folders of `NAME.nii.gz` with `NAME_mask.nii.gz` (bench/painted_heads.py).
 *
 * With --look pages of the original's slices with its mask and of the result are written; they show real people, so --look must
 * lie outside the repository.
 *
 * Usage: node bench/any-head.mjs test|val|heads|FOLDER [--look DIR] [--resolution 128] [--models DIR] [--masks-only] [--only TEXT]
 */
import '../scripts/lib/help.mjs';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { extractBrain } from '../dist/brain/extract.js';
import { makeHead } from '../dist/brain/head.js';
import { maskFromLabels } from '../dist/brain/reference-mask.js';
import { contrastOf, fitTissues } from '../dist/brain/tissues.js';
import { deidentify } from '../dist/deidentify/pipeline.js';
import { parseSeed } from '../dist/deidentify/seed.js';
import { finiteVolume, scaledData } from '../dist/formats/stored-image.js';
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
import { scoresOf } from './lib/mask-scores.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    look: { type: 'string' },
    resolution: { type: 'string', default: '128' },
    models: { type: 'string' },
    only: { type: 'string', default: '' },
    'masks-only': { type: 'boolean', default: false },
  },
});
const source = positionals[0] ?? 'test';
const networks = new NodeNetworkRunner(options.models ? { models: options.models } : {});
const method = createMethods().get('cp-mae');

async function headsOf(name) {
  if (name === 'test' || name === 'val')
    return (await cohort(dataFolder(), name)).map(({ id, scan, labels }) => ({ id, scan, labels }));
  const folder = name === 'heads' ? join(dataFolder(), 'heads') : name;
  return readdirSync(folder)
    .filter((file) => /\.(nii\.gz|mgz)$/.test(file) && !file.includes('_mask.'))
    .sort()
    .map((file) => {
      const mask = join(folder, file.replace(/\.(nii\.gz|mgz)$/, '_mask.nii.gz'));
      return { id: file, scan: join(folder, file), mask: existsSync(mask) ? mask : undefined };
    });
}

async function truthOf({ labels, mask }) {
  if (labels) return maskFromLabels(finiteVolume(await loadImage(labels)));
  if (mask) return { data: scaledData(await loadImage(mask), 0).map((v) => (v > 0 ? 1 : 0)) };
  return undefined;
}

async function treat(head, look) {
  const image = await loadImage(head.scan);
  const volume = finiteVolume(image);
  const row = { id: head.id };
  const pictures = [];
  try {
    const { mask, agreement, measures } = await extractBrain(volume, networks);
    const made = makeHead(volume, mask);
    const tissues = fitTissues(made.volume, mask, made.pose, made.scale);
    row.contrast = tissues === undefined ? 'unknown' : contrastOf(tissues);
    row.ml = Math.round(measures.millilitres);
    row.agreement = Number(agreement.toFixed(3));
    const truth = await truthOf(head);
    if (truth) Object.assign(row, scoresOf(truth, mask));
    if (look)
      pictures.push(
        ...renderSlices(volume, {
          at: [0, 0, 0],
          frame: made.pose,
          pixelMm: 1.25,
          outlines: [{ mask, colour: [255, 60, 60] }],
        }),
      );
    if (options['masks-only']) return row;
    const done = await deidentify(
      { image, outputName: image.format === 'mgh' ? 'x.mgz' : 'x.nii.gz' },
      { method, seed: parseSeed(1), resolution: options.resolution === '256' ? 256 : 128 },
      { networks, gzip: nodeGzip, extractBrain: async () => ({ mask }), makeHead },
    );
    row.treated = true;
    row.faceKept = done.checks.faceGone.value;
    row.warnings = done.warnings;
    if (look) {
      const result = finiteVolume(done.images[0].result);
      const field = prepareSurface(result);
      for (const view of ['front', 'left', 'oblique'])
        pictures.push(portrait(field, { frame: made.pose, view: parseView(view) }).image);
      pictures.push(
        renderSlices(result, {
          planes: ['sagittal'],
          frame: made.pose,
          pixelMm: 1.25,
          at: [0, 0, 0],
        })[0],
      );
    }
  } catch (error) {
    if (error.kind !== 'refusal') throw error;
    row.refused = `${error.tag}: ${error.message}`;
  }
  if (look && pictures.length > 0)
    writeFileSync(join(look, `${head.id}.png`), encodePng(montage(pictures, { columns: 4 }), nodeDeflate));
  return row;
}

if (options.look) mkdirSync(options.look, { recursive: true });
const rows = [];
for (const head of (await headsOf(source)).filter(({ id }) => id.includes(options.only))) {
  const row = await treat(head, options.look);
  rows.push(row);
  console.log(JSON.stringify(row));
}
await networks.close();

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const per = (v) => `${(100 * v).toFixed(2)} %`;
console.log(
  `\n| ${basename(source)} | ml | contrast | networks agree | Dice | missed | outcome |\n| --- | --- | --- | --- | --- | --- | --- |`,
);
for (const { id, ml, contrast, agreement, dice, missed, refused, treated, faceKept } of rows) {
  const outcome = refused ?? (treated ? `treated (face kept ${faceKept})` : 'mask');
  console.log(
    `| ${id} | ${ml ?? '-'} | ${contrast ?? '-'} | ${agreement ?? '-'} | ${dice?.toFixed(4) ?? '-'} | ${missed === undefined ? '-' : per(missed)} | ${outcome} |`,
  );
}
const scored = rows.filter(({ dice }) => dice !== undefined);
const found = rows.filter(({ ml }) => ml !== undefined);
const treatedRows = rows.filter(({ treated }) => treated);
console.log(
  `\nN ${rows.length}: brain found ${found.length}, treated ${treatedRows.length}, refused ${rows.filter(({ refused }) => refused).length}`,
);
if (scored.length > 0)
  console.log(
    `masks N ${scored.length}: Dice mean ${mean(scored.map(({ dice }) => dice)).toFixed(4)}, worst ${Math.min(...scored.map(({ dice }) => dice)).toFixed(4)}; missed mean ${per(mean(scored.map(({ missed }) => missed)))}, worst ${per(Math.max(...scored.map(({ missed }) => missed)))}`,
  );
