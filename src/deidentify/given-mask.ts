/**
 * A brain mask that the user gives: what its values mean, and whether it belongs to the image.
 *
 * Programs write masks as 0 and 1, 0 and 255, label maps, probabilities, probabilities as bytes, or one of those after a
 * resampling by splines, with values below 0 and above 1. Read as "every positive value", the last three keep a face
 * whose weak values are 0.02 (`mask_weak_face`: 390 ml of it). A distance map is no mask and is refused by name.
 *
 * @example
 * const { mask, note } = readMask(maskImage, image.grid);
 * requireTogether(mask, found);
 */
import { Refusal } from '../errors/errors.js';
import { type StoredImage, scaledData } from '../formats/stored-image.js';
import { dice } from '../volume/dice.js';
import { type Grid, type Mask, sameGrid } from '../volume/volume.js';

export interface GivenMask {
  readonly mask: Mask;
  /** How the values were read, where there was a choice: for the user. */
  readonly note?: string;
}

/** Share of a mask's finite voxels that lie near its two ends, below which it is no probability map. */
const NEAR_ENDS = 0.8;
/** More distinct whole values than a probability map's few... and than most label maps have. */
const MANY = 20;

interface Values {
  readonly least: number;
  readonly greatest: number;
  readonly whole: boolean;
  /** Distinct values above 0, up to MANY + 1 of them. */
  readonly distinct: number;
}

function survey(values: Float32Array): Values {
  let [least, greatest, whole] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, true];
  const seen = new Set<number>();
  for (let o = 0; o < values.length; o++) {
    const v = values[o] as number;
    if (!Number.isFinite(v)) continue;
    if (v < least) least = v;
    if (v > greatest) greatest = v;
    if (whole && !Number.isInteger(v)) whole = false;
    if (v > 0 && seen.size <= MANY) seen.add(v);
  }
  return { least, greatest, whole, distinct: seen.size };
}

/** Share of the voxels above a tenth of `top` that lie within a fifth of it: a probability map is sure of most of its brain. */
function shareAtTop(values: Float32Array, top: number): number {
  let [at, above] = [0, 0];
  for (let o = 0; o < values.length; o++) {
    const v = values[o] as number;
    if (v > 0.5 * top) above++;
    if (v > 0.8 * top) at++;
  }
  return above === 0 ? 0 : at / above;
}

/** The value above which a voxel is brain, and what the values were taken for. */
function thresholdOf(values: Float32Array, found: Values): { threshold: number; note?: string } {
  const { least, greatest, whole, distinct } = found;
  if (!(greatest > 0)) return { threshold: 0 };
  if (whole && least >= 0) {
    const bytes = distinct > MANY && (greatest === 255 || greatest === 100 || greatest === 1000);
    if (!bytes || shareAtTop(values, greatest) < NEAR_ENDS) return { threshold: 0 };
    return {
      threshold: greatest / 2,
      note: `the mask holds probabilities of 0 to ${greatest}; read from ${greatest / 2} on`,
    };
  }
  if (distinct === 1 && least >= 0) return { threshold: 0 };
  // Not whole, or below 0: probabilities, as they are or after splines, which overshoot by a fifth at most.
  const top = greatest > 0.5 && greatest <= 1.5 ? 1 : greatest;
  if (least < -0.35 * top || shareAtTop(values, top) < NEAR_ENDS)
    throw new Refusal(
      'mask-values',
      `expected a brain mask of 0 and 1, of labels or of probabilities, found values of ${least.toPrecision(3)} to ${greatest.toPrecision(3)} that are none of these (a distance map, or an image?); threshold it first`,
    );
  return {
    threshold: top / 2,
    note: `the mask holds values between 0 and ${top === 1 ? '1' : top.toPrecision(3)}; read as brain from ${top === 1 ? '0.5' : (top / 2).toPrecision(3)} on`,
  };
}

/**
 * @throws {Refusal} mask-mismatch (another grid, or several volumes), mask-empty (none or all voxels), mask-values (no mask)
 */
