/** Whether a face is gone, on the bundled head that is nobody: what keeps its face is told from what does not. */
import { describe, expect, it } from 'vitest';
import { IDENTITY, multiply, rotation, translation, type Vec3 } from '../volume/affine.js';
import { Random } from '../volume/random.js';
import { resampleLinear } from '../volume/resample.js';
import { sha256 } from '../volume/sha256.js';
import type { Grid, Volume } from '../volume/volume.js';
import { FACE_KEPT_LIMIT, faceKept, faceSurface, isFaceGone } from './face-gone.js';
import { changedHead, demoHead, inFace } from './testing/demo-head.js';

const head = demoHead;
const { grid } = head;
const before = faceSurface(head, IDENTITY);

const top = head.data.reduce((a, b) => Math.max(a, b), 0);
const random = new Random(sha256(Uint8Array.of(4)));
const gone = (volume: Volume): boolean => isFaceGone(faceKept(before, volume), true);

describe('a face', () => {
  it('is found where the brain says, and remembered in little', () => {
    expect(before.state).toBe('found');
    expect(before.elsewhere).toBe(false);
    expect(before.likeness).toBeGreaterThan(0.8);
  });

  it('is found in a head that lies turned and elsewhere in the scanner', () => {
    const pose = multiply(translation(30, -12, 8), rotation([0.3, -0.2, 0.5]));
    const turned = { grid: { ...grid, affine: multiply(pose, grid.affine) }, data: head.data };
    const seen = faceSurface(turned, pose);
    expect(seen.state).toBe('found');
    expect(faceKept(seen, turned).share).toBeGreaterThan(0.99);
  });

  it('is found when the pose is 10 mm and 8 degrees off, and kept when it is', () => {
    const off = faceSurface(head, multiply(translation(0, 7, -7), rotation([0.14, 0, 0])));
    expect(off.state).toBe('found');
    expect(faceKept(off, head).share).toBeGreaterThan(0.95);
    expect(
      faceKept(
        off,
        changedHead((v, p) => (inFace(p) ? 0 : v)),
      ).share,
    ).toBeLessThan(FACE_KEPT_LIMIT);
  });
});

describe('what keeps a face is not passed', () => {
  it.each<[string, Volume]>([
    ['the head as it is', head],
    ['in half the brightness', changedHead((v, p) => (inFace(p) ? 0.5 * v : v))],
    ['in another contrast', changedHead((v, p) => (inFace(p) ? top * Math.sqrt(Math.max(0, v) / top) : v))],
    ['with noise', changedHead((v) => v + 0.03 * top * random.normal())],
    ['moved forwards by 1 mm', changedHead((v) => v, shifted([0, 1, 0]))],
    ['its left half', changedHead((v, p) => (inFace(p) && p[0] > 2 ? 0 : v))],
    ['its right half', changedHead((v, p) => (inFace(p) && p[0] < -2 ? 0 : v))],
    ['eyes and nose', changedHead((v, p) => (inFace(p) && p[2] < -72 ? 0 : v))],
  ])('%s', (_, volume) => {
    expect(gone(volume)).toBe(false);
  });
});

describe('what keeps none is passed', () => {
  it.each<[string, Volume]>([
    ['everything in front cut off', changedHead((v, p) => (inFace(p) ? 0 : v))],
    ['a flat block of tissue', changedHead((v, p) => (!inFace(p) ? v : p[1] < 85 ? 0.3 * top : 0))],
    ['a head of another form', stretched()],
    ['noise alone', changedHead((v, p) => (inFace(p) ? 0.5 * top * random.uniform() : v))],
    ['nothing at all', changedHead(() => 0)],
  ])('%s', (_, volume) => {
    expect(gone(volume)).toBe(true);
  });
});

it('has no face to keep where the field of view ends above it, or it was cut off before', () => {
  const low = 75;
  const [nx, ny, nz] = grid.shape;
  const cut: Volume = {
    grid: { shape: [nx, ny, nz - low], affine: multiply(grid.affine, translation(0, 0, low)) },
    data: head.data.slice(low * nx * ny),
  };
  const outside = faceSurface(cut, IDENTITY);
  expect(outside.state).toBe('outside');
  expect(isFaceGone(faceKept(outside, cut), true)).toBe(true);
  const defaced = changedHead((v, p) => (p[1] > 20 && p[2] < 10 ? 0 : v));
  const removed = faceSurface(defaced, IDENTITY);
  expect(['none', 'outside']).toContain(removed.state);
  expect(faceKept(removed, defaced).share).toBeLessThan(FACE_KEPT_LIMIT);
});

describe('a nose that the end of the scan cuts off and folds over behind the head', () => {
  const [nx, ny, nz] = grid.shape;
  // The tip lies at 106 mm: 30 mm of the face come back at the other end, where 40 mm of air are added first.
  const end = Math.round((106 - 30 + 110) / 2);
  const pad = 20;
  const length = end + pad;
  const on: Grid = { shape: [nx, length, nz], affine: multiply(grid.affine, translation(0, -pad, 0)) };
  const data = new Float32Array(nx * length * nz);
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++) {
        const from = head.data[i + nx * (j + ny * k)] as number;
        const to = j < end ? j + pad : j - end;
        const o = i + nx * (to + length * k);
        if (to < length) data[o] = Math.max(data[o] as number, from);
      }
  const folded: Volume = { grid: on, data };
  const seen = faceSurface(folded, IDENTITY);

  it('is seen behind the head', () => {
    expect(seen.folded).toBeDefined();
  });

  it('is not gone when the front is cut off and the copy stays, and gone without it', () => {
    const front = changedHead((v, p) => (inFace(p) ? 0 : v), folded);
    const kept = faceKept(seen, front);
    expect(kept.folded).toBeGreaterThan(FACE_KEPT_LIMIT);
    expect(isFaceGone(kept, false)).toBe(false);
    const both = changedHead((v, p) => (inFace(p) || p[1] < -112 ? 0 : v), folded);
    expect(isFaceGone(faceKept(seen, both), false)).toBe(true);
  });
});

it('is looked for elsewhere when it is not where the brain says', () => {
  // The header says that the subject looks to the back: the face is behind the brain that was given.
  const behind = faceSurface(head, rotation([0, 0, Math.PI]));
  expect(behind.elsewhere).toBe(true);
  expect(isFaceGone(faceKept(behind, head), true)).toBe(false);
});

function shifted(mm: Vec3): Volume {
  const [x, y, z] = mm;
  const moved = { grid: { ...grid, affine: multiply(translation(x, y, z), grid.affine) }, data: head.data };
  return { grid, data: resampleLinear(moved, grid) };
}

/** Longer from brow to chin, flatter, wider: the same brain would not have it. */
function stretched(): Volume {
  const [sx, sy, sz] = [1.12, 0.9, 1.15];
  const about = multiply(
    translation(0, 20, 0),
    multiply([sx, 0, 0, 0, 0, sy, 0, 0, 0, 0, sz, 0, 0, 0, 0, 1], translation(0, -20, 0)),
  );
  const moved = { grid: { ...grid, affine: multiply(about, grid.affine) }, data: head.data };
  return { grid, data: resampleLinear(moved, grid) };
}
