/**
 * The frames of an enhanced object as volumes: one, or several that lie on one grid (echoes, time points, kinds of frames), each sorted
 * along the normal whatever order the frames are stored in. Frames of several orientations or stacks make no volume and are refused.
 *
 * @example
 * const layout = layoutOf(frames); // [[12, 0, 13, 1, ...]]: the frames of the first volume
 * const grid = gridOf(frames, layout);
 */
import { Failure, Refusal } from '../errors/errors.js';
import { checkSize, MIN_SLICES } from '../formats/limits.js';
import { type Grid, sameGrid } from '../volume/volume.js';
import { datatypeOf } from './pixels.js';
import { groupBy, sameOrientation } from './series.js';
import type { FrameFacts } from './slice-facts.js';
import { stackGrid } from './stack.js';

/** Per volume its frames, along the normal. */
export type Layout = readonly (readonly number[])[];

/** @throws {Refusal} geometry-invalid, and as `stackGrid` */
export function layoutOf(frames: readonly FrameFacts[]): Layout {
  const [first] = frames;
  if (first === undefined) throw new Failure('internal', 'an object without frames');
  if (!frames.every((frame) => sameOrientation(first, frame)))
    throw new Refusal(
      'geometry-invalid',
      'expected one orientation in an enhanced object, found several: stacks of several are not treated',
    );
  const all = [...frames.keys()];
  const volumes = split(frames, all).sort((a, b) => rankOf(frames, b) - rankOf(frames, a));
  return volumes.map((volume) => {
    const { order } = stackGrid(volume.map((i) => frames[i] as FrameFacts));
    return order.map((k) => volume[k] as number);
  });
}

/** What a brain is looked for in comes first; else as they are stored. */
function rankOf(frames: readonly FrameFacts[], volume: readonly number[]): number {
  return frames[volume[0] as number]?.magnitude === true ? 1 : 0;
}

/**
 * By what the groups say of a frame, as the files of a classic series are; where that leaves two at a place, by the object's own
 * counts. What differs from slice to slice of one stack divides nothing.
 */
function split(frames: readonly FrameFacts[], all: readonly number[]): (readonly number[])[] {
  const fits = (part: readonly number[]): boolean =>
    new Set(part.map((i) => frames[i]?.position.map((mm) => mm.toFixed(2)).join())).size === part.length;
  const by = (...keys: readonly ('volume' | 'counts')[]): (readonly number[])[] => [
    ...groupBy(all, (i) => keys.map((key) => (frames[i] as FrameFacts)[key]).join()).values(),
  ];
  const isStack = (part: readonly number[]): boolean => part.length >= MIN_SLICES && fits(part);
  const said = by('volume');
  if (said.length > 1 && said.every(isStack)) return said;
  if (fits(all)) return [all];
  // The frames that lie doubled are named by what refuses them.
  return [by('counts'), by('volume', 'counts')].find((parts) => parts.every(isStack)) ?? [all];
}

/** @param layout of these frames, or of those that they were made of @throws {Refusal} geometry-invalid, too-large, and as `stackGrid` */
export function gridOf(frames: readonly FrameFacts[], layout: Layout): Grid {
  const grids = layout.map((volume) => {
    const { order, grid } = stackGrid(volume.map((i) => frames[i] as FrameFacts));
    if (!order.every((k, i) => k === i))
      throw new Refusal('geometry-invalid', 'expected frames in the order of their layout, found another');
    return grid;
  });
  const [grid] = grids as [Grid, ...Grid[]];
  if (!grids.every((other) => sameGrid(grid, other)))
    throw new Refusal(
      'geometry-invalid',
      'expected the volumes of an enhanced object on one grid, found several: stacks of several are not treated',
    );
  checkSize(grid.shape, layout.length, datatypeOf((frames[0] as FrameFacts).pixels));
  return grid;
}
