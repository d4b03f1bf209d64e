/**
 * What the program and the training package must both believe, from one file that both read: `contract.json`, whose twin
 * here is `training/prosopon_training/contract.py`. A fact of a single network (its sizes, its codebook where it is another
 * one) stands in that network's `model.json`; here is what all networks share.
 *
 * @example
 * const values = 3 * voxelCount(FIELD_SHAPE); // a displacement: x, y, z at every voxel of 4 mm
 */
import contract from './contract.json' with { type: 'json' };

type Three = readonly [x: number, y: number, z: number];

/** Edge of the model cube, mm. */
export const CUBE_EDGE_MM = contract.cube.edgeMm;
/** Centre of the model cube in the brain frame, mm: right, front, up. */
export const CUBE_CENTRE_MM = contract.cube.centreMm as unknown as Three;
/** Left out of the cube on either side, mm: skin reaches 91 mm to each side. */
export const TRIM_MM = contract.lattice.trimMm;
/** Edge of a voxel of the displacement and log intensity factor fields, and of the brain that networks see, mm. */
export const FIELD_MM = contract.lattice.fieldMm;
/** Those fields in voxels, x, y, z: the cube trimmed at both sides, 48 x 64 x 64. */
export const FIELD_SHAPE: Three = [
  (CUBE_EDGE_MM - 2 * TRIM_MM) / FIELD_MM,
  CUBE_EDGE_MM / FIELD_MM,
  CUBE_EDGE_MM / FIELD_MM,
];
/** Voxels of a field. */
export const FIELD_COUNT = FIELD_SHAPE[0] * FIELD_SHAPE[1] * FIELD_SHAPE[2];
/** Spatial axes of a field's tensor, slowest first: z, y, x. */
export const FIELD_AXES: Three = [FIELD_SHAPE[2], FIELD_SHAPE[1], FIELD_SHAPE[0]];

/** Stored bytes per brain level in prepared volumes: 100 = the brain's median. */
export const BYTES_PER_LEVEL = contract.prepared.bytesPerLevel;
/** The brightest that a prepared volume can hold, in brain levels (2.55): no network saw a brighter brain. */
export const MAX_LEVEL = 255 / BYTES_PER_LEVEL;
/** Bits of a prepared volume's `flags`. */
export const FLAG = contract.prepared.flags;

/** Values per channel of the complement's codes, of a network whose `model.json` names no others. */
export const COMPLEMENT_LEVELS: readonly number[] = contract.codebooks.complement;

/** A class of the segmentation network. */
export interface ContractClass {
  /** Value in the label map, 0 to 52. */
  readonly id: number;
  readonly name: string;
  /** grey, white, ventricular-csf, stem, csf (around the brain) or none (background). */
  readonly group: string;
  /** Indices of the DLMUSE regions (NiChart) that it was grouped from. */
  readonly dlmuse: readonly number[];
}

/** In order of `id`. */
export const SEGMENTATION_CLASSES: readonly ContractClass[] = contract.segmentationClasses;
