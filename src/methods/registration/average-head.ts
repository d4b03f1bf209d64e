/**
 * The group average: the mean of 113 training heads after registration, which is what the learned head draws when it is
 * neither moved nor brightened; and its affine place in a subject's head.
 *
 * @example
 * const { template, toWorld } = await alignAverageHead(head, context);
 * const here = resampleLinear(movedBy(template, toWorld), head.volume.grid); // the average in the subject's place
 */

import type { Head } from '../../brain/head.js';
import { modelGrid } from '../../brain/model-grid.js';
import { FIELD_AXES, FIELD_COUNT } from '../../contract/contract.js';
import { Refusal } from '../../errors/errors.js';
import type { NetworkRunner } from '../../networks/runner.js';
import { type Affine, determinant3, IDENTITY, multiply } from '../../volume/affine.js';
import { resampleLinear } from '../../volume/resample.js';
import type { Volume } from '../../volume/volume.js';
import { trimmedGrid } from '../learned-head/grid.js';
import { learnedHead } from '../learned-head/learned-head.js';
import type { MethodContext } from '../method.js';
import { fitAffine } from './affine-fit.js';

export const AVERAGE_HEAD_MODEL = 'head-128';

export interface AlignedAverage {
  /** 96 x 128 x 128 at 2 mm in the template's own brain frame (mm; x right, y front, z up), 1 = the brain's median. */
  readonly template: Volume;
  /** Affine, template mm to world mm of the subject's scan. */
  readonly toWorld: Affine;
  /** Of template and head at 4 mm. */
  readonly correlation: number;
}

/**
 * Below this the template does not lie on the head: the 18 IXI val heads reach 0.88 to 0.95 and the synthetic head 0.75;
 * three val heads upside down, backwards or lying 0.55 to 0.71.
 */
const MIN_CORRELATION = 0.73;
/** Heads of adults and children differ from the average by less: factors of volume. */
const VOLUME_LIMITS = [0.45, 2] as const;

/** By who runs the networks, so that a cohort loads it once. */
const known = new WeakMap<NetworkRunner, Volume>();

/** @throws {Refusal} model-unavailable  @throws {Failure} network-failed, model-corrupt */
export async function averageHead({ networks, signal }: MethodContext): Promise<Volume> {
  const before = known.get(networks);
  if (before !== undefined) return before;
  const field = (channels: number) => ({
    data: new Float32Array(channels * FIELD_COUNT),
    shape: [1, channels, ...FIELD_AXES],
  });
  const data = await learnedHead(networks, { displacement: field(3), logFactor: field(1) }, 128, signal);
  const average: Volume = { grid: trimmedGrid(IDENTITY, 128), data };
  known.set(networks, average);
  return average;
}

/**
 * Looks at the whole head, as methods that remove may.
 * @throws {Refusal} registration-implausible when the average does not lie on the head
 */
export async function alignAverageHead(head: Head, context: MethodContext): Promise<AlignedAverage> {
  context.onStage?.('average head');
  const template = await averageHead(context);
  context.onStage?.('register');
  const { affine, correlation } = fitAffine(template, posedHead(head));
  const volume = determinant3(affine);
  if (!(correlation >= MIN_CORRELATION && volume >= VOLUME_LIMITS[0] && volume <= VOLUME_LIMITS[1]))
    throw new Refusal(
      'registration-implausible',
      `expected a T1-weighted head that the average head can be laid on (correlation of at least ${MIN_CORRELATION}, ${VOLUME_LIMITS.join(' to ')} times its volume), found ${correlation.toFixed(2)} and ${volume.toFixed(2)}`,
    );
  return { template, toWorld: multiply(head.pose, affine), correlation };
}

/** The head in brain levels on the model cube at 2 mm in its own brain frame; NaN where nothing was scanned. */
export function posedHead(head: Head): Volume {
  const data = resampleLinear(head.volume, modelGrid(head.pose, 128), { outside: Number.NaN });
  for (let v = 0; v < data.length; v++) data[v] = Math.min(MAX_LEVEL, (data[v] as number) / head.brainLevel);
  return { grid: modelGrid(IDENTITY, 128), data };
}

/** Bright fat and vessels must not decide the fit. */
const MAX_LEVEL = 2.5;
