/**
 * The bundled head that is nobody, at 2 mm in the brain's frame (its pose is the identity), for tests of faces.
 *
 * @example
 * const defaced = changedHead((v, [, y, z]) => (y > 30 && z < 0 ? 0 : v));
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeImage, scaledData } from '../../formats/stored-image.js';
import { nodeGzip } from '../../node/gzip.js';
import { applyAffine, type Vec3 } from '../../volume/affine.js';
import { resampleLinear } from '../../volume/resample.js';
import type { Grid, Volume } from '../../volume/volume.js';

const DEMO = fileURLToPath(new URL('../../../demo/head.nii.gz', import.meta.url));
const image = await decodeImage({ name: 'head.nii.gz', bytes: readFileSync(DEMO) }, nodeGzip);
const grid: Grid = {
  shape: [112, 132, 128],
  affine: [2, 0, 0, -112, 0, 2, 0, -110, 0, 0, 2, -158, 0, 0, 0, 1],
};

export const demoHead: Volume = {
  grid,
  data: resampleLinear({ grid: image.grid, data: scaledData(image, 0) }, grid),
};

/** Values changed voxel by voxel. @param value gets value, place in the world (mm) and index */
export function changedHead(
  value: (v: number, place: Vec3, o: number) => number,
  head: Volume = demoHead,
): Volume {
  const { affine, shape } = head.grid;
  const [nx, ny] = shape;
  return {
    grid: head.grid,
    data: head.data.map((v, o) =>
      value(v, applyAffine(affine, [o % nx, Math.floor(o / nx) % ny, Math.floor(o / (nx * ny))]), o),
    ),
  };
}

/** In front of the brain and below the brow. */
export const inFace = ([, y, z]: Vec3): boolean => y > 30 && z < 0;
