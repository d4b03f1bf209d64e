/**
 * Brain extraction in two looks: the finder says at 4 mm where the brain is, how it is turned and how large it is
 * (`finder.ts`), then one network at 2 mm gives the mask, about a brain that stands upright at an adult's size. Only where
 * the first look was unsure it is taken again: where the mask says that the brain stands otherwise, about that pose, and
 * where the two networks do not see the same brain, mirrored. What is not plausible is refused.
 *
 * @example
 * const { mask, agreement } = await extractBrain(volume, networks, {});
 */
import { Refusal } from '../errors/errors.js';
import type { NetworkRunner } from '../networks/runner.js';
import { aboveLevel } from '../volume/above-level.js';
import type { Affine } from '../volume/affine.js';
import { largestComponent } from '../volume/components.js';
import { dice } from '../volume/dice.js';
import { fillHoles } from '../volume/morphology.js';
import { resampleLinear } from '../volume/resample.js';
import { quantile } from '../volume/statistics.js';
import type { Grid, Mask, Volume } from '../volume/volume.js';
import { type Crop, type CropView, cropGrid, cropLogits, installedCrop, onSides } from './crop.js';
import { degreesBetween, type FoundBrain, findBrain } from './finder.js';
import { darkBrain } from './intensity.js';
import { reducedScan } from './levels.js';
import {
  FIND_ADVICE,
  FOUND_LIMITS,
  type MaskMeasures,
  measureMask,
  requirePlausible,
} from './plausibility.js';
import { roughPose } from './pose.js';
import { strippedBrainMl } from './stripped.js';
import { brainTemplate } from './template.js';

/** Logit above which a voxel is brain: recall before Dice. On 18 IXI val heads -1.5, -1.8 and -2 miss 0.64, 0.48 and 0.37 % of it at a Dice of 0.978, 0.977 and 0.974. */
export const BRAIN_LOGIT = -1.8;
/**
 * Dice of the two looks at 4 mm below which a third is taken, and below which the brain is refused after it: real heads of any contrast
 * reach 0.90 and more (13 of HEADS.md, 36 IXI, 96 painted), a fruit 0.61. Of 12 people painted in contrasts of no scanner those found
 * rightly have 0.86 and more; one whose neck was taken for a brain had 0.806, and a shape of 0.962.
 */
const SURE = 0.9;
const LEAST_AGREEMENT = 0.85;
/** Less agreement is enough where the mask has the very shape of a brain: MP2RAGE images agree at 0.798 to 0.847 with shapes of 0.990 to 0.995 (3 made ones), IXI brains have 0.985 and more; a fruit has under 0.93, and so has a head taken upside down. */
const SHAPELY_AGREEMENT = 0.75;
const SHAPELY = 0.985;
const OUTSIDE_LOGIT = -20;
/** A brain with more voxels than this on the crop's sides is cut by them, and looked at in a crop this much wider. */
const [MOST_ON_SIDES, WIDER] = [60, 1.15] as const;

export interface BrainExtraction {
  /** On the grid of the image. */
  readonly mask: Mask;
  /** Dice of what the two networks found, 0 to 1. */
  readonly agreement: number;
  readonly measures: MaskMeasures;
  /** Brain frame to world as it was looked at, from the whole scan: it decides nothing that a result holds. */
  readonly pose: Affine;
}

/** Degrees, share and mm beyond which the network sees what it was hardly taught (deviations of 6 degrees, 5 % and 4 mm). */
const [MOST_DEGREES, MOST_SIZE, MOST_MM] = [10, 0.12, 12] as const;
/** Degrees between how a brain was looked for and how its mask stands: real heads differ by 8 at most, one that took a jaw in by 110. */
const MOST_TURNED = 30;

function stoodOtherwise(a: CropView, b: CropView): boolean {
  const away = [3, 7, 11].map((e) => (a.pose[e] as number) - (b.pose[e] as number));
  return (
    degreesBetween(a.pose, b.pose) > MOST_DEGREES ||
    Math.abs(Math.log(a.scale / b.scale)) > MOST_SIZE ||
    Math.hypot(...away) > MOST_MM
  );
}

/** The brain's level in the units of the reduced scan: the median under the finder's mask. */
function levelOf(scan: Volume, found: FoundBrain): number {
  const seen = resampleLinear(scan, found.mask.grid);
  let n = 0;
  for (let v = 0; v < seen.length; v++) if (found.mask.data[v] !== 0) seen[n++] = seen[v] as number;
  return quantile(seen.subarray(0, n), 0.5);
}

function above(data: Float32Array, level: number, grid: Grid): Mask {
  const mask = new Uint8Array(data.length);
  for (let i = 0; i < mask.length; i++) mask[i] = (data[i] as number) > level ? 1 : 0;
  return { grid, data: mask };
}

/** One piece without holes. Cleaned at 2 mm, not on the scan's own grid, where it costs a second and finds the same. */
function cleaned(logits: Float32Array, grid: Grid): Volume {
  const whole = fillHoles(largestComponent(above(logits, BRAIN_LOGIT, grid)));
  const data = new Float32Array(logits.length);
  for (let i = 0; i < data.length; i++) {
    const logit = logits[i] as number;
    data[i] = whole.data[i] === 1 ? Math.max(logit, BRAIN_LOGIT + 0.1) : Math.min(logit, BRAIN_LOGIT - 1e-3);
  }
  return { grid, data };
}

