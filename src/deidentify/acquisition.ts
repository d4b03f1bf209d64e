/**
 * How a scan was made, from a BIDS sidecar (or the same names from DICOM): the few keys that decide its contrast. No other key is
 * read, and none goes into an output.
 *
 * @example
 * const sequence = readAcquisition(JSON.parse(text)); // { family: 'mprage', field: 3, ... }
 */
import * as v from 'valibot';
import type { Sequence, SequenceFamily } from '../brain/signal.js';
import { Refusal } from '../errors/errors.js';

const Positive = v.pipe(v.number(), v.gtValue(0));
const Words = v.union([v.string(), v.array(v.string())]);

/** Times in seconds, as BIDS has them. */
const Acquisition = v.object({
  RepetitionTime: v.optional(Positive),
  RepetitionTimeExcitation: v.optional(Positive),
  RepetitionTimePreparation: v.optional(Positive),
  EchoTime: v.optional(v.pipe(v.number(), v.minValue(0))),
  InversionTime: v.optional(v.pipe(v.number(), v.minValue(0))),
  FlipAngle: v.optional(v.union([Positive, v.array(Positive)])),
  MagneticFieldStrength: v.optional(Positive),
  ScanningSequence: v.optional(Words),
  SequenceVariant: v.optional(Words),
  ScanOptions: v.optional(Words),
  MRAcquisitionType: v.optional(v.string()),
  EchoTrainLength: v.optional(v.number()),
});

/** DICOM's words for fat saturation, and what vendors write beside them. */
const FAT_OPTIONS = new Set(['FS', 'FATSAT', 'FAT_SAT', 'SPIR', 'SPAIR', 'WE', 'FAT_GEMS']);
/** Shorter than this between excitations it is the spacing within a train, as Philips writes it of an MPRAGE. */
const TRAIN_MS = 60;
/** What such a train's interval usually is where nothing else says. */
const USUAL_SHOT_MS = 2500;
/** Longer effective echoes are those of trains with variable angles: their contrast is that of about a third of it (Mugler 2014). */
const [LONG_ECHO_MS, SHARE_OF_LONG] = [180, 0.3];

function wordsOf(value: string | readonly string[] | undefined): string[] {
  const text = value === undefined ? '' : typeof value === 'string' ? value : value.join(' ');
  return text
    .toUpperCase()
    .split(/[^A-Z0-9_]+/)
    .filter((word) => word !== '');
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
      `expected a BIDS sidecar with times in seconds, found in ${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`,
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
  const inverted = inversion !== undefined && inversion > 0;
  const flip = Array.isArray(a.FlipAngle) ? a.FlipAngle[0] : a.FlipAngle;
  const kinds = wordsOf(a.ScanningSequence);
  const gradient =
    kinds.includes('GR') || (!kinds.includes('SE') && flip !== undefined && flip < 60 && echo < LONG_ECHO_MS);
  const family: SequenceFamily = gradient
    ? inverted
      ? 'mprage'
      : 'gradient-echo'
    : inverted
      ? 'inversion-spin-echo'
      : 'spin-echo';
  const inTrain = family === 'mprage' && repetition < TRAIN_MS;
  const options = [...wordsOf(a.ScanOptions), ...wordsOf(a.SequenceVariant)];
  return {
    family,
    field: a.MagneticFieldStrength ?? 3,
    repetition: inTrain ? Math.max(USUAL_SHOT_MS, 2.2 * (inversion ?? 0)) : repetition,
    ...(inTrain ? { spacing: repetition } : {}),
    echo: !gradient && echo > LONG_ECHO_MS ? SHARE_OF_LONG * echo : echo,
    ...(inverted ? { inversion } : {}),
    flip: flip ?? (gradient ? 10 : 90),
    fatSuppressed: options.some((word) => FAT_OPTIONS.has(word)),
  };
}
