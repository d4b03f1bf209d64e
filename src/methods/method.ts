/**
 * The contract of every de-identification method. A method never writes, never resamples to the native grid and
 * never composites: the pipeline in `src/deidentify` does, and verifies.
 *
 * A remodelling method has two halves (C-DeID-GAN section 3, CP-MAE): the privacy transform gamma = condition(head)
 * and the synthesis f(gamma, seed). What `synthesize` is not given it cannot leak.
 */
import type { Head } from '../brain/head.js';
import type { ContrastChoice } from '../brain/protocol.js';
import type { Contrast } from '../brain/tissues.js';
import type { NetworkRunner } from '../networks/runner.js';
import type { Affine } from '../volume/affine.js';
import type { Grid, Mask, Volume } from '../volume/volume.js';
import type { Keep, MethodOptions } from './options.js';
import type { DrawnHead } from './tissues.js';

/** 256-bit seed as eight unsigned 32-bit words; the only source of randomness. */
export type Seed = Uint32Array;

export interface MethodContext {
  readonly networks: NetworkRunner;
  /** Voxels along an edge of the 256 mm model cube: 128 (2 mm) or 256 (1 mm). */
  readonly resolution: 128 | 256;
  /** What keeps its bits, of which `condition` may then make use; 'brain' when absent. */
  readonly keep?: Keep;
  readonly signal?: AbortSignal;
  /** Size of the head around the brain that stays as it is, 0.85 to 1.15; 1 when absent. For methods whose `options` have a scale. */
  readonly scale?: number;
  /** What the scan is, where the user knows better than its brain; 'auto' when absent. */
  readonly contrast?: ContrastChoice;
  /** Called with a stage's name when it begins, for progress and stage times. */
  readonly onStage?: (stage: string) => void;
}

export interface RemodellingMethod<Conditioning> {
  readonly kind: 'remodel';
  readonly name: string;
  /** Where it is published. */
  readonly reference: string;
  /** Names of the networks that it runs, for `prosopon models` and provenance. */
  readonly models: readonly string[];
  /** What it can be asked for beside the seed and the resolution; nothing when absent. */
  readonly options?: MethodOptions;
  /** One sentence that everybody who uses it is told, with each result. */
  readonly caution?: string;
  /** The only contrast that it takes; any when absent. */
  readonly contrast?: Contrast;
  /**
   * What gamma holds of the scan; 'brain' when absent. A convex hull is the outline of the whole head: promise P1 still says
   * that the result is a function of gamma and the seed, but gamma is then more than the brain (docs/decisions/0009).
   */
  readonly conditioning?: 'brain' | 'brain and convex hull';
  /** The privacy transform: all that the synthesis will ever see. */
  condition(head: Head, context: MethodContext): Promise<Conditioning>;
  /** A whole head on the model grid, in units of the brain level (1 = the brain's median). */
  synthesize(gamma: Conditioning, seed: Seed, context: MethodContext): Promise<DrawnHead>;
}

/** What a removal method did: new values where `altered` is 1, the original elsewhere. */
export interface Alteration {
  readonly values: Volume;
  readonly altered: Mask;
  /** Sentences for the user about a result that may be poor; no value of the scan in them that could identify. */
  readonly warnings?: readonly string[];
}

/**
 * Answers on the stored grid. It may ask for brain voxels to be altered, as some of the original tools do: the pipeline
 * never does that (promise P2), which makes every method here gentler than its original.
 */
export interface RemovalMethod {
  readonly kind: 'remove';
  readonly name: string;
  readonly reference: string;
  readonly models: readonly string[];
  /** As of a remodelling method. */
  readonly caution?: string;
  /** As of a remodelling method. */
  readonly contrast?: Contrast;
  alter(head: Head, context: MethodContext): Promise<Alteration>;
}

/** gamma of CP-MAE: the brain on the model grid and the pose of that grid. Nothing else of the scan. */
export interface BrainConditioning {
  /** Brain voxels divided by the brain level, 0 outside the mask; 128^3 at 2 mm. */
  readonly brain: Volume;
  /** Brain mask on the same grid (fractions from resampling, 0 to 1). */
  readonly mask: Volume;
  /** Brain frame to world. */
  readonly pose: Affine;
  /** Where the scan's voxels stand, so that a nose is drawn that it has room for; no value of them. */
  readonly scan?: Grid;
  /** Only where the cranium stays: how far its skin lies from the brain's centre (`skinRadii`), from voxels that are kept. */
  readonly cranium?: Float32Array;
}
