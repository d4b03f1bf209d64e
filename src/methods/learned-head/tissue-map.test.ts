/** Tissues are read where the head's voxels are read: those of the map itself where nothing moves, halves of two where half a voxel does. */
import { describe, expect, it } from 'vitest';
import { BODY_TISSUES } from '../../brain/relaxation.js';
import { Failure } from '../../errors/errors.js';
import type { NetworkRunner, Tensor } from '../../networks/runner.js';
import { IDENTITY } from '../../volume/affine.js';
import { Random } from '../../volume/random.js';
import type { Shape, Volume } from '../../volume/volume.js';
import { drawnTissues, readTissues } from './tissue-map.js';

const FIELDS: Shape = [48, 64, 64];
const [FX, FY, FZ] = FIELDS;
const COUNT = FX * FY * FZ;
const random = new Random(Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8));

/** Positions at the fields' places, moved by parts of a field's voxel. */
function positions(move: readonly [number, number, number] = [0, 0, 0]): Float32Array {
  const out = new Float32Array(3 * COUNT);
  for (let k = 0, v = 0; k < FZ; k++)
    for (let j = 0; j < FY; j++)
      for (let i = 0; i < FX; i++, v++)
        [i, j, k].forEach((at, c) => {
          out[c * COUNT + v] = (2 * (at + (move[c] as number)) + 1) / (FIELDS[c] as number) - 1;
        });
  return out;
}
function volumeOf(shape: Shape, value: (o: number) => number = () => 1): Volume {
  const [nx, ny, nz] = shape;
  return {
    grid: { shape, affine: IDENTITY },
    data: Float32Array.from({ length: nx * ny * nz }, (_, o) => value(o)),
  };
}
/** Tissue by place. */
function mapOf([nx, ny, nz]: Shape, tissue: (i: number, j: number, k: number) => number): Uint8Array {
  return Uint8Array.from({ length: nx * ny * nz }, (_, o) =>
    tissue(o % nx, Math.floor(o / nx) % ny, Math.floor(o / (nx * ny))),
  );
}
const grain = mapOf(FIELDS, () => random.below(BODY_TISSUES.length));

describe('readTissues', () => {
  it('gives the map itself where nothing moves', () => {
    const { first, share } = readTissues(grain, FIELDS, positions(), volumeOf(FIELDS));
    expect(Buffer.compare(first, grain)).toBe(0);
    // The last voxel of an axis is read a thousandth before its centre.
    expect(share.every((s) => s <= 1)).toBe(true);
  });

  it('does so where head and map are finer than the fields', () => {
    const shape: Shape = [96, 128, 128];
    // Lumps of four voxels, whose corners tell the axes apart.
    const [nx, ny, nz] = shape;
    const map = mapOf(shape, (i, j, k) => (1 + (i >> 2) + 3 * (j >> 2) + 5 * (k >> 2)) % 12);
    const { first, share } = readTissues(map, shape, positions(), volumeOf(shape));
    let [wrong, shared] = [0, 0];
    // Beyond the centres of the outermost fields positions stand still.
    for (let k = 1; k < nz - 1; k++)
      for (let j = 1; j < ny - 1; j++)
        for (let i = 1; i < nx - 1; i++) {
          const o = i + nx * (j + ny * k);
          if (first[o] !== map[o]) wrong++;
          if (share[o] !== 0) shared++;
        }
    expect([wrong, shared]).toEqual([0, 0]);
  });

  it.each([0, 1, 2] as const)('follows a move of whole voxels along axis %i', (axis) => {
    const move: [number, number, number] = [0, 0, 0];
    move[axis] = 3;
    const { first } = readTissues(grain, FIELDS, positions(move), volumeOf(FIELDS));
    const stride = [1, FX, FX * FY][axis] as number;
    let wrong = 0;
    for (let k = 0, o = 0; k < FZ; k++)
      for (let j = 0; j < FY; j++)
        for (let i = 0; i < FX; i++, o++) {
          const inside = ([i, j, k][axis] as number) + 3 < (FIELDS[axis] as number) - 1;
          if (inside && first[o] !== grain[o + 3 * stride]) wrong++;
        }
    expect(wrong).toBe(0);
  });

  it.each([0, 1, 2] as const)('shares a voxel between two tissues, half of it each (axis %i)', (axis) => {
    const [fat, eye] = [BODY_TISSUES.indexOf('fat'), BODY_TISSUES.indexOf('eye')];
    const map = mapOf(FIELDS, (...at) => (at[axis] < 20 ? eye : fat));
    const read = (part: number) => {
      const move: [number, number, number] = [0, 0, 0];
      move[axis] = part;
      const { first, second, share } = readTissues(map, FIELDS, positions(move), volumeOf(FIELDS));
      const of = (at: number) => {
        const place: [number, number, number] = [9, 9, 9];
        place[axis] = at;
        const o = place[0] + FX * (place[1] + FY * place[2]);
        return [first[o], second[o], share[o]] as [number, number, number];
      };
      return of;
    };
    const half = read(0.5)(19);
    expect(half.slice(0, 2).sort()).toEqual([fat, eye].sort());
    expect(Math.abs(half[2] - 127.5)).toBeLessThanOrEqual(1);
    expect(read(0.5)(18)).toEqual([eye, eye, 0]);
    expect(read(0.5)(20)).toEqual([fat, fat, 0]);
    // A fifth of the way: four fifths are still the first's.
    const [first, second, share] = read(0.2)(19);
    expect([first, second]).toEqual([eye, fat]);
    expect(Math.abs(share - 51)).toBeLessThanOrEqual(1);
    const past = read(0.8)(19);
    expect(past.slice(0, 2)).toEqual([fat, eye]);
    expect(Math.abs(past[2] - 51)).toBeLessThanOrEqual(1);
  });

  it('names the two tissues that have most of a voxel among more', () => {
    // Three eighths, two, and three others with one each.
    const corner = [4, 4, 4, 7, 7, 1, 2, 3];
    const map = mapOf(FIELDS, (i, j, k) => corner[(i & 1) + 2 * (j & 1) + 4 * (k & 1)] as number);
    const { first, second, share } = readTissues(map, FIELDS, positions([0.5, 0.5, 0.5]), volumeOf(FIELDS));
    const o = 10 + FX * (10 + FY * 10);
    expect([first[o], second[o]]).toEqual([4, 7]);
    // Two of the five eighths that both have.
    expect(Math.abs((share[o] as number) - 102)).toBeLessThanOrEqual(1);
  });

  it('reads the edge of the map beyond it', () => {
    const { first } = readTissues(grain, FIELDS, positions([-500, -500, -500]), volumeOf(FIELDS));
    expect(first.every((tissue) => tissue === grain[0])).toBe(true);
    const beyond = readTissues(grain, FIELDS, positions([500, 500, 500]), volumeOf(FIELDS));
    expect(beyond.first.every((tissue) => tissue === grain[COUNT - 1])).toBe(true);
  });

  it('looks only where the head is above 0', () => {
    const head = volumeOf(FIELDS, (o) => [1, 0, -2, Number.NaN][o % 4] as number);
    const map = mapOf(FIELDS, (i) => 1 + (i % 11));
    const moved = positions([0.5, 0, 0]);
    const some = readTissues(map, FIELDS, moved, head);
    const all = readTissues(map, FIELDS, moved, volumeOf(FIELDS));
    let wrong = 0;
    for (const name of ['first', 'second', 'share'] as const)
      for (let o = 0; o < COUNT; o++) if (some[name][o] !== (o % 4 === 0 ? all[name][o] : 0)) wrong++;
    expect(wrong).toBe(0);
  });
});

