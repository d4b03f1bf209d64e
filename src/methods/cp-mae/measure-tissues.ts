/**
 * How bright fat, muscle, bone and the eyes' vitreous are in a whole head of any contrast. Where they lie is told by the mean
 * head that its brain suggests, within a few millimetres; the median is taken where each tissue is surest, and over the same
 * median of that mean head it says how much brighter the tissue is than where heads were learnt. Looks at all of the head:
 * for profiles over many heads and for measuring, never for what one result holds.
 *
 * @example
 * const levels = await measureTissues(head, context); // levels.fat / levels.muscle
 */
import type { Head } from '../../brain/head.js';
import type { TissueLevels } from '../../brain/protocol.js';
import { BODY_TISSUES, type BodyTissue } from '../../brain/relaxation.js';
import { Failure } from '../../errors/errors.js';
import { largestComponent } from '../../volume/components.js';
import { fillHoles, invertMask, squaredDistance } from '../../volume/morphology.js';
import { resampleLinear } from '../../volume/resample.js';
import { gaussianSmooth } from '../../volume/smooth.js';
import { quantile } from '../../volume/statistics.js';
import type { Grid } from '../../volume/volume.js';
import type { MethodContext } from '../method.js';
import { cpMaeMean } from './cp-mae.js';

/** Those that are thick enough to be met; the others are in proportion to what they are like. */
export const MEASURED = [
  'fat',
  'marrow',
  'bone',
  'muscle',
  'mucosa',
  'eye',
] as const satisfies readonly BodyTissue[];
export type MeasuredTissue = (typeof MEASURED)[number];

const LIKE: Readonly<Record<Exclude<BodyTissue, MeasuredTissue>, MeasuredTissue>> = {
  gland: 'muscle',
  skin: 'muscle',
  lens: 'muscle',
  blood: 'muscle',
  nerve: 'muscle',
  fluid: 'eye',
};

/** The mean head's tissues lie within about this of the true ones. */
const BLUR_MM = 3;
/** Below this in brain levels the mean head has air. */
const AIR_LEVEL = 0.1;
/** Of a tissue: its surest places, by rank or by their share of the surest's. */
const [SUREST, SURE_SHARE, LEAST_PLACES] = [400, 0.85, 100];

export interface TissueMeasure {
  /** In brain levels. */
  readonly levels: TissueLevels;
  /** Tissues that were met in the field of view; the others have the levels learnt. */
  readonly met: readonly MeasuredTissue[];
}

/** Skin begins above this in brain levels, in any contrast. */
const SKIN_LEVEL = 0.15;
/** Depth of the scalp's fat under the skin's surface, and how far it is from the brain's mask at least. */
const [FAT_FROM_MM, FAT_TO_MM, OFF_BRAIN_MM] = [3, 6.5, 7];
/** Galea and bone share the layer and are darker, in every contrast without suppression. */
const FAT_QUANTILE = 0.75;
/** In mm from the cube's centre. */
const CHIN_Z = -88;
/** Above the ears, in mm of the brain frame: below, fat of that depth is anybody's guess. */
const VAULT_Z = 0;

/**
 * Level of the scalp's fat, which is where it is in every head: under the skin of the vault. A layer of 3 mm cannot be met by a
 * mean head that is 3 mm off.
 * @param values brain levels at 2 mm; NaN where nothing was scanned
 */
function scalpFat(values: Float32Array, brain: Float32Array, grid: Grid): number | undefined {
  const [nx, ny, nz] = grid.shape;
  const solid = Uint8Array.from(values, (v, o) => (v > SKIN_LEVEL || (brain[o] as number) > 0 ? 1 : 0));
  const head = fillHoles(largestComponent({ grid, data: solid }));
  const depth = squaredDistance(invertMask(head));
  const off = squaredDistance({ grid, data: Uint8Array.from(brain, (b) => (b > 0.5 ? 1 : 0)) });
  const found: number[] = [];
  for (let k = Math.ceil((nz - 1) / 2 + (VAULT_Z + 30) / 2); k < nz; k++)
    for (let o = k * nx * ny; o < (k + 1) * nx * ny; o++) {
      const d = depth[o] as number;
      if (d < FAT_FROM_MM ** 2 || d > FAT_TO_MM ** 2 || (off[o] as number) < OFF_BRAIN_MM ** 2) continue;
      if (Number.isFinite(values[o])) found.push(values[o] as number);
    }
  return found.length < LEAST_PLACES ? undefined : quantile(Float32Array.from(found), FAT_QUANTILE);
}

