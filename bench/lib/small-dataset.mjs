/**
 * A BIDS data set of small scans of nobody: the head that ships (demo/head.nii.gz, generated) at 3 mm, turned, scaled and with noise
 * from a seed, in two sessions of three contrasts. Fluid, grey and white matter of the T2w and FLAIR are those of the T1w by a map of
 * values, so that one brain is seen in all.
 *
 * @example
 * const made = await makeSmallDataset('ds', 1000); // { scans: 1000, people: 167 }
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSeed } from '../../dist/deidentify/seed.js';
import { createImage } from '../../dist/formats/create-image.js';
import { encodeImage, finiteVolume } from '../../dist/formats/stored-image.js';
import { nodeGzip } from '../../dist/node/gzip.js';
import { loadImage } from '../../dist/node/image-files.js';
import { multiply, translation } from '../../dist/volume/affine.js';
import { blockMeans, blocksOf } from '../../dist/volume/block-means.js';
import { Random } from '../../dist/volume/random.js';
import { quantile } from '../../dist/volume/statistics.js';

const DEMO = fileURLToPath(new URL('../../demo/head.nii.gz', import.meta.url));
const VOXEL_MM = 3;
export const SESSIONS = ['1', '2'];
/** Value of a tissue by that in the T1w, both in levels of bright tissue; linear between. Air stays air. */
const CONTRASTS = {
  T1w: [
    [0, 0],
    [2, 2],
  ],
  T2w: [
    [0, 0],
    [0.08, 0.02],
    [0.2, 1.5],
    [0.6, 0.8],
    [0.8, 0.5],
    [2, 0.35],
  ],
  FLAIR: [
    [0, 0],
    [0.08, 0.02],
    [0.2, 0.15],
    [0.55, 0.9],
    [0.8, 0.65],
    [2, 0.5],
  ],
};
export const SUFFIXES = Object.keys(CONTRASTS);

function mapped(points, x) {
  let i = 1;
  while (i < points.length - 1 && x > points[i][0]) i++;
  const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]];
  return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}

/** Small turns about the three axes and a shift, about the middle of the head. */
function motionOf(random) {
  const between = (most) => (2 * random.uniform() - 1) * most;
  /** @type {readonly number[]} */
  let turn = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  for (const [a, b] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ]) {
    const angle = (between(4) * Math.PI) / 180;
    const one = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    one[5 * a] = Math.cos(angle);
    one[5 * b] = Math.cos(angle);
    one[4 * a + b] = -Math.sin(angle);
    one[4 * b + a] = Math.sin(angle);
    turn = multiply(turn, one);
  }
  return multiply(translation(between(8), between(8), between(8)), turn);
}

/** @returns how many of `people` have how many scans: whole sessions of three, but the last person's to the number asked for */
export async function makeSmallDataset(folder, scans, seed = 1) {
  const demo = finiteVolume(await loadImage(DEMO));
  const small = blockMeans(demo, blocksOf(demo.grid, VOXEL_MM));
  const level = quantile(
    small.data.filter((v) => v > 0),
    0.9,
  );
  const each = SESSIONS.length * SUFFIXES.length;
  const people = Math.ceil(scans / each);
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, 'dataset_description.json'),
    JSON.stringify({ Name: 'Small heads of nobody', BIDSVersion: '1.10.0' }),
  );
  let made = 0;
  for (let p = 0; p < people; p++)
    for (const session of SESSIONS)
      for (const suffix of SUFFIXES) {
        if (made === scans) break;
        made++;
        const subject = `sub-${String(p + 1).padStart(4, '0')}`;
        const random = new Random(parseSeed(String(seed))).fork(`${subject} ${session} ${suffix}`);
        const grid = { shape: small.grid.shape, affine: multiply(motionOf(random), small.grid.affine) };
        const full = 400 + 1200 * random.uniform();
        const data = Int16Array.from(small.data, (v) =>
          Math.max(
            0,
            Math.round(full * mapped(CONTRASTS[suffix], v / level) + 0.015 * full * random.normal()),
          ),
        );
        const path = join(
          folder,
          subject,
          `ses-${session}`,
          'anat',
          `${subject}_ses-${session}_${suffix}.nii.gz`,
        );
        await mkdir(dirname(path), { recursive: true });
        const [{ bytes }] = await encodeImage(createImage(grid, data), data, nodeGzip, { name: path });
        await writeFile(path, bytes);
        await writeFile(path.replace('.nii.gz', '.json'), '{"MagneticFieldStrength":3}\n');
      }
  return { scans: made, people };
}
