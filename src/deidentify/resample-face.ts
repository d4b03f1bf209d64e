/**
 * From the model grid to the scan's own grid: trilinear, averaged where the scan's voxels are larger than the
 * model's, slab by slab so that memory stays bounded.
 *
 * @example
 * resampleFace(face, image.grid, outside, values); // values: Float32Array of the scan's size, in brain levels
 */
import { multiply, translation } from '../volume/affine.js';
import { type ResampleOptions, resampleLinear } from '../volume/resample.js';
import { tissueBlocks } from '../volume/tissue-blocks.js';
import { type Grid, type Volume, voxelSizes } from '../volume/volume.js';

/** Voxels in a slab: 4 million are 16 MiB of float32. */
const SLAB_VOXELS = 4_000_000;

/**
 * Writes `face` into `into` where `where` is set and leaves the rest alone; 0 (air) beyond the model's cube.
 * A voxel of the scan that spans several of the model is the mean of as many samples: reading one point of a 5 mm
 * slice would alias.
 */
export function resampleFace(face: Volume, grid: Grid, where: Uint8Array, into: Float32Array): void {
  const [nx, ny, nz] = grid.shape;
  const spacing = Math.min(...voxelSizes(face.grid));
  const samples = voxelSizes(grid).map((mm) => Math.max(1, Math.min(8, Math.round(mm / spacing))));
  const grids = shiftedGrids(grid, samples);
  const tissue = tissueBlocks(face.data, face.grid.shape);
  const slices = Math.max(1, Math.floor(SLAB_VOXELS / (nx * ny)));
  for (let first = 0; first < nz; first += slices) {
    const end = Math.min(nz, first + slices);
    const start = first * nx * ny;
    const slab = resampleAll(face, grids, { only: where, tissue, slab: [first, end] });
    for (let o = 0; o < slab.length; o++) if (where[start + o] !== 0) into[start + o] = slab[o] as number;
  }
}

function resampleAll(face: Volume, grids: readonly Grid[], options: ResampleOptions): Float32Array {
  let sum: Float32Array | undefined;
  for (const grid of grids) {
    const one = resampleLinear(face, grid, options);
    if (sum === undefined) sum = one;
    else for (let o = 0; o < sum.length; o++) sum[o] = (sum[o] as number) + (one[o] as number);
  }
  const out = sum ?? new Float32Array(0);
  if (grids.length > 1) for (let o = 0; o < out.length; o++) out[o] = (out[o] as number) / grids.length;
  return out;
}

/** The grid moved to the centres of n equal parts of a voxel along each axis. */
function shiftedGrids(grid: Grid, samples: readonly number[]): Grid[] {
  const offsets = samples.map((n) => Array.from({ length: n }, (_, i) => (i + 0.5) / n - 0.5));
  const [xs = [], ys = [], zs = []] = offsets;
  const grids: Grid[] = [];
  for (const z of zs)
    for (const y of ys)
      for (const x of xs) {
        const affine = multiply(grid.affine, translation(x, y, z));
        grids.push({ shape: grid.shape, affine });
      }
  return grids;
}
