/**
 * Relaxation times and proton densities of a head's tissues at 1.5, 3 and 7 T: what the signal model needs of them. Published
 * means where there are some, rounded; the rest was set beside them and says `set`.
 *
 * @example
 * relaxationOf('fat', 3); // { t1: 371, t2: 133, t2star: 25, density: 0.95 }
 */

/** The tissues outside the brain that a head is drawn with: the order of `models/head-tissues`. */
export const BODY_TISSUES = [
  'fat',
  'marrow',
  'bone',
  'muscle',
  'skin',
  'mucosa',
  'gland',
  'eye',
  'lens',
  'fluid',
  'blood',
  'nerve',
] as const;
export type BodyTissue = (typeof BODY_TISSUES)[number];
export type AnyTissue = BodyTissue | 'grey' | 'white';

export interface Relaxation {
  /** Milliseconds. */
  readonly t1: number;
  readonly t2: number;
  readonly t2star: number;
  /** Of water's: 0 to 1. */
  readonly density: number;
}

/** [T1, T2, T2*] in ms at 1.5 T, 3 T and 7 T; density. */
type Row = readonly [
  at15: readonly [number, number, number],
  at3: readonly [number, number, number],
  at7: readonly [number, number, number],
  density: number,
];

/**
 * Sources. S: Stanisz et al., Magn Reson Med 54:507 (2005), 1.5 and 3 T. G: Gold et al., AJR 183:343 (2004), 1.5 and 3 T.
 * W: Wansapura et al., JMRI 9:531 (1999), 3 T. What they do not have (7 T, T2*, densities, and the rows without a letter) is set:
 * T1 grows with the field as (B/3)^0.25 in watery tissue, T2 falls by a fifth.
 */
const TABLE: Readonly<Record<AnyTissue, Row>> = {
  /** W at 3 T; at 1.5 T as far below. */
  grey: [[1000, 100, 84], [1331, 110, 66], [1900, 60, 33], 0.82],
  white: [[640, 79, 66], [832, 80, 53], [1200, 50, 27], 0.7],
  /** G, subcutaneous. */
  fat: [[288, 165, 40], [371, 133, 25], [460, 90, 14], 0.95],
  /** G's marrow fat, mixed with the trabeculae's red part. */
  marrow: [[400, 90, 16], [480, 75, 10], [560, 55, 6], 0.65],
  bone: [[250, 0.5, 0.4], [300, 0.4, 0.4], [350, 0.4, 0.3], 0.2],
  /** S; the density as seen beside the brain's in ten heads, far from the coil's best place as muscles are. */
  muscle: [[1008, 44, 34], [1412, 50, 28], [1600, 38, 18], 0.68],
  /** Mixed with the fat below it wherever a voxel holds both. */
  skin: [[800, 40, 18], [950, 36, 14], [1150, 28, 9], 0.55],
  /** Thin, with air in the same voxel. */
  mucosa: [[1050, 110, 30], [1250, 95, 20], [1500, 75, 12], 0.58],
  gland: [[650, 85, 45], [800, 75, 32], [1000, 60, 20], 0.85],
  eye: [[3600, 1200, 300], [4100, 1000, 200], [4200, 800, 120], 1],
  lens: [[1150, 40, 25], [1300, 35, 20], [1500, 30, 12], 0.55],
  fluid: [[4000, 1400, 300], [4200, 1200, 200], [4400, 900, 120], 1],
  /** S. */
  blood: [[1441, 290, 120], [1932, 275, 50], [2300, 120, 20], 0.85],
  /** S, spinal cord. */
  nerve: [[745, 74, 60], [993, 78, 50], [1250, 55, 28], 0.72],
};

/** @param tesla main field, 0.2 to 12; between the columns log-linearly, beyond them the nearest */
export function relaxationOf(tissue: AnyTissue, tesla: number): Relaxation {
  const [a, b, c, density] = TABLE[tissue];
  const at = Math.min(7, Math.max(1.5, tesla));
  const [from, to, share] =
    at <= 3
      ? [a, b, Math.log(at / 1.5) / Math.log(2)]
      : ([b, c, Math.log(at / 3) / Math.log(7 / 3)] as const);
  const mix = (i: 0 | 1 | 2): number => from[i] ** (1 - share) * to[i] ** share;
  return { t1: mix(0), t2: mix(1), t2star: mix(2), density };
}
