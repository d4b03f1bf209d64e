/**
 * First-hit ray casting: what of a head a camera sees, as a depth map with normals.
 *
 * Rays jump over empty blocks, step half a voxel through the others, and the hit is then bisected on the spline
 * itself to a 64th of a step. Nothing is random and no time is read: the same volume gives the same bytes.
 *
 * @example
 * const relief = castSurface(prepareSurface(volume), { view: parseView('front') });
 * relief.depth[128 * relief.width + 128]; // mm from the plane through the centre; negative is nearer, NaN is background
 */
import {
  type Affine,
  applyAffine,
  at,
  boxUnder,
  IDENTITY,
  invert,
  multiply,
  type Vec3,
} from '../volume/affine.js';
import { BLOCK_SHIFT, type SurfaceField } from './field.js';
import { cameraAxes, VIEWS, type View } from './views.js';

export interface CameraOptions {
  /** Default front. */
  readonly view?: View;
  /** Frame to world mm, rigid: x right, y front, z up of the head. Default the world's own RAS axes. */
  readonly frame?: Affine;
  /** Point of the frame (mm) in the middle of the picture; default the middle of the head's bounding box. */
  readonly centre?: Vec3;
  /** Pixels along each edge; default 256. */
  readonly size?: number;
  /** mm across the picture, in the plane through the centre; default 256. */
  readonly fovMm?: number;
  /** Distance of a pinhole camera from the centre in mm; default none: parallel rays. */
  readonly distanceMm?: number;
}

/** What the camera sees; rows from the top. */
export interface Relief {
  readonly width: number;
  readonly height: number;
  /** mm along the viewing direction from the plane through `centre`: negative in front of it. NaN: nothing hit. */
  readonly depth: Float32Array;
  /** Unit normals out of the head in camera axes (right, up, towards the camera), three a pixel; 0 0 0: nothing hit. */
  readonly normals: Float32Array;
  /** mm from pixel to pixel in the plane through the centre. */
  readonly pixelMm: number;
  /** In the frame, mm. */
  readonly centre: Vec3;
}

/** Middle of the kept piece's bounding box, in the frame's mm. */
export function boxCentre(field: SurfaceField, frame: Affine = IDENTITY): Vec3 {
  const [low, high] = frameBox(field, frame);
  return [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2];
}

/** The bounding box of the kept piece (of its box in the grid) along the frame's axes, in mm: least and greatest corner. */
export function frameBox(field: SurfaceField, frame: Affine = IDENTITY): readonly [Vec3, Vec3] {
  return boxUnder(multiply(invert(frame), field.affine), field.box.low, field.box.high);
}

/** Casts one ray a pixel, through its middle. */
export function castSurface(field: SurfaceField, options: CameraOptions = {}): Relief {
  const frame = options.frame ?? IDENTITY;
  const size = options.size ?? 256;
  const pixelMm = (options.fovMm ?? 256) / size;
  const centre = options.centre ?? boxCentre(field, frame);
  const { right, up, forward } = cameraAxes(options.view ?? VIEWS.front);
  const toVoxel = multiply(invert(field.affine), frame);
  const linear = (v: Vec3): Vec3 => {
    const [a, b] = [applyAffine(toVoxel, v), applyAffine(toVoxel, [0, 0, 0])];
    return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
  };
  const middle = applyAffine(toVoxel, centre);
  const [u, v, w] = [linear(right), linear(up), linear(forward)];
  const stepMm = 0.5 * Math.min(...field.voxelMm);
  const march = marcher(field, stepMm);
  const normalOf = normals(field, multiply(toVoxel, [...columns(right, up, forward)]));

  const depth = new Float32Array(size * size).fill(Number.NaN);
  const normalData = new Float32Array(3 * size * size);
  for (let py = 0; py < size; py++)
    for (let px = 0; px < size; px++) {
      const x = (px + 0.5 - size / 2) * pixelMm;
      const y = (size / 2 - py - 0.5) * pixelMm;
      const along = (axis: 0 | 1 | 2): number => u[axis] * x + v[axis] * y;
      const plane: Vec3 = [middle[0] + along(0), middle[1] + along(1), middle[2] + along(2)];
      // Through a pinhole the ray leans by (x, y) for every `distance` mm of depth, and t stays the depth.
      const lean = options.distanceMm === undefined ? 0 : 1 / options.distanceMm;
      const direction: Vec3 = [w[0] + lean * along(0), w[1] + lean * along(1), w[2] + lean * along(2)];
      const nearest = options.distanceMm === undefined ? Number.NEGATIVE_INFINITY : -options.distanceMm;
      const t = march(plane, direction, nearest);
      if (Number.isNaN(t)) continue;
      const pixel = px + size * py;
      depth[pixel] = t;
      normalOf(
        plane[0] + t * direction[0],
        plane[1] + t * direction[1],
        plane[2] + t * direction[2],
        normalData,
        3 * pixel,
      );
    }
  return { width: size, height: size, depth, normals: normalData, pixelMm, centre };
}

