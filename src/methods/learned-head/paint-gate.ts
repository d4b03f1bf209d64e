/**
 * How much of the painted residual is laid on where: nothing at the skin and at the brain, so that neither a face's surface nor
 * what was kept changes. As `paint_gate` in the training package, to the voxel.
 *
 * @example
 * const gate = paintGate(head2mm, brainMask2mm); // 0 to 1
 */
import type { Mask, Shape, Volume } from '../../volume/volume.js';

/** Below this, in brain levels, there is nothing to paint on. */
export const AIR_LEVEL = 0.08;

/** By one voxel along each axis in turn: a cube of 3^3 about each voxel that is set. */
function grown(from: Uint8Array, [nx, ny, nz]: Shape): Uint8Array {
  let source = from;
  for (const [stride, count] of [
    [1, nx],
    [nx, ny],
    [nx * ny, nz],
  ] as const) {
    const to = Uint8Array.from(source);
    const block = stride * count;
    for (let base = 0; base < to.length; base += block)
      for (let i = 0; i < block; i++) {
        if (source[base + i] === 0) continue;
        if (i >= stride) to[base + i - stride] = 1;
        if (i + stride < block) to[base + i + stride] = 1;
      }
    source = to;
  }
  return source;
}

/**
 * @param head in brain levels @param brain on the same grid, 2 mm
 * @returns 0 within a voxel (2 to 3.5 mm) of air or brain; 1 from the third voxel from air and the fourth from the brain on
 */
export function paintGate(head: Volume, brain: Mask): Float32Array {
  const { shape } = head.grid;
  const air = grown(
    Uint8Array.from(head.data, (v) => (v < AIR_LEVEL ? 1 : 0)),
    shape,
  );
  const airWider = grown(air, shape);
  const near = grown(brain.data, shape);
  const nearer = grown(near, shape);
  const farther = grown(nearer, shape);
  const gate = new Float32Array(air.length);
  for (let v = 0; v < gate.length; v++) {
    if (air[v] === 1 || near[v] === 1) continue;
    gate[v] = (1 - (airWider[v] as number) / 2) * (1 - ((nearer[v] as number) + (farther[v] as number)) / 3);
  }
  return gate;
}