/** Dice of the crop's brain with what the finder saw, on the finder's grid. */
function agreementOf(logits: Volume, found: FoundBrain): number {
  const { grid } = found.mask;
  const seen = above(resampleLinear(logits, grid, { outside: OUTSIDE_LOGIT }), 0, grid);
  return dice(seen.data, found.mask.data);
}

/** Rows of `n` values, each from its other end. */
function mirrored(data: Float32Array, n: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let row = 0; row < data.length; row += n)
    for (let i = 0; i < n; i++) out[row + i] = data[row + n - 1 - i] as number;
  return out;
}

/** Why no brain was found: for a scan that holds one and no head, that. */
function notFound(scan: Volume | undefined, message: string): Refusal {
  const ml = scan === undefined ? undefined : strippedBrainMl(scan);
  return new Refusal(
    'brain-implausible',
    ml === undefined
      ? `${message}; ${FIND_ADVICE}`
      : `expected a head, found a brain alone (${ml.toFixed(0)} ml of tissue in the shape of one, no head outside it): the scan seems to be skull-stripped already, and has no face to replace`,
  );
}

interface CloserLook {
  /** On the grid of the image. */
  readonly mask: Mask;
  readonly view: CropView;
  readonly agreement: number;
}

/** Whether the mask that was found is that of a brain turned otherwise than it was looked for: then a part of it is something else. */
function standsTurned({ mask, view }: CloserLook): boolean {
  return mask.data.includes(1) && degreesBetween(view.pose, measureMask(mask).fit.pose) > MOST_TURNED;
}

/** The second network about a brain that was found, once more where that stands otherwise, and mirrored where the two do not agree. */
async function lookCloser(
  scan: Volume,
  image: Grid,
  found: FoundBrain,
  crop: Crop,
  networks: NetworkRunner,
  signal: AbortSignal | undefined,
): Promise<CloserLook> {
  const level = levelOf(scan, found);
  if (!(level > 0)) throw darkBrain('one that is as dark');
  const at = async (view: CropView): Promise<Volume> =>
    cleaned(
      await cropLogits(scan, level, cropGrid(crop, view, 1), networks, signal),
      cropGrid(crop, view, 1),
    );
  let view: CropView = found;
  let logits = await at(view);
  const seen = above(logits.data, BRAIN_LOGIT, logits.grid);
  const refined = seen.data.includes(1) ? roughPose(seen, brainTemplate()) : found;
  if (refined.correlation > found.correlation && stoodOtherwise(found, refined)) {
    view = refined;
    logits = await at(view);
  }
  if (onSides(logits, BRAIN_LOGIT) > MOST_ON_SIDES) {
    view = { pose: view.pose, scale: view.scale * WIDER };
    logits = await at(view);
  }
  let agreement = agreementOf(logits, found);
  if (agreement < SURE) {
    const other = mirrored(
      await cropLogits(scan, level, cropGrid(crop, view, -1), networks, signal),
      crop.shape[0],
    );
    const mean = other.map((v, i) => (v + (logits.data[i] as number)) / 2);
    logits = cleaned(mean, logits.grid);
    agreement = agreementOf(logits, found);
  }
  return { mask: aboveLevel(logits, image, BRAIN_LOGIT), view, agreement };
}

/**
 * @param volume values on the stored grid; more than the brain may be missing, the brain may not
 * @throws {Refusal} brain-implausible
 */
export async function extractBrain(
  volume: Volume,
  networks: NetworkRunner,
  options: { readonly signal?: AbortSignal } = {},
): Promise<BrainExtraction> {
  const { signal } = options;
  const scan = reducedScan(volume);
  const found = scan === undefined ? undefined : await findBrain(scan, networks, signal);
  if (scan === undefined || found === undefined)
    throw notFound(scan, 'expected to find a brain in the image, found none');
  const crop = await installedCrop(networks);
  let look = await lookCloser(scan, volume.grid, found, crop, networks, signal);
  if (!found.everyWay && (look.agreement < SURE || standsTurned(look))) {
    // Upside down a brain may pass for one that stands as the header says: all ways round, then.
    const turned = await findBrain(scan, networks, signal, true);
    if (turned !== undefined && stoodOtherwise(turned, found)) {
      const other = await lookCloser(scan, volume.grid, turned, crop, networks, signal);
      if (other.agreement > look.agreement) look = other;
    }
  }
  const { mask, view, agreement } = look;
  const shapely = (): boolean =>
    agreement >= SHAPELY_AGREEMENT && mask.data.includes(1) && measureMask(mask).fit.correlation >= SHAPELY;
  if (agreement < LEAST_AGREEMENT && !shapely())
    throw notFound(
      scan,
      `expected two networks to find the same brain (Dice of at least ${LEAST_AGREEMENT}), found ${agreement.toFixed(3)}`,
    );
  const measures = measureMask(mask);
  requirePlausible(measures, FOUND_LIMITS);
  if (standsTurned(look))
    throw notFound(
      scan,
      `expected a brain that stands as it was looked for, found one turned by ${degreesBetween(view.pose, measures.fit.pose).toFixed(0)} degrees`,
    );
  return { mask, agreement, measures, pose: view.pose };
}