/** A 4x4 whose first columns are the vectors. */
function columns(a: Vec3, b: Vec3, c: Vec3): Affine {
  return [a[0], b[0], c[0], 0, a[1], b[1], c[1], 0, a[2], b[2], c[2], 0, 0, 0, 0, 1];
}

/** Returns the first t at which `plane + t * direction` (voxels per mm) crosses the surface from outside; NaN: none. */
function marcher(field: SurfaceField, stepMm: number): (p: Vec3, d: Vec3, nearest: number) => number {
  const { shape, occupied, blockShape, threshold } = field;
  const value = splineValue(field);
  const block = 1 << BLOCK_SHIFT;
  return (p, d, nearest) => {
    let enter = nearest;
    let leave = Number.POSITIVE_INFINITY;
    for (const axis of [0, 1, 2] as const) {
      // Cells 1 to n-3 have all four coefficients along the axis.
      const low = 1;
      const high = shape[axis] - 2 - 1e-6;
      if (Math.abs(d[axis]) < 1e-12) {
        if (p[axis] < low || p[axis] > high) return Number.NaN;
        continue;
      }
      const a = (low - p[axis]) / d[axis];
      const b = (high - p[axis]) / d[axis];
      enter = Math.max(enter, Math.min(a, b));
      leave = Math.min(leave, Math.max(a, b));
    }
    let t = enter;
    while (t < leave) {
      const x = p[0] + t * d[0];
      const y = p[1] + t * d[1];
      const z = p[2] + t * d[2];
      const bx = x >> BLOCK_SHIFT;
      const by = y >> BLOCK_SHIFT;
      const bz = z >> BLOCK_SHIFT;
      if (occupied[bx + blockShape[0] * (by + blockShape[1] * bz)] === 0) {
        const exit = (o: number, s: number, b: number): number =>
          s > 1e-12 ? ((b + 1) * block - o) / s : s < -1e-12 ? (b * block - o) / s : Number.POSITIVE_INFINITY;
        // The nudge lands inside the next block whatever the rounding.
        t += Math.max(1e-4, Math.min(exit(x, d[0], bx), exit(y, d[1], by), exit(z, d[2], bz)) + 1e-4);
        continue;
      }
      if (value(x, y, z) >= threshold) {
        let outside = Math.max(enter, t - stepMm);
        let inside = t;
        for (let i = 0; i < 6; i++) {
          const half = (outside + inside) / 2;
          if (value(p[0] + half * d[0], p[1] + half * d[1], p[2] + half * d[2]) >= threshold) inside = half;
          else outside = half;
        }
        return (outside + inside) / 2;
      }
      t += stepMm;
    }
    return Number.NaN;
  };
}

