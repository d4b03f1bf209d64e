/**
 * Does a result look like a scan of its scanner: tissues of original and result, and the bright end of all that is no brain.
 * A JSON line a head, then a table. Needs `npm run build`. Sources as of bench/any-head.mjs.
 *
 * Usage: node bench/contrast.mjs test|val|heads|FOLDER [--only TEXT] [--count N] [--resolution 128] [--models DIR] [--look DIR] [--contrast auto] [--profile FILE.json]
 */
import '../scripts/lib/help.mjs';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { extractBrain } from '../dist/brain/extract.js';
import { makeHead } from '../dist/brain/head.js';
import { readAcquisition } from '../dist/deidentify/acquisition.js';
import { deidentify } from '../dist/deidentify/pipeline.js';
import { parseProfile } from '../dist/deidentify/profile.js';
import { parseSeed } from '../dist/deidentify/seed.js';
import { finiteVolume } from '../dist/formats/stored-image.js';
import { MEASURED, measureTissues } from '../dist/methods/cp-mae/measure-tissues.js';
import { createMethods } from '../dist/methods/registry.js';
import { nodeDeflate } from '../dist/node/deflate.js';
import { nodeGzip } from '../dist/node/gzip.js';
import { loadImage } from '../dist/node/image-files.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { montage } from '../dist/render/image.js';
import { encodePng } from '../dist/render/png.js';
import { renderSlices } from '../dist/render/slices.js';
import { quantile } from '../dist/volume/statistics.js';
import { cohort, dataFolder } from './lib/cohort.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    count: { type: 'string', default: '999' },
    resolution: { type: 'string', default: '128' },
    models: { type: 'string' },
    look: { type: 'string' },
    contrast: { type: 'string', default: 'auto' },
    profile: { type: 'string' },
  },
});
const source = positionals[0] ?? 'heads';
const networks = new NodeNetworkRunner(options.models ? { models: options.models } : {});
/** @type {import('../dist/methods/method.js').MethodContext} */
const context = { networks, resolution: 128 };
const method = createMethods().get('cp-mae');

async function headsOf(name) {
  if (name === 'test' || name === 'val')
    return (await cohort(dataFolder(), name)).map(({ id, scan }) => ({ id, scan }));
  const folder = name === 'heads' ? join(dataFolder(), 'heads') : name;
  return readdirSync(folder)
    .filter((file) => /\.(nii\.gz|mgz)$/.test(file) && !/_mask\.|notahead|groupaverage/.test(file))
    .sort()
    .map((file) => ({ id: file, scan: join(folder, file) }));
}

/** Quantiles of what is no brain and no air, in brain levels. */
function brightEnd(head) {
  const values = [];
  for (let o = 0; o < head.volume.data.length; o += 3) {
    const v = head.volume.data[o] / head.brainLevel;
    if (head.brainMask.data[o] === 0 && v > 0.15) values.push(v);
  }
  const all = Float32Array.from(values);
  return [0.5, 0.95].map((p) => Number(quantile(all, p).toFixed(2)));
}

const profile = options.profile
  ? parseProfile(JSON.parse(readFileSync(options.profile, 'utf8'))).levels
  : undefined;
if (options.look) mkdirSync(options.look, { recursive: true });
const rows = [];
for (const { id, scan } of (await headsOf(source))
  .filter((head) => head.id.includes(options.only))
  .slice(0, Number(options.count))) {
  try {
    const image = await loadImage(scan);
    const volume = finiteVolume(image);
    const { mask } = await extractBrain(volume, networks, {});
    const original = makeHead(volume, mask);
    const before = await measureTissues(original, context);
    const end = brightEnd(original);
    const sidecar = scan.replace(/\.(nii\.gz|mgz)$/, '.json');
    const sequence = existsSync(sidecar)
      ? readAcquisition(JSON.parse(readFileSync(sidecar, 'utf8')))
      : undefined;
    const done = await deidentify(
      { image, outputName: 'out.nii.gz' },
      {
        method,
        resolution: options.resolution === '256' ? 256 : 128,
        seed: parseSeed(1),
        contrast: /** @type {import('../dist/brain/protocol.js').ContrastChoice} */ (options.contrast),
        ...(sequence ? { sequence } : {}),
        ...(profile ? { profile } : {}),
      },
      { networks, gzip: nodeGzip },
    );
    const result = makeHead(finiteVolume(done.images[0].result), mask);
    const after = await measureTissues(result, context);
    const row = {
      id,
      met: before.met,
      before: before.levels,
      after: after.levels,
      end,
      endAfter: brightEnd(result),
    };
    rows.push(row);
    console.log(JSON.stringify(row));
    if (options.look) {
      const pictures = [original, result].map((head) =>
        renderSlices(head.volume, { frame: head.pose, at: [0, 10, -20], window: [0, 2.5 * head.brainLevel] }),
      );
      writeFileSync(join(options.look, `${id}.png`), encodePng(montage(pictures.flat()), nodeDeflate));
    }
  } catch (error) {
    console.log(JSON.stringify({ id, refused: error.message.slice(0, 100) }));
  }
}
await networks.close();
const shown = MEASURED;
console.log(
  `\n| head | ${shown.map((t) => `${t}: original, result`).join(' | ')} | median and p95 outside the brain |`,
);
console.log(`| --- |${shown.map(() => ' --- |').join('')} --- |`);
for (const { id, met, before, after, end, endAfter } of rows)
  console.log(
    `| ${id} | ${shown.map((t) => (met.includes(t) ? `${before[t].toFixed(2)}, ${after[t].toFixed(2)}` : '-')).join(' | ')} | ${end.join(' ')}, ${endAfter.join(' ')} |`,
  );
for (const tissue of shown) {
  const ratios = rows
    .filter(({ met }) => met.includes(tissue))
    .map(({ before, after }) => after[tissue] / before[tissue]);
  ratios.sort((a, b) => a - b);
  if (ratios.length > 0)
    console.log(
      `${tissue}: ratio median ${quantile(Float32Array.from(ratios), 0.5).toFixed(2)}, within 0.7 to 1.4: ${ratios.filter((r) => r >= 0.7 && r <= 1.4).length} of ${ratios.length}, within 0.5 to 2: ${ratios.filter((r) => r >= 0.5 && r <= 2).length}`,
    );
}
console.log(`N ${rows.length}`);
