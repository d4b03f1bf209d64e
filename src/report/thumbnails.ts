/**
 * Small pictures of a result and the figures by which a list of results is sorted. Of the result alone.
 *
 * @example
 * const { front, left, slice } = thumbnails(result, pose, nodeDeflate); // PNG in base64
 */
import { isRefusal } from '../errors/errors.js';
import { prepareSurface } from '../render/field.js';
import type { PixelImage } from '../render/image.js';
import { type Deflate, encodePng } from '../render/png.js';
import { portrait } from '../render/portrait.js';
import { renderSlices } from '../render/slices.js';
import { VIEWS } from '../render/views.js';
import type { Affine } from '../volume/affine.js';
import { blockMeans, blocksOf } from '../volume/block-means.js';
import { base64 } from '../volume/bytes.js';
import { quantile } from '../volume/statistics.js';
import type { Mask, Volume } from '../volume/volume.js';

/** About 25 kB a result in base64: 149 results make a page of 4 MB. */
const SIZE_PX = 96;
const SLICE_MM = 2.5;

/** Finer voxels are means of blocks: a pixel is 3.3 mm, and making the surface ready at 1 mm took 0.7 s of the 5 that a head takes. */
const VOXEL_MM = 2;

/** PNG in base64 by name: `front`, `left`, `slice` (sagittal, through the middle). One that cannot be drawn is not there. */
export function thumbnails(fine: Volume, pose: Affine, deflate?: Deflate): Readonly<Record<string, string>> {
  const result = blockMeans(fine, blocksOf(fine.grid, VOXEL_MM));
  const pictures: Record<string, string> = {};
  const add = (name: string, image: PixelImage): void => {
    pictures[name] = base64(deflate === undefined ? encodePng(image) : encodePng(image, deflate));
  };
  try {
    const field = prepareSurface(result);
    for (const view of ['front', 'left'] as const)
      add(view, portrait(field, { frame: pose, view: VIEWS[view], size: SIZE_PX }).image);
  } catch (error) {
    // A slab may have no surface to draw; its slice is still worth a look.
    if (!isRefusal(error, 'no-signal')) throw error;
  }
  const [slice] = renderSlices(result, {
    planes: ['sagittal'],
    at: [0, 0, 0],
    frame: pose,
    pixelMm: SLICE_MM,
  });
  if (slice !== undefined) add('slice', slice);
  return pictures;
}

/**
 * Step of brightness where kept and new voxels meet: median over neighbours, in medians of what was kept. Tissue has edges there of
 * its own (fluid, dura, bone), so it compares results with one another; undefined where nothing meets.
 */
export function seamOf({ grid, data }: Volume, altered: Mask): number | undefined {
  const [nx, ny, nz] = grid.shape;
  const where = altered.data;
  const steps: number[] = [];
  const kept: number[] = [];
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++) {
        const here = where[o];
        if (i + 1 < nx && where[o + 1] !== here)
          steps.push(Math.abs((data[o + 1] as number) - (data[o] as number)));
        if (j + 1 < ny && where[o + nx] !== here)
          steps.push(Math.abs((data[o + nx] as number) - (data[o] as number)));
      }
  for (let o = 0; o < where.length; o += 7) if (where[o] === 0) kept.push(data[o] as number);
  if (steps.length === 0 || kept.length === 0) return undefined;
  const level = quantile(Float32Array.from(kept), 0.5);
  const step = quantile(Float32Array.from(steps), 0.5) / level;
  return Number.isFinite(step) ? Number(step.toFixed(3)) : undefined;
}
