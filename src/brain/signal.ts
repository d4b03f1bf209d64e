/**
 * What a sequence makes of a tissue: the signal equations of spin echo, inversion recovery, spoiled gradient echo and MPRAGE
 * (Bernstein, King and Zhou, Handbook of MRI Pulse Sequences, 2004; for MPRAGE's steady state Deichmann et al., NeuroImage
 * 12:112, 2000). Up to a factor that the scanner chooses and the brain's own values tell.
 *
 * @example
 * signalOf('fat', { family: 'mprage', field: 3, repetition: 2300, echo: 3, inversion: 900, flip: 9 }) /
 *   signalOf('white', sequence); // 1.6
 */
import { type AnyTissue, enhancedRelaxationOf, type Relaxation, relaxationOf } from './relaxation.js';

export const SEQUENCE_FAMILIES = ['spin-echo', 'inversion-spin-echo', 'gradient-echo', 'mprage'] as const;
export type SequenceFamily = (typeof SEQUENCE_FAMILIES)[number];

/** Times in milliseconds, angle in degrees. */
export interface Sequence {
  readonly family: SequenceFamily;
  /** Tesla. */
  readonly field: number;
  /** Between excitations; of MPRAGE between inversions. */
  readonly repetition: number;
  /** Effective: of a turbo spin echo with variable angles, what a plain one of the same contrast would have. */
  readonly echo: number;
  readonly inversion?: number;
  readonly flip: number;
  /** Of MPRAGE's readout; 7 ms when absent. */
  readonly spacing?: number;
  /** Of MPRAGE's readout; 160 when absent. */
  readonly excitations?: number;
  /** Fat saturation, water excitation or an inversion that nulls fat; default false. */
  readonly fatSuppressed?: boolean;
  /** Made some minutes after a gadolinium agent was given; default false. */
  readonly contrastAgent?: boolean;
}

/** What suppression leaves of fat: between 5 and 20 % is usual, and marrow's water stays. */
const [FAT_LEFT, MARROW_LEFT] = [0.12, 0.4];
/** Voxels that hold water too lose some of both where no pulse refocuses them: of what T1 says, seven T1-weighted heads show this. */
const FAT_UNREFOCUSED = 0.68;
/** Refocusing pulses in quick succession undo part of fat's J-coupling: it decays slower than its single-echo T2 says. */
const FAST_ECHO_FAT = 1.5;

/** Spoiled gradient echo in its steady state, without decay. */
function ernst(t1: number, repetition: number, flip: number): number {
  const e = Math.exp(-repetition / t1);
  const angle = (flip * Math.PI) / 180;
  return (Math.sin(angle) * (1 - e)) / (1 - Math.cos(angle) * e);
}

/** Magnetisation in the middle of MPRAGE's readout, in its steady state, without decay; the sign kept. */
function mprage(t1: number, s: Sequence): number {
  const spacing = s.spacing ?? 7;
  const inversion = s.inversion ?? 900;
  // The readout must fit twice before its middle and after it.
  const most = (2 * Math.min(inversion, s.repetition - inversion)) / spacing;
  const count = Math.max(2, Math.min(s.excitations ?? 160, Math.floor(0.95 * most)));
  const angle = (s.flip * Math.PI) / 180;
  const e = Math.exp(-spacing / t1);
  const each = Math.cos(angle) * e;
  const driven = (1 - e) / (1 - each);
  const before = Math.exp(-(inversion - (count * spacing) / 2) / t1);
  const after = Math.exp(-(s.repetition - inversion - (count * spacing) / 2) / t1);
  const through = each ** count;
  // m is what the inversion finds: m -> -m -> recovery -> readout -> recovery -> m
  const start = 1 - before;
  const offset = (start - driven) * through + driven;
  const m = (offset * after + 1 - after) / (1 + before * through * after);
  const first = start - m * before;
  return Math.sin(angle) * ((first - driven) * each ** (count / 2) + driven);
}

function longitudinal(t1: number, s: Sequence): number {
  switch (s.family) {
    case 'gradient-echo':
      return ernst(t1, s.repetition, s.flip);
    case 'mprage':
      return mprage(t1, s);
    case 'spin-echo':
      return 1 - Math.exp(-s.repetition / t1);
    case 'inversion-spin-echo':
      return 1 - 2 * Math.exp(-(s.inversion ?? 0) / t1) + Math.exp(-s.repetition / t1);
  }
}

/** What a tissue is at this field, with or without the agent. */
export function relaxationIn(
  tissue: AnyTissue,
  { field, contrastAgent = false }: Pick<Sequence, 'field' | 'contrastAgent'>,
): Relaxation {
  return contrastAgent ? enhancedRelaxationOf(tissue, field) : relaxationOf(tissue, field);
}

/** Of a magnitude image: never negative. 1 would be water fully relaxed and read at once. */
export function signalOf(tissue: AnyTissue, sequence: Sequence): number {
  const { t1, t2, t2star, density } = relaxationIn(tissue, sequence);
  const echoes = sequence.family === 'spin-echo' || sequence.family === 'inversion-spin-echo';
  const fatty = tissue === 'fat' || tissue === 'marrow';
  const decay = echoes ? (fatty && sequence.echo > 40 ? FAST_ECHO_FAT * t2 : t2) : t2star;
  let signal = density * Math.abs(longitudinal(t1, sequence)) * Math.exp(-sequence.echo / decay);
  if (fatty && !echoes) signal *= FAT_UNREFOCUSED;
  if (sequence.fatSuppressed === true && fatty) signal *= tissue === 'fat' ? FAT_LEFT : MARROW_LEFT;
  // Blood moves on between excitation and refocusing, and comes in fresh where each excitation is short.
  if (tissue === 'blood') signal *= echoes ? 0.25 : 1;
  return signal;
}
