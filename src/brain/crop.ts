/**
 * The part of a scan that the second network looks at: about a brain that was found, upright and at an adult's size, with the
 * brain's level at one half.
 *
 * @example
 * const crop = await installedCrop(networks);
 * const logits = await cropLogits(scan, level, cropGrid(crop, found, 1), networks, signal);
 */
import * as v from 'valibot';
import { Failure } from '../errors/errors.js';
import type { NetworkRunner } from '../networks/runner.js';
import { multiply, scaling, translation, type Vec3 } from '../volume/affine.js';
import { resampleLinear } from '../volume/resample.js';
import type { Grid, Shape, Volume } from '../volume/volume.js';
import type { FoundBrain } from './finder.js';

export const BRAIN_MODEL = 'brain-extraction';
/** Sizes that the crop follows; what is said to be smaller or larger is looked at as if it were not. */
const [SMALLEST, LARGEST] = [0.45, 1.3] as const;
/** Values over this many times the brain's level are cut, and the level stands at one half: as in training. */
const CUT_LEVELS = 4;

/** How a brain stands and how large it is: what the crop is laid by. */
export type CropView = Pick<FoundBrain, 'pose' | 'scale'>;

/** What the network is given: of the one that ships 160 x 224 x 160 mm of an adult's brain, more or less of others. */
export interface Crop {
  readonly shape: Shape;
  /** Of an adult's brain. */
  readonly spacingMm: number;
  /** The crop's middle in an adult's brain frame, mm: what hangs down needs more room than what stands up. */
  readonly middle: Vec3;
}

const MiddleSchema = v.optional(v.strictTuple([v.number(), v.number(), v.number()]), [0, 0, 0]);

/** @throws {Failure} model-corrupt */
export async function installedCrop(networks: NetworkRunner): Promise<Crop> {
  const { inputs, grid, settings } = await networks.describe(BRAIN_MODEL);
  const [, , z, y, x] = inputs.find(({ name }) => name === 'image')?.shape ?? [];
  if (typeof x !== 'number' || typeof y !== 'number' || typeof z !== 'number')
    throw new Failure(
      'model-corrupt',
      `models/${BRAIN_MODEL}/model.json: expected an input "image" of fixed sizes`,
    );
  const middle = v.safeParse(MiddleSchema, settings.middle);
  if (!middle.success)
    throw new Failure(
      'model-corrupt',
      `models/${BRAIN_MODEL}/model.json: expected a "middle" of three numbers (mm)`,
    );
  return { shape: [x, y, z], spacingMm: grid.spacing, middle: middle.output };
}

/** The crop about a brain in its own frame; `side` -1 runs the first axis to the left, about the same middle. */
export function cropGrid({ shape, spacingMm, middle }: Crop, { pose, scale }: CropView, side: 1 | -1): Grid {
  const size = Math.min(LARGEST, Math.max(SMALLEST, scale));
  const mm = spacingMm * size;
  const [x, y, z] = shape.map((n) => (-mm * (n - 1)) / 2) as [number, number, number];
  const [right, front, up] = middle;
  const local = multiply(
    translation(size * right + side * x, size * front + y, size * up + z),
    scaling(mm * side, mm, mm),
  );
  return { shape, affine: multiply(pose, local) };
}

/** @param level the brain's, in units of `scan` */
export async function cropLogits(
  scan: Volume,
  level: number,
  grid: Grid,
  networks: NetworkRunner,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const image = resampleLinear(scan, grid);
  for (let i = 0; i < image.length; i++) image[i] = Math.min(CUT_LEVELS, (image[i] as number) / level) / 2;
  const outputs = await networks.run(
    BRAIN_MODEL,
    { image: { data: image, shape: [1, 1, grid.shape[2], grid.shape[1], grid.shape[0]] } },
    signal,
  );
  if (outputs.logits === undefined)
    throw new Failure('network-failed', `${BRAIN_MODEL} returned no "logits"`);
  return outputs.logits.data as Float32Array;
}

/** How many logits on a side of the crop are above a level, the lowest side left out: there the cord goes on. */
export function onSides({ grid, data }: Volume, level: number): number {
  const [nx, ny, nz] = grid.shape;
  let n = 0;
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++) {
      const row = (z * ny + y) * nx;
      const whole = y === 0 || y === ny - 1 || z === nz - 1;
      for (let x = 0; x < nx; x += whole ? 1 : Math.max(1, nx - 1))
        if ((data[row + x] as number) > level) n++;
    }
  return n;
}
