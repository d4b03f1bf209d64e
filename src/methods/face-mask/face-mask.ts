/**
 * Face masking by normalised filtering (Milchenko and Marcus, Obscuring surface anatomy in volumetric imaging data,
 * Neuroinformatics 2013): a layer of the face, 8 mm to either side of the skin, is laid flat, smoothed by a box filter
 * and put back.
 *
 * What differs from the original: the region of the face comes from the brain's pose instead of an atlas; the layer is bent
 * trilinearly between its nodes instead of by tetrahedra; where the original would fold, values are averaged. The ears
 * are left alone (its default). The brain mask, 4 mm wider, is spared.
 *
 * @example
 * const { values, altered } = await faceMask.alter(head, context);
 */
import type { Head } from '../../brain/head.js';
import { at, IDENTITY, multiply, scaling, translation } from '../../volume/affine.js';
import { largestComponent } from '../../volume/components.js';
import { closeMm, dilateMm } from '../../volume/morphology.js';
import { resampleLinear } from '../../volume/resample.js';
import { gaussianSmooth } from '../../volume/smooth.js';
import { type Grid, type Mask, type Shape, type Volume, voxelSizes } from '../../volume/volume.js';
import type { Alteration, RemovalMethod } from '../method.js';
import { boxMeans } from './box-filter.js';
import { faceLayer, HALF_MM, type Layer, layerPoint, NODES, STEP_MM } from './layer.js';

/** Half-width of the filter along the face, as a share of the flattened face. */
const SHARE_IN_PLANE = 0.1;
/** The brain mask is spared by this much. */
const BRAIN_MARGIN_MM = 4;
/** In brain levels: what counts as skin. */
const TISSUE = 0.16;
/** Part of the brain frame that is looked at, mm. */
const BOX = { low: [-90, 0, -165], high: [90, 165, 15] } as const;

export const faceMask: RemovalMethod = {
  kind: 'remove',
  name: 'face-mask',
  reference:
    'Milchenko and Marcus, Obscuring Surface Anatomy in Volumetric Imaging Data, Neuroinformatics 2013',
  models: [],
  async alter(head: Head): Promise<Alteration> {
    const { grid, data } = head.volume;
    const spacing = Math.min(2, Math.max(1, Math.min(...voxelSizes(grid))));
    const frame = boxGrid(spacing);
    const box: Grid = { shape: frame.shape, affine: multiply(head.pose, frame.affine) };
    const image: Volume = { grid: frame, data: resampleLinear(head.volume, box) };
    const layer = faceLayer(tissueOf(image, head.brainLevel));
    const { layerMask, values } = smoothed(image, layer, spacing);
    const share = resampleLinear({ grid: box, data: layerMask }, grid);
    const only = new Uint8Array(share.length);
    const spared = dilateMm(head.brainMask, BRAIN_MARGIN_MM).data;
    for (let v = 0; v < only.length; v++) only[v] = (share[v] as number) > 0.5 && spared[v] === 0 ? 1 : 0;
    const fresh = resampleLinear({ grid: box, data: values }, grid, { only });
    const out = data.slice();
    for (let v = 0; v < out.length; v++)
      if (only[v] === 1) out[v] = (fresh[v] as number) / (share[v] as number);
    return { values: { grid, data: out }, altered: { grid, data: only } };
  },
};

function boxGrid(spacing: number): Grid {
  const { low, high } = BOX;
  const shape = low.map((n, axis) => Math.round(((high[axis] as number) - n) / spacing) + 1);
  return {
    shape: shape as unknown as Shape,
    affine: multiply(translation(low[0], low[1], low[2]), scaling(spacing, spacing, spacing)),
  };
}

function tissueOf(image: Volume, brainLevel: number): Mask {
  const soft = gaussianSmooth(image, 1.5).data;
  const data = new Uint8Array(soft.length);
  for (let v = 0; v < data.length; v++) data[v] = (soft[v] as number) > TISSUE * brainLevel ? 1 : 0;
  return largestComponent(closeMm({ grid: image.grid, data }, 4));
}

/** The layer's voxels (0 or 1), and their new values (0 elsewhere), on the image's grid. */
function smoothed(
  image: Volume,
  layer: Layer,
  spacing: number,
): { layerMask: Float32Array; values: Float32Array } {
  const per = Math.round(STEP_MM / spacing);
  const shape: Shape = [
    (NODES.nx - 1) * per + 1,
    (NODES.nz - 1) * per + 1,
    Math.round((2 * HALF_MM) / spacing) + 1,
  ];
  const [nu, nv, nd] = shape;
  const point = new Float64Array(3);
  const flat = new Float32Array(nu * nv * nd);
  const valueAt = reader(image);
  for (let d = 0, o = 0; d < nd; d++)
    for (let v = 0; v < nv; v++)
      for (let u = 0; u < nu; u++, o++) {
        layerPoint(layer, u / per, v / per, d / (nd - 1), point);
        flat[o] = valueAt(point);
      }
  const half = HALF_MM / spacing;
  const filtered = boxMeans(flat, shape, (d) => {
    // A sine ramp from the inner wall to the skin, so that there is no step where the layer ends inside the head.
    const ramp = Math.sin((Math.PI / 2) * Math.min(1, d / half));
    const between = (low: number, high: number): number => Math.round(low + (high - low) * ramp);
    return [
      between(Math.ceil(half / 2), SHARE_IN_PLANE * nu),
      between(Math.ceil(half / 2), SHARE_IN_PLANE * nv),
      between(0.05 * half, Math.ceil(half / 2)),
    ];
  });
  return putBack(image.grid, layer, filtered, shape, per);
}

