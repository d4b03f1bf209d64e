/**
 * Images in memory for tests: bytes of a NIfTI or MGH file from values and a grid, and services without networks.
 *
 * @example
 * const image = await decodeImage({ name: 'a.nii', bytes: niftiBytes({ grid, volumes: [values] }) }, nodeGzip);
 */
import type { Head } from '../../brain/head.js';
import { Failure, Refusal } from '../../errors/errors.js';
import { DATATYPES, type Datatype, valueBytes } from '../../formats/datatypes.js';
import type { Gzip } from '../../formats/gzip.js';
import { at } from '../../volume/affine.js';
import { quantile, valuesInside } from '../../volume/statistics.js';
import { type Grid, type Mask, type Volume, voxelSizes } from '../../volume/volume.js';
import type { DeidentifyServices } from '../pipeline.js';

export interface FileContent {
  readonly grid: Grid;
  /** Values in the image's units, one array per volume. */
  readonly volumes: readonly Float32Array[];
  readonly datatype?: Datatype;
  readonly slope?: number;
  readonly intercept?: number;
  readonly littleEndian?: boolean;
}

const CODES: Readonly<Partial<Record<Datatype, number>>> = {
  uint8: 2,
  int16: 4,
  int32: 8,
  float32: 16,
  float64: 64,
  int8: 256,
  uint16: 512,
};

function storedBytes(content: FileContent, littleEndian: boolean): Uint8Array {
  const { array, range } = DATATYPES[content.datatype ?? 'int16'];
  const [slope, intercept] = [content.slope ?? 1, content.intercept ?? 0];
  const count = content.volumes.reduce((sum, v) => sum + v.length, 0);
  const stored = new array(count);
  let o = 0;
  for (const volume of content.volumes)
    for (const value of volume) {
      const v = (value - intercept) / slope;
      stored[o++] =
        range === null ? v : Math.max(Number(range[0]), Math.min(Number(range[1]), Math.round(v)));
    }
  return valueBytes(stored, littleEndian);
}

/** A NIfTI-1 file with the grid in its sform (code 1) and no qform. */
export function niftiBytes(content: FileContent): Uint8Array {
  const little = content.littleEndian ?? true;
  const datatype = content.datatype ?? 'int16';
  const code = CODES[datatype];
  if (code === undefined) throw new Failure('internal', `no test files of ${datatype}`);
  const { grid, volumes } = content;
  const voxels = storedBytes(content, little);
  const bytes = new Uint8Array(352 + voxels.length);
  const view = new DataView(bytes.buffer);
  const i16 = (offset: number, ...values: number[]): void =>
    values.forEach((v, i) => {
      view.setInt16(offset + 2 * i, v, little);
    });
  const f32 = (offset: number, ...values: number[]): void =>
    values.forEach((v, i) => {
      view.setFloat32(offset + 4 * i, v, little);
    });
  view.setInt32(0, 348, little);
  i16(40, volumes.length > 1 ? 4 : 3, ...grid.shape, volumes.length, 1, 1, 1);
  i16(70, code, DATATYPES[datatype].bytes * 8);
  f32(76, 1, ...voxelSizes(grid), 1, 1, 1, 1);
  f32(108, 352, content.slope ?? 0, content.intercept ?? 0);
  bytes[123] = 2;
  i16(252, 0, 1);
  f32(280, ...grid.affine.slice(0, 12));
  bytes.set([0x6e, 0x2b, 0x31, 0], 344);
  bytes.set(voxels, 352);
  return bytes;
}

/** An MGH file of int16 (big endian, as all are). */
export function mghBytes(content: FileContent): Uint8Array {
  const { grid, volumes } = content;
  const voxels = storedBytes({ ...content, datatype: 'int16' }, false);
  const bytes = new Uint8Array(284 + voxels.length);
  const view = new DataView(bytes.buffer);
  [1, ...grid.shape, volumes.length, 4, 0].forEach((v, i) => {
    view.setInt32(4 * i, v);
  });
  view.setInt16(28, 1);
  const sizes = voxelSizes(grid);
  sizes.forEach((v, i) => {
    view.setFloat32(30 + 4 * i, v);
  });
  for (let axis = 0; axis < 3; axis++)
    for (let row = 0; row < 3; row++)
      view.setFloat32(42 + 4 * (3 * axis + row), at(grid.affine, row, axis) / (sizes[axis] as number));
  for (let row = 0; row < 3; row++) {
    let centre = at(grid.affine, row, 3);
    for (let axis = 0; axis < 3; axis++)
      centre += (at(grid.affine, row, axis) * (grid.shape[axis] as number)) / 2;
    view.setFloat32(78 + 4 * row, centre);
  }
  bytes.set(voxels, 284);
  return bytes;
}

/** A head posed by its brain's centroid alone: enough for a method that does not care. */
export function simpleHead(volume: Volume, brainMask: Mask): Head {
  const [nx, ny] = volume.grid.shape;
  const sum = [0, 0, 0];
  let n = 0;
  brainMask.data.forEach((v, o) => {
    if (v === 0) return;
    n++;
    [o % nx, Math.floor(o / nx) % ny, Math.floor(o / (nx * ny))].forEach((index, axis) => {
      sum[axis] = (sum[axis] as number) + index;
    });
  });
  if (n < 50) throw new Refusal('brain-implausible', `expected a brain, found ${n} voxels`);
  const [i, j, k] = sum.map((s) => s / n) as [number, number, number];
  const m = volume.grid.affine;
  const world = (row: number): number =>
    at(m, row, 0) * i + at(m, row, 1) * j + at(m, row, 2) * k + at(m, row, 3);
  return {
    volume,
    brainMask,
    pose: [1, 0, 0, world(0), 0, 1, 0, world(1), 0, 0, 1, world(2), 0, 0, 0, 1],
    air: 0,
    scale: 1,
    brainLevel: quantile(valuesInside(volume.data, brainMask.data), 0.5),
  };
}

/** Services whose networks are not there and whose brain is the mask given. */
export function fakeServices(
  gzip: Gzip,
  brain?: Mask,
): Required<Omit<DeidentifyServices, 'signal' | 'onStage'>> {
  return {
    gzip,
    networks: {
      run: async (name) => {
        throw new Refusal('model-unavailable', `expected the model ${name}; none in this test`);
      },
      describe: async (name) => {
        throw new Refusal('model-unavailable', `expected the model ${name}; none in this test`);
      },
      close: async () => undefined,
    },
    makeHead: simpleHead,
    confirmBrain: async () => 0,
    extractBrain: async () => {
      if (brain === undefined) throw new Refusal('brain-implausible', 'expected a brain, found none');
      return { mask: brain };
    },
  };
}
