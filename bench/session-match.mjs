/**
 * How far off the brains of a session's images are laid on the first: painted sessions (bench/session_heads.py: real people's
 * anatomy, nothing is kept) with their true motions. A line an image: which way it went (by its header, or searched for),
 * greatest error over the surface of a head, likeness, what of the true brain is not kept, seconds. Needs `npm run build`.
 *
 * Usage: node bench/session-match.mjs FOLDER [--only TEXT] [--search]
 */
import '../scripts/lib/help.mjs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { extractBrain } from '../dist/brain/extract.js';
import { confirmBrain } from '../dist/brain/finder.js';
import { makeHead } from '../dist/brain/head.js';
import { settleByHeader } from '../dist/deidentify/by-header.js';
import { settleOther } from '../dist/deidentify/session.js';
import { FOUND_MARGIN_MM } from '../dist/deidentify/treated.js';
import { finiteVolume } from '../dist/formats/stored-image.js';
import { loadImage } from '../dist/node/image-files.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { applyAffine, invert, multiply } from '../dist/volume/affine.js';
import { dilateMm } from '../dist/volume/morphology.js';
import { quantile } from '../dist/volume/statistics.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' }, search: { type: 'boolean', default: false } },
});
const [folder] = positionals;
if (folder === undefined) {
  console.error('usage: node bench/session-match.mjs FOLDER');
  process.exit(2);
}

/** Greatest distance (mm) between two motions over the surface of a head about the first image's origin. */
function surfaceError(found, truth) {
  const difference = multiply(invert(truth), found);
  let most = 0;
  for (let a = 0; a < 300; a++) {
    const z = 1 - (2 * (a + 0.5)) / 300;
    const r = Math.sqrt(1 - z * z);
    /** @type {[number, number, number]} */
    const p = [85 * r * Math.cos(a * 2.39996), 20 + 110 * r * Math.sin(a * 2.39996), 115 * z - 25];
    const q = applyAffine(difference, p);
    most = Math.max(most, Math.hypot(q[0] - p[0], q[1] - p[1], q[2] - p[2]));
  }
  return most;
}

const networks = new NodeNetworkRunner({});
/** @type {Record<string, number[]>} */
const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8'));
const subjects = new Set(Object.keys(truth).map((name) => name.split('_')[0] ?? ''));
const read = async (name) => finiteVolume(await loadImage(join(folder, `${name}.nii.gz`)));
/** @type {Map<string, number[]>} */
const errors = new Map();
for (const subject of subjects) {
  if (!subject.includes(options.only)) continue;
  const volume = await read(`${subject}_T1w`);
  const { mask } = await extractBrain(volume, networks, {});
  const head = makeHead(volume, mask);
  const first = { volume: head.volume, mask, pose: head.pose };
  for (const series of ['T2w', 'FLAIR', 'PD', 'T1again']) {
    const name = `${subject}_${series}`;
    const other = await read(name);
    const began = performance.now();
    let seen = 0;
    const byHeader = options.search
      ? undefined
      : await settleByHeader(other, first, async (v, m, motion) => {
          const view = { pose: multiply(motion, head.pose), scale: head.scale };
          seen = await confirmBrain(v, m, view, networks);
          return seen;
        });
    const settled =
      byHeader ?? settleOther(other, (await extractBrain(other, networks, {})).mask, first, makeHead);
    const seconds = (performance.now() - began) / 1000;
    const brain = await read(`${name}_mask`);
    const kept = dilateMm(settled.bothMasks, FOUND_MARGIN_MM);
    let [all, lost] = [0, 0];
    for (let o = 0; o < brain.data.length; o++) {
      if (!(brain.data[o] > 0)) continue;
      all++;
      if (kept.data[o] === 0) lost++;
    }
    const error = surfaceError(settled.match.toFirst, truth[name] ?? []);
    errors.set(series, [...(errors.get(series) ?? []), error]);
    console.log(
      `${name} ${byHeader ? 'header' : 'searched'} error ${error.toFixed(3)} mm, likeness ${settled.match.likeness.toFixed(3)}, seen ${seen.toFixed(3)}, brain lost ${((100 * lost) / all).toFixed(2)} %, ${seconds.toFixed(2)} s`,
    );
  }
}
for (const [series, found] of errors)
  console.log(
    `${series}: N ${found.length}, median ${quantile(Float32Array.from(found), 0.5).toFixed(2)}, most ${Math.max(...found).toFixed(2)} mm`,
  );
await networks.close();
