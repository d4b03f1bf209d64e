/**
 * Brain regions of a whole head by our own network (U-Net at 2 mm, taught by DLMUSE labels): the ruler's stand-in for
 * FastSurfer and SIENAX. 52 classes; grey, white, ventricular CSF and total brain are groups of them.
 *
 * The network reads the scan with everything that stands in the box about the brain and 16 mm beyond, so that what a
 * method does outside the brain may change the result: that is the experiment. The brain mask decides only the box, the
 * position told to the network, and the intensity scale. Mask re-extracted: give that of each version. Mask fixed: give
 * the original's to both.
 *
 * @example
 * const { labels } = await segmentHead(volume, networks, { brainMask });
 * const grey = tissueMask(labels, 'grey');
 */

import { Failure, type NetworkRunner, Refusal } from 'prosopon';
import {
  brainIntensity,
  canonicalGrid,
  type Grid,
  type Mask,
  multiply,
  resampleLinear,
  type Shape,
  sameGrid,
  sampleNearest,
  translation,
  type Volume,
  type VoxelArray,
} from 'prosopon/imaging';
import {
  SEGMENTATION_CLASSES,
  type SegmentationClass,
  TISSUE_GROUPS,
  type TissueGroup,
} from './segmentation-classes.js';

export {
  SEGMENTATION_CLASSES,
  type SegmentationClass,
  TISSUE_GROUPS,
  type TissueGroup,
} from './segmentation-classes.js';

export const SEGMENTATION_MODEL = 'segmentation';
/** 2 mm voxels about the brain; the box is then made a multiple of 16 long. As in training (`stages/segmentation.py`). */
const MARGIN = 8;
const MULTIPLE = 16;
/** Voxels per unit of the position channels. */
const REACH = 50;

export interface Segmentation {
  /** On the volume's grid: ids of `classes`, 0 = background. */
  readonly labels: Uint8Array;
  readonly classes: readonly SegmentationClass[];
}

export interface SegmentationOptions {
  /** On the volume's grid. Decides box, position and scale; labels may lie outside of it. */
  readonly brainMask: Mask;
  readonly signal?: AbortSignal;
}

/**
 * @throws {Refusal} mask-mismatch when the mask is not on the volume's grid; mask-empty; no-signal when the brain is no brighter than air
 * @throws {Failure} network-failed, model-corrupt
 */
export async function segmentHead(
  volume: Volume,
  networks: NetworkRunner,
  options: SegmentationOptions,
): Promise<Segmentation> {
  const { brainMask, signal } = options;
  if (!sameGrid(volume.grid, brainMask.grid))
    throw new Refusal(
      'mask-mismatch',
      'expected the brain mask on the grid of the image, found another grid',
    );
  const { air, level } = brainIntensity(volume.data, brainMask.data);

  const whole = canonicalGrid(volume.grid);
  const brain = resampleLinear(brainMask, whole);
  const { grid, centre } = brainBox(brain, whole);
  const image = resampleLinear(volume, grid, { outside: air });
  // To bytes of a hundredth of the level and back, as `prosopon prepare` stores what training reads.
  for (let i = 0; i < image.length; i++)
    image[i] = Math.max(0, Math.min(255, Math.round((100 * ((image[i] as number) - air)) / level))) / 100;
  const [nx, ny, nz] = grid.shape;
  const { labels } = await networks.run(
    SEGMENTATION_MODEL,
    {
      image: { data: image, shape: [1, 1, nz, ny, nx] },
      position: { data: positions(grid.shape, centre), shape: [1, 3, nz, ny, nx] },
    },
    signal,
  );
  if (!(labels?.data instanceof Uint8Array) || labels.data.length !== image.length)
    throw new Failure('network-failed', `${SEGMENTATION_MODEL} returned no "labels" of bytes for each voxel`);
  return {
    labels: sampleNearest({ grid, data: labels.data }, volume.grid),
    classes: SEGMENTATION_CLASSES,
  };
}

/** The box of `grid` about the brain, and the brain's centroid in voxels of the box. */
function brainBox(brain: Float32Array, grid: Grid): { grid: Grid; centre: [number, number, number] } {
  const [nx, ny] = grid.shape;
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  const sum = [0, 0, 0];
  let count = 0;
  for (let v = 0; v < brain.length; v++) {
    if ((brain[v] as number) <= 0.5) continue;
    count++;
    const voxel = [v % nx, Math.floor(v / nx) % ny, Math.floor(v / (nx * ny))];
    for (let axis = 0; axis < 3; axis++) {
      const p = voxel[axis] as number;
      low[axis] = Math.min(low[axis] as number, p);
      high[axis] = Math.max(high[axis] as number, p);
      sum[axis] = (sum[axis] as number) + p;
    }
  }
  if (count === 0)
    throw new Refusal(
      'mask-empty',
      'expected a brain mask of more than a voxel of 2 mm, found a smaller one',
    );
  const first: number[] = [];
  const shape: number[] = [];
  for (let axis = 0; axis < 3; axis++) {
    const from = (low[axis] as number) - MARGIN;
    const length = (high[axis] as number) + 1 + MARGIN - from;
    const extra = (MULTIPLE - (length % MULTIPLE)) % MULTIPLE;
    first.push(from - Math.floor(extra / 2));
    shape.push(length + extra);
  }
  const [x, y, z] = first as [number, number, number];
  return {
    grid: { shape: shape as unknown as Shape, affine: multiply(grid.affine, translation(x, y, z)) },
    centre: first.map((f, axis) => (sum[axis] as number) / count - f) as [number, number, number],
  };
}

/** x, y, z of each voxel from the brain's centroid over `REACH`, one channel after the other. */
function positions([nx, ny, nz]: Shape, [cx, cy, cz]: readonly [number, number, number]): Float32Array {
  const n = nx * ny * nz;
  const out = new Float32Array(3 * n);
  let o = 0;
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++) {
        out[o] = (i - cx) / REACH;
        out[n + o] = (j - cy) / REACH;
        out[2 * n + o] = (k - cz) / REACH;
      }
  return out;
}

/** 1 where a label belongs to the tissue. */
export function tissueMask(labels: ArrayLike<number>, tissue: TissueGroup): Uint8Array {
  const groups: readonly string[] = TISSUE_GROUPS[tissue];
  const inside = new Uint8Array(256);
  for (const { id, group } of SEGMENTATION_CLASSES) inside[id] = groups.includes(group) ? 1 : 0;
  return Uint8Array.from({ length: labels.length }, (_, i) => inside[labels[i] as number] as number);
}

/** A DLMUSE label map in the classes of the network; indices that DLMUSE does not have become background. */
export function classesOfDlmuse(labels: VoxelArray): Uint8Array {
  const table = new Uint8Array(256);
  for (const { id, dlmuse } of SEGMENTATION_CLASSES) for (const index of dlmuse) table[index] = id;
  const out = new Uint8Array(labels.length);
  for (let i = 0; i < out.length; i++) out[i] = table[labels[i] as number] ?? 0;
  return out;
}
