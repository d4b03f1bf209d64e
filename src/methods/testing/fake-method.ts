/**
 * A remodelling method that needs no network, for tests of all that is around a method: the brain as it is, in an
 * egg with a nose whose size and brightness come from the seed.
 *
 * @example
 * const registry = new MethodRegistry().register(fakeMethod());
 */
import type { Head } from '../../brain/head.js';
import { applyAffine } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import { resampleLinear } from '../../volume/resample.js';
import { cubeGrid, type Volume } from '../../volume/volume.js';
import type { BrainConditioning, RemodellingMethod } from '../method.js';

/** 6 mm, so that a test's head takes milliseconds. */
const SIZE = 43;
const SPACING = 6;

export interface FakeMethodOptions {
  /** Breaks promise P1 on purpose: the conditioning carries the mean of the head outside the brain. */
  readonly leaks?: boolean;
  /** Milliseconds to wait in the synthesis, so that a test can kill the program there. */
  readonly waitMs?: number;
}

type Gamma = BrainConditioning & { readonly leaked: number };

export function fakeMethod(options: FakeMethodOptions = {}): RemodellingMethod<Gamma> {
  return {
    kind: 'remodel',
    name: 'fake',
    reference: 'nowhere',
    models: [],
    async condition(head: Head) {
      const grid = cubeGrid(head.pose, [0, 22, -30], SIZE, SPACING);
      const only = head.brainMask.data;
      const scaled = head.volume.data.map((v, o) => (only[o] === 0 ? 0 : v / head.brainLevel));
      return {
        brain: { grid, data: resampleLinear({ grid: head.volume.grid, data: scaled }, grid) },
        mask: { grid, data: resampleLinear(head.brainMask, grid) },
        pose: head.pose,
        leaked: options.leaks === true ? mean(head.volume.data, only) / head.brainLevel : 0,
      };
    },
    async synthesize(gamma, seed, context) {
      if (options.waitMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.waitMs));
      context.signal?.throwIfAborted();
      return eggHead(gamma, new Random(seed).fork('fake'));
    },
  };
}

function mean(data: Float32Array, brain: Uint8Array): number {
  let sum = 0;
  let n = 0;
  data.forEach((v, o) => {
    if (brain[o] !== 0) return;
    sum += v;
    n++;
  });
  return sum / n;
}

function eggHead({ brain, mask, leaked }: Gamma, random: Random): Volume {
  const width = 78 + 8 * random.uniform();
  const nose = 90 + 12 * random.uniform();
  const skin = 0.6 + 0.5 * random.uniform() + leaked;
  const bone = 0.2 + 0.1 * random.uniform();
  const half = ((SIZE - 1) / 2) * SPACING;
  const data = new Float32Array(SIZE ** 3);
  for (let k = 0, o = 0; k < SIZE; k++)
    for (let j = 0; j < SIZE; j++)
      for (let i = 0; i < SIZE; i++, o++) {
        const inside = mask.data[o] as number;
        const [x, y, z] = applyAffine(
          [1, 0, 0, -half, 0, 1, 0, 22 - half, 0, 0, 1, -30 - half, 0, 0, 0, 1],
          [i * SPACING, j * SPACING, k * SPACING],
        );
        const egg = Math.hypot(x / width, (y - 2) / 100, (z + 15) / 100);
        const tip = Math.hypot(x / 14, (y - nose) / 22, (z + 55) / 20);
        const shell = egg < 0.88 ? bone : egg < 1 || tip < 1 ? skin * (1 + 0.1 * Math.sin(x / 9 + z / 7)) : 0;
        data[o] = inside * (brain.data[o] as number) + (1 - inside) * shell;
      }
  return { grid: brain.grid, data };
}
