/**
 * Samples the learned head at moved positions: the last step of the decoder at 1 mm, 12.6 million voxels.
 *
 * Here and not in a network, because ONNX Runtime samples a single channel in one thread (1.6 s) and cannot pass over
 * air, which is half of the grid; this takes a third of that. Linear in the fields and in the template, as PyTorch's
 * `grid_sample` (border, align_corners false) on fields enlarged by `interpolate` is.
 *
 * @example
 * const head = warpTemplate(template, [192, 256, 256], fields, [48, 64, 64]);
 */
import { BLOCK_SHIFT, type TissueBlocks, tissueBlocks } from '../../volume/tissue-blocks.js';
import type { Shape } from '../../volume/volume.js';

/** Lower neighbour and weight of the upper one for output voxel `o` of an axis enlarged `factor` times to `n / factor`. */
function axisWeights(n: number, count: number): { low: Int32Array; part: Float32Array } {
  const low = new Int32Array(n);
  const part = new Float32Array(n);
  for (let o = 0; o < n; o++) {
    const at = Math.min(count - 1, Math.max(0, ((o + 0.5) * count) / n - 0.5));
    low[o] = Math.min(count - 2, Math.floor(at));
    part[o] = at - (low[o] as number);
  }
  return { low, part };
}

/** Fields of a coarse lattice on the rows of a finer grid: along y and z once a row, along x where a voxel is read. */
export class FieldRows {
  /** Lower neighbour and weight of the upper one along x, of each voxel of a row. */
  readonly x: { readonly low: Int32Array; readonly part: Float32Array };
  /** The row that was filled last: all fields, x fastest. */
  readonly line: Float32Array;
  readonly #y: { readonly low: Int32Array; readonly part: Float32Array };
  readonly #z: { readonly low: Int32Array; readonly part: Float32Array };

  /**
   * @param fields [count, z, y, x] @param fieldShape x, y, z of `fields`, at least 2 each
   * @param shape of the finer grid, whose field of view is the same
   */
  constructor(
    readonly fields: Float32Array,
    readonly count: number,
    readonly fieldShape: Shape,
    [nx, ny, nz]: Shape,
  ) {
    const [fx, fy, fz] = fieldShape;
    this.x = axisWeights(nx, fx);
    this.#y = axisWeights(ny, fy);
    this.#z = axisWeights(nz, fz);
    this.line = new Float32Array(count * fx);
  }

  /** Voxels (0 to nx - 1, j, k) of the finer grid. */
  fill(j: number, k: number): void {
    const { fields, count, line } = this;
    const [fx, fy, fz] = this.fieldShape;
    const plane = fx * fy;
    const channel = plane * fz;
    const base = (this.#z.low[k] as number) * plane + (this.#y.low[j] as number) * fx;
    const pz = this.#z.part[k] as number;
    const py = this.#y.part[j] as number;
    const w00 = (1 - py) * (1 - pz);
    const w10 = py * (1 - pz);
    const w01 = (1 - py) * pz;
    const w11 = py * pz;
    for (let c = 0; c < count; c++)
      for (let i = 0; i < fx; i++) {
        const b = c * channel + base + i;
        line[c * fx + i] =
          w00 * (fields[b] as number) +
          w10 * (fields[b + fx] as number) +
          w01 * (fields[b + plane] as number) +
          w11 * (fields[b + plane + fx] as number);
      }
  }
}

/**
 * @param template bytes, x fastest
 * @param fields [4, z, y, x]: positions x, y, z in normalised coordinates (-1 to 1 from edge to edge of the template) and a factor
 * @param fieldShape x, y, z of `fields`, at least 2 each
 * @returns factor * template at the positions, on the template's grid; positions beyond the edge read the edge
 */
export function warpTemplate(
  template: Uint8Array,
  shape: Shape,
  fields: Float32Array,
  fieldShape: Shape,
): Float32Array {
  const [nx, ny, nz] = shape;
  const out = new Float32Array(nx * ny * nz);
  const blocks = tissueBlocks(template, shape);
  const rows = new FieldRows(fields, 4, fieldShape, shape);
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++, o += nx) {
      rows.fill(j, k);
      warpRow(rows, template, shape, blocks, out, o);
    }
  return out;
}

/**
 * The row that `rows` holds. A function of its own, without closures: as part of the loops above V8 gave up its code in the middle and
 * went on unoptimised, with a heap object for each number (3 GB of garbage in two heads, and twice the time).
 */
function warpRow(
  rows: FieldRows,
  template: Uint8Array,
  shape: Shape,
  { map, bx, by }: TissueBlocks,
  out: Float32Array,
  first: number,
): void {
  const { line } = rows;
  const { low, part } = rows.x;
  const [fx] = rows.fieldShape;
  const [nx, ny, nz] = shape;
  const sy = nx;
  const sz = nx * ny;
  for (let i = 0; i < nx; i++) {
    const l = low[i] as number;
    const p = part[i] as number;
    const q = 1 - p;
    const atX = (line[l] as number) * q + (line[l + 1] as number) * p;
    const atY = (line[fx + l] as number) * q + (line[fx + l + 1] as number) * p;
    const atZ = (line[2 * fx + l] as number) * q + (line[2 * fx + l + 1] as number) * p;
    const x = Math.min(nx - 1, Math.max(0, ((atX + 1) * nx - 1) / 2));
    const y = Math.min(ny - 1, Math.max(0, ((atY + 1) * ny - 1) / 2));
    const z = Math.min(nz - 1, Math.max(0, ((atZ + 1) * nz - 1) / 2));
    const ix = x | 0;
    const iy = y | 0;
    const iz = z | 0;
    if (map[(ix >> BLOCK_SHIFT) + bx * ((iy >> BLOCK_SHIFT) + by * (iz >> BLOCK_SHIFT))] === 0) continue;
    const gx = x - ix;
    const gy = y - iy;
    const gz = z - iz;
    const ex = ix + 1 < nx ? 1 : 0;
    const ey = iy + 1 < ny ? sy : 0;
    const ez = iz + 1 < nz ? sz : 0;
    const v = ix + iy * sy + iz * sz;
    const a00 = (template[v] as number) * (1 - gx) + (template[v + ex] as number) * gx;
    const a10 = (template[v + ey] as number) * (1 - gx) + (template[v + ey + ex] as number) * gx;
    const a01 = (template[v + ez] as number) * (1 - gx) + (template[v + ez + ex] as number) * gx;
    const a11 = (template[v + ez + ey] as number) * (1 - gx) + (template[v + ez + ey + ex] as number) * gx;
    const value = (a00 * (1 - gy) + a10 * gy) * (1 - gz) + (a01 * (1 - gy) + a11 * gy) * gz;
    const factor = (line[3 * fx + l] as number) * q + (line[3 * fx + l + 1] as number) * p;
    out[first + i] = value * factor;
  }
}
