/** The fit of a brain's pose: a known motion of the average brain comes back. */
import { describe, expect, it } from 'vitest';
import {
  type Affine,
  applyAffine,
  at,
  IDENTITY,
  invert,
  multiply,
  rotation,
  translation,
} from '../volume/affine.js';
import { Random } from '../volume/random.js';
import { sha256 } from '../volume/sha256.js';
import type { Mask } from '../volume/volume.js';
import { axisRotations, centroid, fitPose, type PoseFit } from './pose.js';
import { brainTemplate } from './template.js';
import { roomyGrid, templateBrain } from './testing/template-brain.js';

const degrees = (radians: number): number => (radians * 180) / Math.PI;

/** Rotation (degrees) and shift of the brain's centre (mm) between a fit and the truth. */
function error(fit: PoseFit, truth: Affine): { turn: number; shift: number } {
  const left = multiply(invert(truth), fit.pose);
  const trace = at(left, 0, 0) + at(left, 1, 1) + at(left, 2, 2);
  const centre = applyAffine(left, [0, 0, 0]);
  return {
    turn: degrees(Math.acos(Math.min(1, Math.max(-1, (trace - 1) / 2)))),
    shift: Math.hypot(...centre),
  };
}

function moved(motion: Affine): Mask {
  return templateBrain(roomyGrid(4), motion);
}

describe('the pose of a brain', { timeout: 300_000 }, () => {
  const still = fitPose(moved(IDENTITY), brainTemplate());

  it('is the template itself for the average brain', () => {
    const { turn, shift } = error(still, IDENTITY);
    expect(turn).toBeLessThan(0.5);
    // The mask's centre of mass is not the frame's origin to the last tenth: it is mirrored, and cut at a half.
    expect(shift).toBeLessThan(1);
    expect(still.correlation).toBeGreaterThan(0.97);
    expect(still.scale).toBeGreaterThan(0.93);
    expect(still.scale).toBeLessThan(1.07);
  });

  it('follows rotations up to 30 degrees to half a degree and half a millimetre', () => {
    const random = new Random(sha256(Uint8Array.of(3)));
    for (let i = 0; i < 6; i++) {
      const axis = [random.normal(), random.normal(), random.normal()] as const;
      const length = Math.hypot(...axis);
      const angle = ((i + 1) / 6) * (Math.PI / 6);
      const motion = multiply(
        translation(8 * random.normal(), 8 * random.normal(), 8 * random.normal()),
        rotation([(axis[0] / length) * angle, (axis[1] / length) * angle, (axis[2] / length) * angle]),
      );
      const fit = fitPose(moved(motion), brainTemplate());
      const { turn, shift } = error(fit, multiply(motion, still.pose));
      expect(turn, `after ${degrees(angle).toFixed(0)} degrees`).toBeLessThan(0.5);
      expect(shift).toBeLessThan(0.5);
    }
  });

  it('finds all 24 axis orders when the header lies', () => {
    const orders = axisRotations();
    expect(orders).toHaveLength(24);
    expect(new Set(orders.map((m) => m.join())).size).toBe(24);
    for (const order of orders) {
      const fit = fitPose(moved(order), brainTemplate());
      const { turn, shift } = error(fit, multiply(order, still.pose));
      expect(turn, order.join()).toBeLessThan(0.5);
      expect(shift).toBeLessThan(0.5);
    }
  });

  it('does not depend on how the voxels are stored', () => {
    const mask = moved(rotation([0.1, 0.2, 0]));
    const [n] = mask.grid.shape;
    const flipped: Mask = {
      grid: {
        shape: mask.grid.shape,
        affine: multiply(mask.grid.affine, [-1, 0, 0, n - 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]),
      },
      data: mask.data.map((_, v) => mask.data[v - (v % n) + (n - 1 - (v % n))] as number),
    };
    const { turn, shift } = error(fitPose(flipped, brainTemplate()), fitPose(mask, brainTemplate()).pose);
    expect(turn).toBeLessThan(0.01);
    expect(shift).toBeLessThan(0.01);
  });

  it('measures the size beside the pose', () => {
    const grid = roomyGrid(4);
    const small = templateBrain(
      { ...grid, affine: grid.affine.map((v, i) => (i < 12 ? v / 0.9 : v)) },
      IDENTITY,
    );
    const fit = fitPose({ grid, data: small.data }, brainTemplate());
    expect(fit.scale / still.scale).toBeCloseTo(0.9, 2);
    expect(error(fit, still.pose).turn).toBeLessThan(0.5);
  });

  it('has the centre where the voxels are', () => {
    const grid = roomyGrid(4);
    const data = new Uint8Array(grid.shape[0] ** 3);
    data[5] = 1;
    data[7 + grid.shape[0] * 2] = 1;
    expect(centroid({ grid, data })).toEqual(applyAffine(grid.affine, [6, 1, 0]));
  });
});
