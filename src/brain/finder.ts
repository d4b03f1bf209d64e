/**
 * The first look: where in a scan the brain is, which way it faces and how large it is, at 4 mm and in about a tenth of
 * a second. A network gives the mask; pose and size are those of the average brain laid on it (`pose.ts`). A second pass
 * about what the first found, upright and at an adult's size, is what the network was taught best.
 *
 * @example
 * const found = await findBrain(reducedScan(volume), networks);
 * found?.pose; // brain frame to world, rigid, to about 3 degrees
 */
import { Failure } from '../errors/errors.js';
import type { NetworkRunner, Tensor } from '../networks/runner.js';
import {
  type Affine,
  at,
  boxUnder,
  IDENTITY,
  invert,
  multiply,
  scaling,
  translation,
} from '../volume/affine.js';
import { blockMeans, blocksOf } from '../volume/block-means.js';
import { largestComponent } from '../volume/components.js';
import { dice } from '../volume/dice.js';
import { maskBox } from '../volume/mask-box.js';
import { fillHoles } from '../volume/morphology.js';
import { resampleLinear } from '../volume/resample.js';
import type { Grid, Mask, Shape, Volume } from '../volume/volume.js';
import { reducedScan } from './levels.js';
import { axisRotations, nearPose } from './pose.js';
import { brainTemplate } from './template.js';

export const FINDER_MODEL = 'brain-finder';

const SPACING_MM = 4;
/** Voxels along an axis: what the network halves four times, from the smallest that it was taught to 448 mm. */
const [STEP, LEAST, MOST] = [16, 48, 112] as const;
/** Fewer voxels of 64 mm^3 are no brain: 19 ml. */
const FEWEST = 300;

export interface FoundBrain {
  /** Brain frame (mm) to world (mm), rigid. */
  readonly pose: Affine;
  /** Lengths of this brain over those of the average one. */
  readonly scale: number;
  /** Correlation with the average brain, -1 to 1; 0.97 and more on good heads. */
  readonly correlation: number;
  /** On the grid of the last pass. */
  readonly mask: Mask;
}

/**
 * About the middle of the scan, as much as it covers, coarser only where that is more than 448 mm.
 * @param turn the axes of the grid in the world, rigid; the world's own by default
 */
export function viewGrid(scan: Grid, turn: Affine = IDENTITY): Grid {
  const last = scan.shape.map((n) => n - 0.5) as [number, number, number];
  const [low, high] = boxUnder(multiply(invert(turn), scan.affine), [-0.5, -0.5, -0.5], last);
  const extent = high.map((v, a) => v - (low[a] as number));
  const spacing = Math.max(SPACING_MM, Math.max(...extent) / MOST);
  const shape = extent.map((mm) =>
    // A scan of exactly so many steps is not one of a step more for the last digit of its header (0.06 mm here).
    Math.min(MOST, Math.max(LEAST, STEP * Math.ceil(mm / spacing / STEP - 1e-3))),
  ) as unknown as Shape;
  const corner = shape.map(
    (n, a) => ((low[a] as number) + (high[a] as number)) / 2 - ((n - 1) / 2) * spacing,
  ) as [number, number, number];
  const local = multiply(translation(...corner), scaling(spacing, spacing, spacing));
  return { shape, affine: multiply(turn, local) };
}

/** What the search gave. */
export interface SoughtBrain extends FoundBrain {
  /** Whether it was looked at every way round: then no more is to be had of looking again. */
  readonly everyWay: boolean;
}

/** 64^3 voxels about a brain that was found, upright and at an adult's size. */
export function posedGrid({ pose, scale }: Pick<FoundBrain, 'pose' | 'scale'>): Grid {
  const mm = SPACING_MM * scale;
  const half = 31.5 * mm;
  return {
    shape: [64, 64, 64],
    affine: multiply(pose, multiply(translation(-half, -half, -half - 20 * scale), scaling(mm, mm, mm))),
  };
}

function setCount({ data }: Mask): number {
  let n = 0;
  for (let v = 0; v < data.length; v++) n += data[v] as number;
  return n;
}

/** What the network takes for brain on a grid; undefined where it is less than any brain. */
async function seenOn(
  scan: Volume,
  grid: Grid,
  networks: NetworkRunner,
  signal: AbortSignal | undefined,
): Promise<Mask | undefined> {
  const shape = [1, 1, grid.shape[2], grid.shape[1], grid.shape[0]];
  const seen = resampleLinear(scan, grid);
  for (let v = 0; v < seen.length; v++) if ((seen[v] as number) > 2) seen[v] = 2;
  const image: Tensor = { data: seen, shape };
  const { logits } = await networks.run(FINDER_MODEL, { image }, signal);
  if (logits === undefined) throw new Failure('network-failed', `${FINDER_MODEL} returned no "logits"`);
  const above = new Uint8Array(logits.data.length);
  for (let v = 0; v < above.length; v++) above[v] = (logits.data[v] as number) > 0 ? 1 : 0;
  const mask = fillHoles(largestComponent({ grid, data: above }));
  return setCount(mask) < FEWEST ? undefined : mask;
}