export function readMask(image: StoredImage, grid: Grid): GivenMask {
  if (image.volumes !== 1)
    throw new Refusal('mask-mismatch', `expected a brain mask of one volume, found ${image.volumes}`);
  if (!sameGrid(image.grid, grid)) throw new Refusal('mask-mismatch', otherGrid(image.grid, grid));
  const values = scaledData(image, 0);
  const { threshold, note } = thresholdOf(values, survey(values));
  const mask: Mask = { grid, data: new Uint8Array(values.length) };
  let set = 0;
  // A plain loop: `Uint8Array.from` with a function goes through an iterator, seconds for 256^3.
  for (let o = 0; o < values.length; o++)
    if ((values[o] as number) > threshold) {
      mask.data[o] = 1;
      set++;
    }
  if (set === 0 || set === mask.data.length)
    throw new Refusal(
      'mask-empty',
      `expected a brain mask with brain and other voxels, found ${set} of ${mask.data.length} set`,
    );
  return note === undefined ? { mask } : { mask, note };
}

/** By how much two grids differ; ITK reads the quaternion form where others read the sheared one. */
function otherGrid(found: Grid, expected: Grid): string {
  const show = (g: Grid): string => g.shape.join('x');
  const start = `expected a brain mask on the image's grid (${show(expected)}), found ${show(found)}`;
  if (show(found) !== show(expected)) return start;
  let furthest = 0;
  for (let corner = 0; corner < 8; corner++) {
    const at = expected.shape.map((n, a) => (corner & (1 << a) ? n - 1 : 0));
    const distance = [0, 1, 2].map((r) =>
      [0, 1, 2, 3].reduce(
        (sum, c) =>
          sum +
          ((found.affine[4 * r + c] as number) - (expected.affine[4 * r + c] as number)) *
            (c === 3 ? 1 : (at[c] as number)),
        0,
      ),
    );
    furthest = Math.max(furthest, Math.hypot(...distance));
  }
  return `${start} that lies elsewhere, by up to ${furthest.toFixed(1)} mm (a program that reads the header's other form writes such masks; copy the image's header to the mask if its voxels are right)`;
}

/** Dice of a given and a found brain below which they do not belong together; HD-BET, deepbet and ours agree at 0.95 and more. */
const LEAST_DICE = 0.85;
/** A mirrored mask is named as such where it fits this much better the other way round. */
const MIRROR_GAIN = 0.02;
const AXES = ['first', 'second', 'third'] as const;

/**
 * A moved mask is named as such where it fits this much better in the brain's place, and lies this far from it. On 18 IXI
 * val heads a mask that is moved by 4 mm gains 0.006 and more at 2.6 mm and more; an honest one lies 1.5 mm away at most, or
 * (brain stem cut off, 4 to 16 mm) fits worse where its middle meets the brain's.
 */
const MOVE_GAIN = 0.005;
const MOVE_MM = 2.5;
/** Masks of other programs leave out up to a twentieth of what is found here; the user is told of more than this. */
const LEFT_OUT = 0.08;

/**
 * Whether a result appears may depend on the whole scan; what it holds may not (promise P1), so the mask found here is
 * thrown away.
 * @throws {Refusal} mask-mismatch when what the networks found is another brain, or a mirrored or a moved one
 */