/** The cubic B-spline at a point that has all 64 coefficients round it. */
function splineValue({ data, shape }: SurfaceField): (x: number, y: number, z: number) => number {
  const [nx, ny] = shape;
  const plane = nx * ny;
  return (x, y, z) => {
    const i = Math.floor(x);
    const j = Math.floor(y);
    const k = Math.floor(z);
    const fx = x - i;
    const fy = y - j;
    const fz = z - k;
    const gx = 1 - fx;
    const a0 = (gx * gx * gx) / 6;
    const a3 = (fx * fx * fx) / 6;
    const a1 = 2 / 3 - fx * fx * (1 - fx / 2);
    const a2 = 1 - a0 - a1 - a3;
    const gy = 1 - fy;
    const b0 = (gy * gy * gy) / 6;
    const b3 = (fy * fy * fy) / 6;
    const b1 = 2 / 3 - fy * fy * (1 - fy / 2);
    const b2 = 1 - b0 - b1 - b3;
    const gz = 1 - fz;
    const c0 = (gz * gz * gz) / 6;
    const c3 = (fz * fz * fz) / 6;
    const c1 = 2 / 3 - fz * fz * (1 - fz / 2);
    const c2 = 1 - c0 - c1 - c3;
    let sum = 0;
    let corner = i - 1 + nx * (j - 1) + plane * (k - 1);
    // No closure and no array of weights here: this is where nearly all the time of a picture goes.
    for (let c = 0; c < 4; c++) {
      const wz = c === 0 ? c0 : c === 1 ? c1 : c === 2 ? c2 : c3;
      let o = corner;
      for (let b = 0; b < 4; b++) {
        const w = wz * (b === 0 ? b0 : b === 1 ? b1 : b === 2 ? b2 : b3);
        sum +=
          w *
          (a0 * (data[o] as number) +
            a1 * (data[o + 1] as number) +
            a2 * (data[o + 2] as number) +
            a3 * (data[o + 3] as number));
        o += nx;
      }
      corner += plane;
    }
    return sum;
  };
}

/** Writes the unit normal (down the spline's exact gradient) in camera axes. `cameraToVoxel`: right, up, forward to voxels. */
function normals(
  { data, shape }: SurfaceField,
  cameraToVoxel: Affine,
): (x: number, y: number, z: number, out: Float32Array, at: number) => void {
  const [nx, ny] = shape;
  const weights = new Float64Array(12);
  const slopes = new Float64Array(12);
  return (x, y, z, out, o) => {
    const cell = [Math.floor(x), Math.floor(y), Math.floor(z)] as const;
    const fraction = [x - cell[0], y - cell[1], z - cell[2]] as const;
    for (const axis of [0, 1, 2] as const) {
      const f = fraction[axis];
      const g = 1 - f;
      weights.set(
        [g ** 3 / 6, 2 / 3 - f * f * (1 - f / 2), 2 / 3 - g * g * (1 - g / 2), f ** 3 / 6],
        4 * axis,
      );
      slopes.set([(-g * g) / 2, f * (1.5 * f - 2), g * (2 - 1.5 * g), (f * f) / 2], 4 * axis);
    }
    let sx = 0;
    let sy = 0;
    let sz = 0;
    for (let c = 0; c < 4; c++)
      for (let b = 0; b < 4; b++) {
        let sum = 0;
        let slope = 0;
        const row = cell[0] - 1 + nx * (cell[1] - 1 + b + ny * (cell[2] - 1 + c));
        for (let a = 0; a < 4; a++) {
          const q = data[row + a] as number;
          sum += (weights[a] as number) * q;
          slope += (slopes[a] as number) * q;
        }
        const wy = weights[4 + b] as number;
        const wz = weights[8 + c] as number;
        sx += slope * wy * wz;
        sy += sum * (slopes[4 + b] as number) * wz;
        sz += sum * wy * (slopes[8 + c] as number);
      }
    // A gradient goes back through the transpose: its part along a camera axis is its product with that axis in voxels.
    const part = (column: number): number =>
      at(cameraToVoxel, 0, column) * sx +
      at(cameraToVoxel, 1, column) * sy +
      at(cameraToVoxel, 2, column) * sz;
    const [r, u, f] = [-part(0), -part(1), part(2)];
    const length = Math.hypot(r, u, f);
    if (length === 0) return;
    out[o] = r / length;
    out[o + 1] = u / length;
    out[o + 2] = f / length;
  };
}