async function look(
  scan: Volume,
  grid: Grid,
  turn: Affine,
  networks: NetworkRunner,
  signal: AbortSignal | undefined,
): Promise<FoundBrain | undefined> {
  const mask = await seenOn(scan, grid, networks, signal);
  return mask === undefined ? undefined : { ...nearPose(mask, brainTemplate(), turn), mask };
}

/** Lengths over the average brain's that are believed; a newborn's is 0.65, a voxel size in wrong units 0.1 or 10. */
const SIZES: readonly [number, number] = [0.35, 1.6];
/** Agreement under which the axes of the header are not believed, and all orders of axes are looked at: heads that stand as their headers say have 0.955 and more (13 of HEADS.md, 3 made MP2RAGE images), two of 69 with a turned header passed for others at 0.932 and 0.935. */
const DOUBTFUL = 0.95;

/** The rotation of a rigid transform. */
function turnOf(pose: Affine): Affine {
  return pose.map((v, e) => (e % 4 === 3 && e < 15 ? 0 : v));
}

/** What is brighter than this, of 1 for bright tissue, may be head; all of a scan with rough air. */
const HEAD = 0.1;
const MARGIN = 2;

/** The grid of the part of a scan in which there may be a head, with 2 voxels of air round it. */
function headGrid({ grid, data }: Volume): Grid {
  const mask = { grid, data: new Uint8Array(data.length) };
  for (let v = 0; v < data.length; v++) mask.data[v] = (data[v] as number) > HEAD ? 1 : 0;
  const { low, high } = maskBox(mask);
  if (high[0] < low[0]) return grid;
  const first = low.map((v) => Math.max(0, v - MARGIN)) as [number, number, number];
  const shape = high.map(
    (v, a) => Math.min((grid.shape[a] as number) - 1, v + MARGIN) + 1 - (first[a] as number),
  );
  return { shape: shape as unknown as Shape, affine: multiply(grid.affine, translation(...first)) };
}

/** A first look this sure, at a brain that stands within so many degrees and of about an adult's size, is not taken again. */
const SURE = 0.97;
const [UPRIGHT_DEGREES, ADULT] = [12, 0.12] as const;

/** Both passes, the first over a part of the scan with the grid's axes turned by `turn`. */
async function lookTwice(
  coarse: Volume,
  part: Grid,
  turn: Affine,
  networks: NetworkRunner,
  signal: AbortSignal | undefined,
): Promise<FoundBrain | undefined> {
  const first = await look(coarse, viewGrid(part, turn), turn, networks, signal);
  if (first === undefined || !(first.scale > SIZES[0] && first.scale < SIZES[1])) return undefined;
  const adult = Math.abs(Math.log(first.scale)) < ADULT;
  if (adult && first.correlation > SURE && degreesBetween(first.pose, turn) < UPRIGHT_DEGREES) return first;
  return (await look(coarse, posedGrid(first), turnOf(first.pose), networks, signal)) ?? first;
}

/**
 * @param scan `reducedScan`: 0 at air, 1 at bright tissue
 * @param everyWay round, even where the axes of the header seem to be right: 24 looks instead of one
 * @returns undefined where nothing like a brain is seen
 */
export async function findBrain(
  scan: Volume,
  networks: NetworkRunner,
  signal?: AbortSignal,
  everyWay = false,
): Promise<SoughtBrain | undefined> {
  const coarse = blockMeans(scan, blocksOf(scan.grid, SPACING_MM));
  const part = headGrid(coarse);
  let best = await lookTwice(coarse, part, IDENTITY, networks, signal);
  if (!everyWay && best !== undefined && best.correlation > DOUBTFUL) return { ...best, everyWay };
  for (const turn of axisRotations().slice(1)) {
    const found = await lookTwice(coarse, part, turn, networks, signal);
    if (found !== undefined && (best === undefined || found.correlation > best.correlation)) best = found;
  }
  return best && { ...best, everyWay: true };
}

/**
 * One look about a brain that is thought to be known: Dice of `mask` with what the network sees there, 0 to 1. It may decide
 * whether that mask is believed; the mask that it sees is given to nobody.
 * @param view where that brain stands and how large it is
 */
export async function confirmBrain(
  volume: Volume,
  mask: Mask,
  view: Pick<FoundBrain, 'pose' | 'scale'>,
  networks: NetworkRunner,
  signal?: AbortSignal,
): Promise<number> {
  const scan = reducedScan(volume, SPACING_MM);
  if (scan === undefined) return 0;
  const seen = await seenOn(scan, posedGrid(view), networks, signal);
  if (seen === undefined) return 0;
  const share = blockMeans(mask, blocksOf(mask.grid, SPACING_MM));
  return dice(
    resampleLinear(share, seen.grid).map((v) => (v > 0.5 ? 1 : 0)),
    seen.data,
  );
}

/** Degrees that two poses differ by. */
export function degreesBetween(a: Affine, b: Affine): number {
  let trace = 0;
  for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) trace += at(a, r, c) * at(b, r, c);
  return (180 / Math.PI) * Math.acos(Math.max(-1, Math.min(1, (trace - 1) / 2)));
}
