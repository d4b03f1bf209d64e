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

/** 1/(s mM) at 1.5, 3 and 7 T: mean of gadobutrol, gadoteridol and gadoterate in human plasma (Szomolanyi et al., Invest Radiol 54:559, 2019). */
const AGENT_R1 = [3.97, 3.75, 3.29] as const;
/** Of r1; set, as such agents have it in plasma up to 3 T (Rohrer et al., Invest Radiol 40:715, 2005). */
const AGENT_R2_OF_R1 = 1.3;
/**
 * mM in blood some minutes after 0.1 mmol/kg: plasma has 0.65 after five (Tofts and Kermode, Magn Reson Med 17:357, 1991), cells
 * have none of it.
 */
const AGENT_IN_BLOOD = 0.4;
/**
 * What tissues take up, of blood's: set, beside the 0.46 to 0.54 of a muscle that is well supplied (the heart's; Sharma et al., JMRI
 * 23:323, 2006). Behind its barrier the brain has none, eyes and fluid neither.
 */
const AGENT_UPTAKE: Partial<Readonly<Record<AnyTissue, number>>> = {
  blood: 1,
  mucosa: 0.7,
  gland: 0.5,
  skin: 0.35,
  muscle: 0.2,
  marrow: 0.1,
  fat: 0.05,
};

/** As {@link relaxationOf}, some minutes after a usual dose of a gadolinium agent. */
export function enhancedRelaxationOf(tissue: AnyTissue, tesla: number): Relaxation {
  const plain = relaxationOf(tissue, tesla);
  const uptake = AGENT_UPTAKE[tissue];
  if (uptake === undefined) return plain;
  const [a, b, c] = AGENT_R1;
  const r1 = tesla < 2 ? a : tesla < 5 ? b : c;
  // Rates in 1/ms.
  const more = (uptake * AGENT_IN_BLOOD * r1) / 1000;
  const faster = (time: number, rate: number): number => 1 / (1 / time + rate);
  return {
    t1: faster(plain.t1, more),
    t2: faster(plain.t2, AGENT_R2_OF_R1 * more),
    t2star: faster(plain.t2star, AGENT_R2_OF_R1 * more),
    density: plain.density,
  };
}