export function requireTogether(given: Mask, found: Mask): void {
  const straight = dice(given.data, found.data);
  const [nx, ny, nz] = given.grid.shape;
  const mirrors = [
    (o: number) => o - (o % nx) + (nx - 1 - (o % nx)),
    (o: number) => {
      const j = ((o / nx) | 0) % ny;
      return o + nx * (ny - 1 - 2 * j);
    },
    (o: number) => {
      const k = (o / (nx * ny)) | 0;
      return o + nx * ny * (nz - 1 - 2 * k);
    },
  ];
  // A symmetric brain in the middle of its scan fits either way round at 0.97 and more.
  if (straight < 0.97)
    mirrors.forEach((mirror, axis) => {
      const turned = dice(
        given.data.map((_, o) => given.data[mirror(o)] as number),
        found.data,
      );
      if (turned > straight + MIRROR_GAIN && turned > LEAST_DICE)
        throw new Refusal(
          'mask-mismatch',
          `expected a brain mask that belongs to the image, found one that fits when mirrored along its ${AXES[axis]} axis (Dice with the brain found ${turned.toFixed(2)} instead of ${straight.toFixed(2)}); --trust-mask takes it as it is`,
        );
    });
  requireInPlace(given, found, straight);
  if (straight < LEAST_DICE)
    throw new Refusal(
      'mask-mismatch',
      `expected a brain mask that belongs to the image (Dice of at least ${LEAST_DICE} with the brain found), found ${straight.toFixed(2)}; --trust-mask takes it as it is`,
    );
}

/** A mask that is 4 mm off still has a Dice of 0.95 with its brain, one that is 10 mm off 0.87, a tenth of the brain outside. */
function requireInPlace(given: Mask, found: Mask, straight: number): void {
  if (straight >= 0.97) return;
  const { affine } = given.grid;
  const [from, to] = [middle(given), middle(found)];
  const apart = [0, 1, 2].map((a) => (to[a] as number) - (from[a] as number));
  const by = apart.map(Math.round);
  const mm = Math.hypot(
    ...[0, 1, 2].map((r) =>
      apart.reduce((sum, voxels, c) => sum + (affine[4 * r + c] as number) * voxels, 0),
    ),
  );
  if (!(mm > MOVE_MM)) return;
  const moved = dice(shiftMask(given, by as [number, number, number]).data, found.data);
  if (moved < LEAST_DICE || moved - straight < MOVE_GAIN) return;
  throw new Refusal(
    'mask-mismatch',
    `expected a brain mask that belongs to the image, found one that fits when moved by ${mm.toFixed(1)} mm (${by.join(', ')} voxels; Dice with the brain found ${moved.toFixed(2)} instead of ${straight.toFixed(2)}); --trust-mask takes it as it is`,
  );
}

/** Mean of the indices of a mask's voxels. */
function middle({ grid, data }: Mask): [number, number, number] {
  const [nx, ny] = grid.shape;
  let [i, j, k, n] = [0, 0, 0, 0];
  for (let o = 0; o < data.length; o++) {
    if (data[o] === 0) continue;
    i += o % nx;
    j += ((o / nx) | 0) % ny;
    k += (o / (nx * ny)) | 0;
    n++;
  }
  return [i / n, j / n, k / n];
}

/** The mask, moved by whole voxels; what leaves the grid is gone. */
export function shiftMask({ grid, data }: Mask, by: readonly [number, number, number]): Mask {
  const [nx, ny, nz] = grid.shape;
  const moved: Mask = { grid, data: new Uint8Array(data.length) };
  for (let o = 0; o < data.length; o++) {
    if (data[o] === 0) continue;
    const i = (o % nx) + by[0];
    const j = (((o / nx) | 0) % ny) + by[1];
    const k = ((o / (nx * ny)) | 0) + by[2];
    if (i >= 0 && j >= 0 && k >= 0 && i < nx && j < ny && k < nz)
      moved.data[i + nx * (j + ny * k)] = data[o] as number;
  }
  return moved;
}

/** What to tell of a part of the brain that nothing keeps; undefined where there is none to speak of. */
export function leftOut(kept: Mask, found: Mask): string | undefined {
  let [brain, missing] = [0, 0];
  for (let o = 0; o < found.data.length; o++) {
    if (found.data[o] === 0) continue;
    brain++;
    if (kept.data[o] === 0) missing++;
  }
  if (!(missing > LEFT_OUT * brain)) return undefined;
  return `the given mask leaves out ${((100 * missing) / brain).toFixed(0)} % of the brain that was found, and that part is not kept: look at the mask on the image`;
}
