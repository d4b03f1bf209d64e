/** Two images before and after anybody's de-identification: what must be said of each pair. */
import { describe, expect, it } from 'vitest';
import { templateBrain } from '../brain/testing/template-brain.js';
import type { Datatype } from '../formats/datatypes.js';
import { decodeImage, type StoredImage } from '../formats/stored-image.js';
import { nodeGzip } from '../node/gzip.js';
import { IDENTITY, multiply, translation, type Vec3 } from '../volume/affine.js';
import { compareImages } from './compare.js';
import { changedHead as change, demoHead, inFace } from './testing/demo-head.js';
import { niftiBytes } from './testing/fixtures.js';

const { grid } = demoHead;
const values = demoHead.data.map(Math.round);
const brain = templateBrain(grid, IDENTITY);

function read(data: Float32Array, { on = grid, datatype = 'int16' as Datatype, slope = 0 } = {}) {
  const bytes = niftiBytes({ grid: on, volumes: [data], datatype, ...(slope === 0 ? {} : { slope }) });
  return decodeImage({ name: 'a.nii', bytes }, nodeGzip);
}

/** Whole numbers, as they are stored. */
const changed = (value: (v: number, place: Vec3, o: number) => number): Float32Array =>
  change(value, { grid, data: values }).data;
const outside = (o: number): boolean => brain.data[o] === 0;
const original = await read(values);

function failing(result: StoredImage, altered?: Uint8Array): string[] {
  const { checks } = compareImages(original, result, {
    brain,
    pose: IDENTITY,
    ...(altered === undefined ? {} : { altered: { grid, data: altered } }),
  });
  return Object.entries(checks)
    .filter(([, { passed }]) => !passed)
    .map(([name]) => name);
}

describe('compareImages', () => {
  const cutOff = changed((v, p, o) => (outside(o) && inFace(p) ? 0 : v));

  it('passes a result that keeps the brain and has lost the face', async () => {
    expect(failing(await read(cutOff))).toEqual([]);
  });

  it('says how much of a face stands in the result', async () => {
    const half = await read(changed((v, p, o) => (outside(o) && inFace(p) && p[0] > 0 ? 0 : v)));
    const { checks, kept } = compareImages(original, half, { brain, pose: IDENTITY });
    expect(failing(half)).toEqual(['faceGone']);
    expect(kept).toBeGreaterThan(0.8);
    expect(checks.faceGone?.value).toMatch(/^\d+ % of the original's face in its place$/);
  });

  it('looks at every volume: a face in the second, where the first shows the brain alone', async () => {
    const bare = changed((v, _, o) => (outside(o) ? 0 : v));
    const series = (second: Float32Array): Promise<StoredImage> =>
      decodeImage(
        { name: 'a.nii', bytes: niftiBytes({ grid, volumes: [bare, second], datatype: 'int16' }) },
        nodeGzip,
      );
    const before = await series(values);
    const rim = changed((v, p, o) => (outside(o) && p[1] < -40 ? 0 : v));
    const kept = compareImages(before, await series(rim), { brain, pose: IDENTITY });
    expect(kept.checks.faceGone).toEqual({
      passed: false,
      value: "100 % of the original's face in its place in volume 2 of 2",
    });
    expect(kept.kept).toBe(1);
    expect(kept.original.state).toBe('found');
    const gone = compareImages(before, await series(cutOff), { brain, pose: IDENTITY });
    expect(gone.checks.faceGone?.passed).toBe(true);
  });

  it('fails the original itself', async () => {
    expect(failing(original)).toEqual(['faceGone', 'changedOutside']);
  });

  it('counts the brain voxels that differ, and their millilitres', async () => {
    const inside = brain.data.indexOf(1);
    const touched = cutOff.slice();
    touched[inside] = (touched[inside] as number) + 1;
    const result = await read(touched);
    expect(failing(result)).toEqual(['brainIdentical']);
    const { checks } = compareImages(original, result, { brain, pose: IDENTITY });
    expect(checks.brainIdentical?.value).toMatch(/^1 of \d+ voxels differ \(0\.0 ml\)$/);
  });

  it('with the altered region: all else to the bit', async () => {
    const altered = values.map((v, o) => (cutOff[o] === v ? 0 : 1));
    const region = Uint8Array.from(altered);
    expect(failing(await read(cutOff), region)).toEqual([]);
    const touched = cutOff.slice();
    const at = touched.findIndex((_, o) => outside(o) && region[o] === 0);
    touched[at] = (touched[at] as number) + 1;
    expect(failing(await read(touched), region)).toEqual(['keptVoxelsIdentical']);
  });

  it('names another grid, another place and another type', async () => {
    const moved = { ...grid, affine: multiply(translation(0, 1, 0), grid.affine) };
    expect(failing(await read(cutOff, { on: moved }))).toEqual(['grid']);
    const floats = failing(await read(cutOff, { datatype: 'float32' }));
    expect(floats).toContain('type');
    expect(floats).toContain('brainIdentical');
    expect(failing(await read(cutOff, { slope: 0.5 }))).toContain('type');
  });
});