/** Samples put down three times as densely as they were taken up, so that stretched cells have no holes. */
const DENSITY = 3;

function putBack(
  grid: Grid,
  layer: Layer,
  filtered: Float32Array,
  [nu, nv, nd]: Shape,
  per: number,
): { layerMask: Float32Array; values: Float32Array } {
  const [nx, ny, nz] = grid.shape;
  const values = new Float32Array(nx * ny * nz);
  const count = new Float32Array(values.length);
  const point = new Float64Array(3);
  const spacing = at(grid.affine, 0, 0);
  const valueAt = reader({ grid: { shape: [nu, nv, nd], affine: IDENTITY }, data: filtered });
  const place = new Float64Array(3);
  for (let d = 0; d <= (nd - 1) * DENSITY; d++)
    for (let v = 0; v <= (nv - 1) * DENSITY; v++)
      for (let u = 0; u <= (nu - 1) * DENSITY; u++) {
        place[0] = u / DENSITY;
        place[1] = v / DENSITY;
        place[2] = d / DENSITY;
        layerPoint(layer, place[0] / per, place[1] / per, place[2] / (nd - 1), point);
        const i = Math.round(((point[0] as number) - BOX.low[0]) / spacing);
        const j = Math.round(((point[1] as number) - BOX.low[1]) / spacing);
        const k = Math.round(((point[2] as number) - BOX.low[2]) / spacing);
        if (i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz) continue;
        const o = i + nx * (j + ny * k);
        values[o] = (values[o] as number) + valueAt(place);
        count[o] = (count[o] as number) + 1;
      }
  for (let o = 0; o < values.length; o++)
    if ((count[o] as number) > 0) {
      values[o] = (values[o] as number) / (count[o] as number);
      count[o] = 1;
    }
  closeGaps(values, count, grid.shape);
  return { layerMask: count, values };
}

/** Voxels between four or more of the layer's belong to it. */
function closeGaps(values: Float32Array, set: Float32Array, [nx, ny, nz]: Shape): void {
  const strides = [1, -1, nx, -nx, nx * ny, -nx * ny];
  for (let round = 0; round < 2; round++) {
    const before = set.slice();
    for (let o = nx * ny; o < nx * ny * (nz - 1); o++) {
      if (before[o] !== 0) continue;
      let [n, sum] = [0, 0];
      for (const s of strides)
        if (before[o + s] === 1) {
          n++;
          sum += values[o + s] as number;
        }
      if (n < 4) continue;
      set[o] = 1;
      values[o] = sum / n;
    }
  }
}

/** Reads a volume whose axes are those of its world: linear, the edge's value beyond the edge. */
function reader({ grid, data }: Volume): (p: Float64Array) => number {
  const [nx, ny, nz] = grid.shape;
  const spacing = at(grid.affine, 0, 0);
  const [x0, y0, z0] = [at(grid.affine, 0, 3), at(grid.affine, 1, 3), at(grid.affine, 2, 3)];
  const sz = nx * ny;
  return (p) => {
    const x = Math.min(nx - 1.001, Math.max(0, ((p[0] as number) - x0) / spacing));
    const y = Math.min(ny - 1.001, Math.max(0, ((p[1] as number) - y0) / spacing));
    const z = Math.min(nz - 1.001, Math.max(0, ((p[2] as number) - z0) / spacing));
    const i = x | 0;
    const j = y | 0;
    const k = z | 0;
    const fx = x - i;
    const fy = y - j;
    const v = i + nx * j + sz * k;
    const w = v + sz;
    const near =
      ((data[v] as number) * (1 - fx) + (data[v + 1] as number) * fx) * (1 - fy) +
      ((data[v + nx] as number) * (1 - fx) + (data[v + nx + 1] as number) * fx) * fy;
    const far =
      ((data[w] as number) * (1 - fx) + (data[w + 1] as number) * fx) * (1 - fy) +
      ((data[w + nx] as number) * (1 - fx) + (data[w + nx + 1] as number) * fx) * fy;
    return near * (1 - (z - k)) + far * (z - k);
  };
}
