/**
 * A head that is nobody on 256^3 voxels of 1 mm, as .nii.gz of int16: the bundled demo head where it is, else
 * ellipsoids around the mean brain of the training heads, with the brain's mask because no network was taught to find it there.
 *
 * @example
 * const { head, mask } = await writeBenchHead(folder); // mask: undefined when the network is to find the brain
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brainTemplate, templateGrid } from '../../dist/brain/template.js';
import { createImage } from '../../dist/formats/create-image.js';
import { encodeImage, scaledData } from '../../dist/formats/stored-image.js';
import { meanBrain } from '../../dist/methods/learned-head/t1-likeness.js';
import { nodeGzip } from '../../dist/node/gzip.js';
import { loadImage } from '../../dist/node/image-files.js';
import { applyAffine, IDENTITY } from '../../dist/volume/affine.js';
import { Random } from '../../dist/volume/random.js';
import { resampleLinear } from '../../dist/volume/resample.js';
import { cubeGrid } from '../../dist/volume/volume.js';

const DEMO_HEAD = fileURLToPath(new URL('../../demo/head.nii.gz', import.meta.url));
const EDGE = 256;

async function write(path, grid, stored) {
  const image = createImage(grid, stored);
  const files = await encodeImage(image, image.stored, nodeGzip, { name: path });
  await writeFile(path, files[0].bytes);
  return path;
}

function ellipsoids(grid, brain, intensity) {
  const random = new Random(Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const out = new Int16Array(brain.length);
  const radius = (p, c, r) => Math.hypot((p[0] - c[0]) / r[0], (p[1] - c[1]) / r[1], (p[2] - c[2]) / r[2]);
  for (let k = 0, o = 0; k < EDGE; k++)
    for (let j = 0; j < EDGE; j++)
      for (let i = 0; i < EDGE; i++, o++) {
        const p = applyAffine(grid.affine, [i, j, k]);
        const skull = radius(p, [0, -2, 4], [82, 102, 84]);
        const face = Math.min(radius(p, [0, 48, -62], [58, 52, 72]), radius(p, [0, 100, -60], [13, 22, 22]));
        const level =
          brain[o] > 0.5
            ? 50 + 5 * intensity[o]
            : skull < 1
              ? skull > 0.93
                ? 700
                : 100
              : face < 1
                ? 380
                : 0;
        out[o] = Math.abs(level + 12 * random.normal());
      }
  return out;
}

/** @param edge voxels along 256 mm of a given or bundled head; the ellipsoids are at 1 mm whatever it is */
export async function writeBenchHead(folder, given, edge = EDGE) {
  const path = join(folder, `head-${edge}.nii.gz`);
  const source = given ?? (existsSync(DEMO_HEAD) ? DEMO_HEAD : undefined);
  if (source !== undefined) {
    const image = await loadImage(source);
    const [nx, ny, nz] = image.grid.shape;
    const middle = applyAffine(image.grid.affine, [(nx - 1) / 2, (ny - 1) / 2, (nz - 1) / 2]);
    const grid = cubeGrid(IDENTITY, middle, edge, EDGE / edge);
    const values = resampleLinear({ grid: image.grid, data: scaledData(image, 0) }, grid);
    return { head: await write(path, grid, Int16Array.from(values, Math.round)), mask: undefined };
  }
  const grid = cubeGrid(IDENTITY, [0, 10, -20], EDGE, 1);
  const brain = resampleLinear({ grid: templateGrid(), data: brainTemplate().data }, grid);
  const intensity = resampleLinear(meanBrain(), grid);
  return {
    head: await write(path, grid, ellipsoids(grid, brain, intensity)),
    mask: await write(
      join(folder, 'mask.nii.gz'),
      grid,
      Uint8Array.from(brain, (v) => (v > 0.5 ? 1 : 0)),
    ),
  };
}
