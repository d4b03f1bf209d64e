/**
 * The layer of face that is flattened: nodes every 15 mm on the skin, seen from the front, with a normal each and a
 * thickness to both sides. Coordinates are mm of the brain frame (x right, y front, z up).
 *
 * @example
 * const layer = faceLayer(tissue);
 * layerPoint(layer, 0.5, 0.5, -8, out); // a point 8 mm under the skin, half-way between the first nodes
 */
import { Refusal } from '../../errors/errors.js';
import { at } from '../../volume/affine.js';
import type { Mask } from '../../volume/volume.js';

/** Half the thickness and the distance of the nodes: the defaults of the original. */
export const HALF_MM = 8;
export const STEP_MM = 15;
/** The nodes: x from -60 to 60, z from -142 (under the chin) to -7 (the brows). */
export const NODES = { x0: -60, z0: -142, nx: 9, nz: 10 } as const;
const MOST_OUTWARD = 2;
/** The outer wall stands this far before the foremost skin of its cells. */
const CLEARANCE_MM = 2;

export interface Layer {
  /** Skin's y at each node, x fastest. */
  readonly height: Float64Array;
  /** Unit normals, three per node. */
  readonly normal: Float64Array;
  /** Distance of the outer wall from the skin, at least 8 mm. */
  readonly outward: Float64Array;
}

/**
 * @param tissue on a grid in the brain frame whose axes are x, y, z
 * @throws {Refusal} no-signal when there is no skin where the face should be
 */
export function faceLayer(tissue: Mask): Layer {
  const skin = skinHeights(tissue);
  const { nx, nz } = NODES;
  const height = new Float64Array(nx * nz);
  for (let j = 0; j < nz; j++)
    for (let i = 0; i < nx; i++) height[i + nx * j] = skin(NODES.x0 + i * STEP_MM, NODES.z0 + j * STEP_MM);
  fillMissing(height, nx, nz);
  const normal = new Float64Array(3 * nx * nz);
  for (let j = 0; j < nz; j++)
    for (let i = 0; i < nx; i++) {
      const slope = (a: number, b: number, span: number): number =>
        ((height[b] as number) - (height[a] as number)) / (span * STEP_MM);
      const [west, east] = [Math.max(0, i - 1), Math.min(nx - 1, i + 1)];
      const [below, above] = [Math.max(0, j - 1), Math.min(nz - 1, j + 1)];
      const dx = slope(west + nx * j, east + nx * j, east - west);
      const dz = slope(i + nx * below, i + nx * above, above - below);
      normal.set(
        [-dx, 1, -dz].map((n) => n / Math.hypot(dx, 1, dz)),
        3 * (i + nx * j),
      );
    }
  const layer = { height, normal, outward: new Float64Array(nx * nz).fill(HALF_MM) };
  pushOutward(layer, skin);
  return layer;
}

/** Front-most tissue at (x, z), NaN where there is none. */
function skinHeights({ grid, data }: Mask): (x: number, z: number) => number {
  const [nx, ny, nz] = grid.shape;
  const heights = new Float64Array(nx * nz).fill(Number.NaN);
  for (let k = 0; k < nz; k++)
    for (let i = 0; i < nx; i++)
      for (let j = ny - 1; j >= 0; j--)
        if (data[i + nx * (j + ny * k)] === 1) {
          heights[i + nx * k] = at(grid.affine, 1, 3) + j * at(grid.affine, 1, 1);
          break;
        }
  return (x, z) => {
    const i = Math.round((x - at(grid.affine, 0, 3)) / at(grid.affine, 0, 0));
    const k = Math.round((z - at(grid.affine, 2, 3)) / at(grid.affine, 2, 2));
    return i >= 0 && k >= 0 && i < nx && k < nz ? (heights[i + nx * k] as number) : Number.NaN;
  };
}

/** Nodes beside the head or under the end of the scan take the mean of their known neighbours, from the inside out. */
function fillMissing(height: Float64Array, nx: number, nz: number): void {
  if (height.every(Number.isNaN))
    throw new Refusal('no-signal', 'expected skin in front of and below the brain, found none in the image');
  while (height.some(Number.isNaN)) {
    const before = height.slice();
    for (let j = 0; j < nz; j++)
      for (let i = 0; i < nx; i++) {
        if (!Number.isNaN(before[i + nx * j] as number)) continue;
        let [sum, n] = [0, 0];
        for (const [a, b] of [
          [i - 1, j],
          [i + 1, j],
          [i, j - 1],
          [i, j + 1],
        ] as const) {
          const value = a >= 0 && b >= 0 && a < nx && b < nz ? (before[a + nx * b] as number) : Number.NaN;
          if (!Number.isNaN(value)) [sum, n] = [sum + value, n + 1];
        }
        if (n > 0) height[i + nx * j] = sum / n;
      }
  }
}

/** Moves the outer wall before what stands out between the nodes: the tip of a nose, lips. */
function pushOutward({ height, normal, outward }: Layer, skin: (x: number, z: number) => number): void {
  const { nx, nz, x0, z0 } = NODES;
  for (let j = 0; j + 1 < nz; j++)
    for (let i = 0; i + 1 < nx; i++) {
      const corners = [i + nx * j, i + 1 + nx * j, i + nx * (j + 1), i + 1 + nx * (j + 1)] as const;
      let most = 0;
      for (let b = 0; b < STEP_MM; b++)
        for (let a = 0; a < STEP_MM; a++) {
          const here = skin(x0 + i * STEP_MM + a, z0 + j * STEP_MM + b);
          const [fx, fz] = [a / STEP_MM, b / STEP_MM];
          const coarse =
            ((height[corners[0]] as number) * (1 - fx) + (height[corners[1]] as number) * fx) * (1 - fz) +
            ((height[corners[2]] as number) * (1 - fx) + (height[corners[3]] as number) * fx) * fz;
          if (here - coarse > most) most = here - coarse;
        }
      for (const c of corners) {
        const wanted = most * (normal[3 * c + 1] as number) + CLEARANCE_MM;
        outward[c] = Math.min(MOST_OUTWARD * HALF_MM, Math.max(outward[c] as number, wanted));
      }
    }
}

/**
 * The point `share` (0 = inner wall, 1 = outer wall) through the layer at (u, v), counted in nodes.
 * @param out x, y, z
 */
export function layerPoint(layer: Layer, u: number, v: number, share: number, out: Float64Array): void {
  const { nx, nz } = NODES;
  const i = Math.min(nx - 2, u | 0);
  const j = Math.min(nz - 2, v | 0);
  const [fu, fv] = [u - i, v - j];
  const c = i + nx * j;
  const [w00, w10, w01, w11] = [(1 - fu) * (1 - fv), fu * (1 - fv), (1 - fu) * fv, fu * fv];
  const mix = (values: Float64Array, per: number, d: number): number =>
    w00 * (values[per * c + d] as number) +
    w10 * (values[per * (c + 1) + d] as number) +
    w01 * (values[per * (c + nx) + d] as number) +
    w11 * (values[per * (c + nx + 1) + d] as number);
  const w = share * (HALF_MM + mix(layer.outward, 1, 0)) - HALF_MM;
  out[0] = NODES.x0 + u * STEP_MM + w * mix(layer.normal, 3, 0);
  out[1] = mix(layer.height, 1, 0) + w * mix(layer.normal, 3, 1);
  out[2] = NODES.z0 + v * STEP_MM + w * mix(layer.normal, 3, 2);
}
