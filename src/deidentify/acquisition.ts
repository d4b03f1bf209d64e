/**
 * How a scan was made, from a BIDS sidecar (or the same names from DICOM): the few keys that decide its contrast. No other key is
 * read, and none goes into an output.
 *
 * @example
 * const sequence = readAcquisition(JSON.parse(text)); // { family: 'mprage', field: 3, ... }
 */
import * as v from 'valibot';
import { relaxationOf } from '../brain/relaxation.js';
import type { Sequence, SequenceFamily } from '../brain/signal.js';
import { Refusal } from '../errors/errors.js';

/** Seconds, degrees, tesla: beyond these it is another unit (milliseconds are a common slip). */
const MOST = { repetition: 60, echo: 2, inversion: 20, flip: 360, field: 25 } as const;
const positive = (most: number) => v.pipe(v.number(), v.gtValue(0), v.maxValue(most));
const Words = v.union([v.string(), v.array(v.string())]);

/** Times in seconds, as BIDS has them. */
const Acquisition = v.object({
  RepetitionTime: v.optional(positive(MOST.repetition)),
  RepetitionTimeExcitation: v.optional(positive(MOST.repetition)),
  RepetitionTimePreparation: v.optional(positive(MOST.repetition)),
  EchoTime: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(MOST.echo))),
  InversionTime: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(MOST.inversion))),
  FlipAngle: v.optional(v.union([positive(MOST.flip), v.array(positive(MOST.flip))])),
  MagneticFieldStrength: v.optional(positive(MOST.field)),
  ScanningSequence: v.optional(Words),
  SequenceVariant: v.optional(Words),
  ScanOptions: v.optional(Words),
  MRAcquisitionType: v.optional(v.string()),
  EchoTrainLength: v.optional(v.number()),
  ContrastBolusAgent: v.optional(Words),
  ContrastBolusIngredient: v.optional(Words),
});

/** DICOM's words for fat saturation, and what vendors write beside them. */
const FAT_OPTIONS = new Set(['FS', 'FATSAT', 'FAT_SAT', 'SPIR', 'SPAIR', 'WE', 'FAT_GEMS']);
/** What stands in DICOM's Contrast/Bolus Agent where nothing was given. */
const NO_AGENT = new Set([
  'NO',
  'NONE',
  'NIL',
  'N',
  'A',
  'NA',
  'NOT',
  'GIVEN',
  'WITHOUT',
  'NATIVE',
  'PRE',
  '0',
]);
/** Shorter than this between excitations it is the spacing within a train, as Philips writes it of an MPRAGE. */
const TRAIN_MS = 60;
/** What such a train's interval usually is where nothing else says. */
const [USUAL_SHOT_MS, USUAL_INVERSION_MS] = [2500, 950];
/** Longer effective echoes are those of trains with variable angles: their contrast is that of about a third of it (Mugler 2014). */
const [LONG_ECHO_MS, SHARE_OF_LONG] = [180, 0.3];

function wordsOf(value: string | readonly string[] | undefined): string[] {
  const text = value === undefined ? '' : typeof value === 'string' ? value : value.join(' ');
  return text
    .toUpperCase()
    .split(/[^A-Z0-9_]+/)
    .filter((word) => word !== '');
}

/** Any agent of a head's MRI is a gadolinium one, by whatever name; another ingredient is none that is seen there. */
function agentGiven(agent: string[], ingredient: string[]): boolean {
  if (ingredient.length > 0) return ingredient.includes('GADOLINIUM');
  return agent.some((word) => !NO_AGENT.has(word));
}

/** Where a sidecar has none: an MPRAGE's, or what nulls fluid at 3 T. */
function usualInversion(gradient: boolean, repetition: number): number {
  if (gradient) return USUAL_INVERSION_MS;
  const { t1 } = relaxationOf('fluid', 3);
  return t1 * Math.log(2 / (1 + Math.exp(-repetition / t1)));
}

/**
 * @param json a sidecar's content
 * @throws {Refusal} acquisition-invalid where a key has no value of its kind, or what is needed is not there
 */
export function readAcquisition(json: unknown): Sequence {
  const parsed = v.safeParse(Acquisition, json);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw new Refusal(
      'acquisition-invalid',
      // Not what was found: a value may be a name.
      `expected a BIDS sidecar with times in seconds, found ${v.getDotPath(issue) ?? 'the file'} without ${issue.expected ?? 'a value of its kind'}`,
    );
  }
  const a = parsed.output;
  const ms = (seconds: number | undefined): number | undefined =>
    seconds === undefined ? undefined : 1000 * seconds;
  const repetition = ms(a.RepetitionTimePreparation ?? a.RepetitionTime ?? a.RepetitionTimeExcitation);
  const echo = ms(a.EchoTime);
  if (repetition === undefined || echo === undefined)
    throw new Refusal(
      'acquisition-invalid',
      'expected at least RepetitionTime and EchoTime (seconds) in the sidecar, found none; leave --acquisition away and the brain decides',
    );
  const inversion = ms(a.InversionTime);
  const flip = Array.isArray(a.FlipAngle) ? a.FlipAngle[0] : a.FlipAngle;
  const kinds = wordsOf(a.ScanningSequence);
  const variant = wordsOf(a.SequenceVariant);
  const gradient =
    kinds.includes('GR') || (!kinds.includes('SE') && flip !== undefined && flip < 60 && echo < LONG_ECHO_MS);
  // Philips leaves the inversion time out, and so do multi-echo MPRAGEs: that they are prepared stands elsewhere.
  const prepared = kinds.includes('IR') || (gradient && variant.includes('MP'));
  const inverted = (inversion !== undefined && inversion > 0) || prepared;
  const family: SequenceFamily = gradient
    ? inverted
      ? 'mprage'
      : 'gradient-echo'
    : inverted
      ? 'inversion-spin-echo'
      : 'spin-echo';
  const inTrain = family === 'mprage' && repetition < TRAIN_MS;
  const options = [...wordsOf(a.ScanOptions), ...variant];
  return {
    family,
    field: a.MagneticFieldStrength ?? 3,
    repetition: inTrain ? Math.max(USUAL_SHOT_MS, 2.2 * (inversion ?? 0)) : repetition,
    ...(inTrain ? { spacing: repetition } : {}),
    echo: !gradient && echo > LONG_ECHO_MS ? SHARE_OF_LONG * echo : echo,
    ...(inverted ? { inversion: inversion || usualInversion(gradient, repetition) } : {}),
    flip: flip ?? (gradient ? 10 : 90),
    fatSuppressed: options.some((word) => FAT_OPTIONS.has(word)),
    ...(agentGiven(wordsOf(a.ContrastBolusAgent), wordsOf(a.ContrastBolusIngredient))
      ? { contrastAgent: true }
      : {}),
  };
}