describe('drawnTissues', () => {
  const LEVELS = BODY_TISSUES.map((_, t) => 0.2 + 0.1 * t);
  const displacement: Tensor = { data: new Float32Array(3 * COUNT), shape: [1, 3, FZ, FY, FX] };
  const head = volumeOf(FIELDS);
  const runner = (
    settings: Readonly<Record<string, unknown>>,
    outputs: Record<string, Tensor> = {
      tissues: { data: grain, shape: [FZ, FY, FX] },
      positions: { data: positions(), shape: [1, 3, FZ, FY, FX] },
    },
  ): NetworkRunner => ({
    run: async () => outputs,
    describe: async () => ({ name: 'head-tissues', settings }) as never,
    close: async () => undefined,
  });
  const good = { tissues: BODY_TISSUES, levels: LEVELS };

  it('is the map with the levels of its model', async () => {
    const found = await drawnTissues(runner(good), displacement, head, undefined);
    expect(Buffer.compare(found.first, grain)).toBe(0);
    BODY_TISSUES.forEach((tissue, t) => {
      expect(found.levels[tissue]).toBe(LEVELS[t]);
    });
  });

  it.each([
    ['no tissues', { levels: LEVELS }],
    ['tissues in another order', { tissues: [...BODY_TISSUES].reverse(), levels: LEVELS }],
    ['one tissue fewer', { tissues: BODY_TISSUES.slice(1), levels: LEVELS.slice(1) }],
    ['a level of 0', { tissues: BODY_TISSUES, levels: LEVELS.map((level, t) => (t === 3 ? 0 : level)) }],
    ['a level fewer', { tissues: BODY_TISSUES, levels: LEVELS.slice(1) }],
    ['levels in words', { tissues: BODY_TISSUES, levels: LEVELS.map(String) }],
  ])('fails on a model of %s', async (_, settings) => {
    const error = await drawnTissues(runner(settings), displacement, head, undefined).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ tag: 'model-corrupt' });
  });

  it('fails on a network that gives no map', async () => {
    const silent = runner(good, { positions: { data: positions(), shape: [1, 3, FZ, FY, FX] } });
    await expect(drawnTissues(silent, displacement, head, undefined)).rejects.toMatchObject({
      tag: 'network-failed',
    });
  });
});
