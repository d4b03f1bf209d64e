/**
 * How bright the tissues outside the brain are in a scan, told from the brain alone: by the scan's sequence where it is known,
 * else by one drawn from those that would give this brain's grey matter, white matter and fluid (promise P1: no voxel
 * outside the brain is asked, and what a sequence is says nothing of the person).
 *
 * @example
 * const levels = levelsOfSequence(sequence, brain);          // known from a sidecar
 * const drawn = drawLevels(brain, 'auto', random);           // not known
 */
import type { Random } from '../volume/random.js';
import { BODY_TISSUES, type BodyTissue, relaxationOf } from './relaxation.js';
import { relaxationIn, type Sequence, signalOf } from './signal.js';
import type { Contrast, Tissue, TissueFit } from './tissues.js';

/** In brain levels: 0 is air, 1 the brain's median. */
export type BrainLevels = Readonly<Record<Tissue, number>>;
/** In brain levels. */
export type TissueLevels = Readonly<Record<BodyTissue, number>>;

/** @param air value of air, @param level the brain's median above it, both in the fit's units */
export function brainLevels({ mean }: TissueFit, air: number, level: number): BrainLevels {
  return {
    fluid: (mean.fluid - air) / level,
    grey: (mean.grey - air) / level,
    white: (mean.white - air) / level,
  };
}

/** Of the training heads: 113, IXI at 3 T, see docs/results.md. */
export const LEARNT: BrainLevels = { fluid: 0.452, grey: 0.907, white: 1.266 };
/** Logarithms of fluid over grey and white over grey in those heads: means and standard deviations. */
const LEARNT_RATIOS = { fluid: [-0.698, 0.071], white: [0.336, 0.015] } as const;
/** Between heads of one protocol and from the equations to a scanner: what a sequence that is only guessed is sure to. */
const GUESSED = { fluid: 0.3, white: 0.06 } as const;

/** A sequence that is only guessed can be off by more: no tissue is corrected by more than this factor. */
const MOST_CORRECTION = Math.log(2);
/**
 * Fluid in sulci shares its voxels with grey matter: by about this share of their difference pure fluid lies beyond what the
 * brain shows (seven T1-weighted heads' vitreous, one T2-weighted and one FLAIR); it keeps this share of grey matter's level.
 */
const [BEYOND, LEAST_FLUID] = [0.45, 0.08];
/** In brain levels: no scan at hand goes beyond in the bulk of a tissue, and few guesses that do are right. */
const BRIGHTEST: Partial<Readonly<Record<BodyTissue, number>>> = {
  fat: 2.6,
  marrow: 1.6,
  gland: 1.8,
  skin: 1.3,
};
/** How alike in the logarithms of T1 and T2 two tissues are to be corrected alike. */
const ALIKE = 0.7;
/** Cortical bone has no signal of its own; what one sees is what lies in the same voxel. */
const [BONE_OF_MUSCLE, BONE_OF_FAT] = [0.14, 0.05];

const logOf = (value: number): number => Math.log(Math.max(1e-3, value));

/**
 * The equations' answer, scaled to the brain: exactly right for tissues like grey matter, white matter or fluid, in between for
 * those that are like none of them.
 */
export function levelsOfSequence(sequence: Sequence, brain: BrainLevels): TissueLevels {
  const pure = {
    ...brain,
    fluid: Math.max(LEAST_FLUID * brain.grey, brain.fluid + BEYOND * (brain.fluid - brain.grey)),
  };
  const anchors = (['grey', 'white', 'fluid'] as const).map((tissue) => ({
    ...relaxationOf(tissue, sequence.field),
    off: logOf(pure[tissue]) - logOf(signalOf(tissue, sequence)),
  }));
  const middle = ((anchors[0]?.off ?? 0) + (anchors[1]?.off ?? 0)) / 2;
  const levels = {} as Record<BodyTissue, number>;
  for (const tissue of BODY_TISSUES) {
    const { t1, t2 } = relaxationIn(tissue, sequence);
    let [sum, weights] = [0, 0];
    for (const anchor of anchors) {
      const far = Math.hypot(logOf(t1 / anchor.t1), logOf(t2 / anchor.t2)) / ALIKE;
      const weight = Math.exp(-0.5 * far * far);
      sum += weight * Math.max(-MOST_CORRECTION, Math.min(MOST_CORRECTION, anchor.off - middle));
      weights += weight;
    }
    levels[tissue] = signalOf(tissue, sequence) * Math.exp(middle + sum / Math.max(1, weights));
  }
  for (const tissue of BODY_TISSUES) levels[tissue] = Math.min(levels[tissue], BRIGHTEST[tissue] ?? 4);
  // Where fluid is nulled noise and neighbours still are seen in it.
  for (const tissue of ['eye', 'fluid'] as const)
    levels[tissue] = Math.max(levels[tissue], LEAST_FLUID * brain.grey);
  levels.bone += BONE_OF_MUSCLE * levels.muscle + BONE_OF_FAT * levels.fat;
  return levels;
}

/** What is asked for: a contrast, or `auto` for what the brain says. */
export type ContrastChoice = 'auto' | Exclude<Contrast, 'unknown'>;

const CANDIDATES = 300;
/** Of the protocol that the head was learnt from, among all that could be. */
const LEARNT_SHARE = 0.15;