/** Median of two volumes where `share` is greatest and the first is finite; undefined where too little is left. */
function medians(
  share: Float32Array,
  scan: Float32Array,
  mean: Float32Array,
): readonly [number, number] | undefined {
  let best = 0;
  for (const s of share) if (s > best) best = s;
  const candidates: number[] = [];
  for (let o = 0; o < share.length; o++)
    if ((share[o] as number) > 0.4 * best && Number.isFinite(scan[o])) candidates.push(o);
  candidates.sort((a, b) => (share[b] as number) - (share[a] as number));
  const sure = candidates.filter((o, rank) => rank < SUREST || (share[o] as number) > SURE_SHARE * best);
  if (sure.length < LEAST_PLACES) return undefined;
  const of = (data: Float32Array): number =>
    quantile(
      Float32Array.from(sure, (o) => data[o] as number),
      0.5,
    );
  return [of(scan), of(mean)];
}

/**
 * @throws {Refusal} contrast-unsupported  @throws {Failure} network-failed, model-corrupt
 */
export async function measureTissues(head: Head, context: MethodContext): Promise<TissueMeasure> {
  const at2mm = { ...context, resolution: 128 as const };
  const gamma = await cpMaeMean.condition(head, at2mm);
  const mean = await cpMaeMean.synthesize(gamma, new Uint32Array(8), at2mm);
  const tissues = await mean.tissues?.();
  if (tissues === undefined) throw new Failure('internal', 'the mean head does not know its tissues');
  const scan = resampleLinear(head.volume, mean.grid, { outside: Number.NaN });
  for (let o = 0; o < scan.length; o++) scan[o] = (scan[o] as number) / head.brainLevel;
  // The brain itself is no tissue of the complement, wherever the mean head thinks so.
  const brain = resampleLinear(head.brainMask, mean.grid);
  const factors = new Map<BodyTissue, number>();
  const fat = [scalpFat(scan, brain, mean.grid), scalpFat(mean.data, brain, mean.grid)] as const;
  if (fat[0] !== undefined && fat[1] !== undefined) factors.set('fat', fat[0] / fat[1]);
  // Nor what lies below the chin, where a scan may end and a drawn head does.
  const [nx, ny, nz] = mean.grid.shape;
  const below = nx * ny * Math.round((nz - 1) / 2 + CHIN_Z / 2);
  for (let o = 0; o < scan.length; o++) if (o < below || (brain[o] as number) > 0) scan[o] = Number.NaN;
  for (const tissue of MEASURED) {
    if (tissue === 'fat') continue;
    const number = BODY_TISSUES.indexOf(tissue);
    const where = Float32Array.from(mean.data, (v, o) =>
      v >= AIR_LEVEL && tissues.first[o] === number ? 1 : 0,
    );
    const share = gaussianSmooth({ grid: mean.grid, data: where }, BLUR_MM).data;
    const found = medians(share, scan, mean.data);
    if (found !== undefined) factors.set(tissue, Math.max(0, found[0]) / Math.max(0.02, found[1]));
  }
  const levels = {} as Record<BodyTissue, number>;
  for (const tissue of BODY_TISSUES) {
    const like = tissue in LIKE ? LIKE[tissue as keyof typeof LIKE] : tissue;
    levels[tissue] = tissues.levels[tissue] * (factors.get(like) ?? 1);
  }
  return { levels, met: MEASURED.filter((tissue) => factors.has(tissue)) };
}
