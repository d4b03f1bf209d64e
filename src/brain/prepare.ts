/**
 * One head on the model grid, exactly as the pipeline will see it, for the training package: the seam between
 * TypeScript and Python. Nothing is preprocessed twice.
 *
 * @example
 * const sample = prepareHead(volume, mask, 128, labels);
 */

import { coverage, resampleLinear } from '../volume/resample.js';
import type { Grid, Volume, VoxelArray } from '../volume/volume.js';
import type { Head } from './head.js';
import { modelGrid } from './model-grid.js';
import { headMask } from './outline.js';

/** Bits of `flags`. */
export const FLAG = { brain: 1, head: 2, covered: 4 } as const;
/** Stored bytes per brain level: 100 = the brain's median, 255 = 2.55 times it. */
export const BYTES_PER_LEVEL = 100;

export interface PreparedHead {
  readonly grid: Grid;
  /** round(100 * value / brain level), clamped to 0..255; air keeps its noise. */
  readonly image: Uint8Array;
  /** Brain, filled head, inside the scan's field of view: see FLAG. */
  readonly flags: Uint8Array;
  /** Labels by nearest neighbour, where a label map was given. */
  readonly labels?: Uint8Array;
}

function nearest(source: Volume<VoxelArray>, target: Grid): Uint8Array {
  // A label map is sampled by the majority-free nearest neighbour: one-hot sampling of 140 labels costs minutes.
  const out = new Uint8Array(target.shape[0] * target.shape[1] * target.shape[2]);
  const index: Volume<Int32Array> = {
    grid: source.grid,
    data: Int32Array.from(source.data as Int32Array, (_, i) => i),
  };
  const [nx, ny, nz] = source.grid.shape;
  const axis = (which: 0 | 1 | 2): Float32Array =>
    resampleLinear(
      {
        grid: source.grid,
        data: Float32Array.from(index.data, (i) =>
          which === 0 ? i % nx : which === 1 ? ((i / nx) | 0) % ny : (i / (nx * ny)) | 0,
        ),
      },
      target,
      { outside: -1 },
    );
  const [x, y, z] = [axis(0), axis(1), axis(2)];
  for (let o = 0; o < out.length; o++) {
    if ((x[o] as number) < 0) continue;
    const i = Math.min(nx - 1, Math.round(x[o] as number));
    const j = Math.min(ny - 1, Math.round(y[o] as number));
    const k = Math.min(nz - 1, Math.round(z[o] as number));
    out[o] = source.data[i + nx * (j + ny * k)] as number;
  }
  return out;
}

/** @param resolution voxels along the 256 mm edge */
export function prepareHead(head: Head, resolution: number, labels?: Volume<VoxelArray>): PreparedHead {
  const grid = modelGrid(head.pose, resolution);
  const values = resampleLinear(head.volume, grid);
  const brain = resampleLinear(head.brainMask, grid);
  const outline = resampleLinear(headMask(head.volume, head.brainLevel), grid);
  const covered = coverage(head.volume.grid, grid);
  const image = Uint8Array.from(values, (v) =>
    Math.max(0, Math.min(255, Math.round((BYTES_PER_LEVEL * v) / head.brainLevel))),
  );
  const flags = Uint8Array.from(
    covered,
    (c, o) =>
      (c ? FLAG.covered : 0) |
      ((brain[o] as number) > 0.5 ? FLAG.brain : 0) |
      ((outline[o] as number) > 0.5 ? FLAG.head : 0),
  );
  return labels === undefined
    ? { grid, image, flags }
    : { grid, image, flags, labels: nearest(labels, grid) };
}