const between = (random: Random, low: number, high: number): number => low + (high - low) * random.uniform();

/** A sequence as they are used, of one contrast. */
export function randomSequence(contrast: Exclude<Contrast, 'unknown'>, random: Random): Sequence {
  const at = random.uniform();
  const field = at < 0.35 ? 1.5 : at < 0.95 ? 3 : 7;
  const kind = random.uniform();
  const suppressed = random.uniform();
  switch (contrast) {
    case 't1w': {
      const fatSuppressed = suppressed < 0.12;
      if (kind < 0.7)
        return {
          family: 'mprage',
          field,
          repetition: between(random, 1700, 2600),
          echo: between(random, 2, 4.6),
          inversion: between(random, 750, 1100),
          flip: between(random, 7, 12),
          spacing: between(random, 6, 9),
          excitations: between(random, 120, 190),
          fatSuppressed,
        };
      if (kind < 0.88)
        return {
          family: 'gradient-echo',
          field,
          repetition: between(random, 7, 30),
          echo: between(random, 2, 6),
          flip: between(random, 12, 35),
          fatSuppressed,
        };
      return {
        family: 'spin-echo',
        field,
        repetition: between(random, 400, 750),
        echo: between(random, 8, 16),
        flip: 90,
        fatSuppressed,
      };
    }
    case 't2w':
      return kind < 0.8
        ? {
            family: 'spin-echo',
            field,
            repetition: between(random, 2500, 7000),
            echo: between(random, 60, 120),
            flip: 90,
            fatSuppressed: suppressed < 0.25,
          }
        : {
            family: 'gradient-echo',
            field,
            repetition: between(random, 400, 900),
            echo: between(random, 14, 30),
            flip: between(random, 15, 30),
          };
    case 'flair': {
      const repetition = between(random, 5000, 11000);
      // Fluid is nulled, to a few per cent.
      const { t1 } = relaxationOf('fluid', field);
      const nulled = t1 * Math.log(2 / (1 + Math.exp(-repetition / t1)));
      return {
        family: 'inversion-spin-echo',
        field,
        repetition,
        echo: between(random, 80, 140),
        inversion: nulled * between(random, 0.93, 1.04),
        flip: 90,
        fatSuppressed: suppressed < 0.5,
      };
    }
    case 'pdw':
      return {
        family: 'spin-echo',
        field,
        repetition: between(random, 2000, 5000),
        echo: between(random, 8, 30),
        flip: 90,
        fatSuppressed: suppressed < 0.25,
      };
  }
}

const FAMILIES = ['t1w', 't2w', 'flair', 'pdw'] as const;

/** Log likelihood of this brain under ratios over grey (logarithms) with these deviations. */
function likelihood(
  brain: BrainLevels,
  ratios: { readonly fluid: number; readonly white: number },
  spread: { readonly fluid: number; readonly white: number },
): number {
  const f = (logOf(brain.fluid / brain.grey) - ratios.fluid) / spread.fluid;
  const w = (logOf(brain.white / brain.grey) - ratios.white) / spread.white;
  return -0.5 * (f * f + w * w) - Math.log(spread.fluid * spread.white);
}

/**
 * A draw from the sequences that give such a brain.
 * @param contrastAgent whether an agent was given, which a healthy brain does not tell: heads were learnt without
 * @returns undefined: the one that the head was learnt from, whose levels need no change
 */
export function drawLevels(
  brain: BrainLevels,
  choice: ContrastChoice,
  random: Random,
  contrastAgent = false,
): TissueLevels | undefined {
  const candidates: { sequence: Sequence | undefined; log: number }[] = [];
  if (!contrastAgent && (choice === 'auto' || choice === 't1w')) {
    const [fluid, fluidSpread] = LEARNT_RATIOS.fluid;
    const [white, whiteSpread] = LEARNT_RATIOS.white;
    candidates.push({
      sequence: undefined,
      log:
        // Scanners of the same protocol differ by more than one scanner from day to day.
        likelihood(brain, { fluid, white }, { fluid: 2 * fluidSpread, white: 2 * whiteSpread }) +
        Math.log(LEARNT_SHARE * CANDIDATES),
    });
  }
  for (let i = 0; i < CANDIDATES; i++) {
    const contrast = choice === 'auto' ? (FAMILIES[i % FAMILIES.length] ?? 't1w') : choice;
    const sequence = randomSequence(contrast, random);
    const grey = logOf(signalOf('grey', sequence));
    candidates.push({
      sequence,
      log: likelihood(
        brain,
        {
          fluid: logOf(signalOf('fluid', sequence)) - grey,
          white: logOf(signalOf('white', sequence)) - grey,
        },
        GUESSED,
      ),
    });
  }
  const best = Math.max(...candidates.map(({ log }) => log));
  const weights = candidates.map(({ log }) => Math.exp(log - best));
  let left = random.uniform() * weights.reduce((sum, w) => sum + w, 0);
  let chosen = candidates[0]?.sequence;
  for (const [i, { sequence }] of candidates.entries()) {
    chosen = sequence;
    left -= weights[i] as number;
    if (left < 0) break;
  }
  return chosen === undefined ? undefined : levelsOfSequence({ ...chosen, contrastAgent }, brain);
}
