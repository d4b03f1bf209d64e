/** What is said of a scan before anything is done with it, on the bundled head that is nobody. */
import { describe, expect, it } from 'vitest';
import { templateBrain } from '../brain/testing/template-brain.js';
import { Failure, Refusal } from '../errors/errors.js';
import { decodeImage } from '../formats/stored-image.js';
import { nodeGzip } from '../node/gzip.js';
import { IDENTITY } from '../volume/affine.js';
import { type Grid, type Mask, voxelCount } from '../volume/volume.js';
import { axisCodes, inspectImage } from './inspect.js';
import { changedHead, demoHead } from './testing/demo-head.js';
import { niftiBytes } from './testing/fixtures.js';

const { grid, data: values } = demoHead;
const brain = templateBrain(grid, IDENTITY);

async function inspect(data: Float32Array, mask: Mask = brain, volumes = 1) {
  const bytes = niftiBytes({ grid: mask.grid, volumes: Array.from({ length: volumes }, () => data) });
  return inspectImage(await decodeImage({ name: 'a.nii', bytes }, nodeGzip), {
    findBrain: async () => ({ mask, agreement: 0.97 }),
  });
}

describe('inspectImage', () => {
  it('names axes, brain, contrast and face', async () => {
    const seen = await inspect(values);
    expect(seen).toMatchObject({ axes: 'RAS', shape: grid.shape, volumes: 1, face: 'present', notes: [] });
    expect(seen.problem).toBeUndefined();
    expect(seen.brain?.contrast).toBe('t1w');
    expect(seen.brain?.millilitres).toBeCloseTo((brain.data.reduce((a, b) => a + b, 0) * 8) / 1000, 0);
    expect(seen.brain?.degreesTurned).toBeLessThan(8);
  });

  it('sees that a face was removed, is out of view, or that there is a brain alone', async () => {
    const defaced = changedHead((v, p, o) => (brain.data[o] === 0 && p[1] > 15 && p[2] < 10 ? 0 : v)).data;
    expect((await inspect(defaced)).face).toBe('removed');
    const stripped = changedHead((v, _, o) => (brain.data[o] === 1 ? v : 0)).data;
    const alone = await inspect(stripped);
    expect(alone.face).toBe('brain only');
    expect(alone.notes).toContain('there is a brain and no head round it');
    const [nx, ny, nz] = grid.shape;
    const low = 62;
    const short: Grid = {
      shape: [nx, ny, nz - low],
      affine: grid.affine.map((v, i) => (i === 11 ? v + 2 * low : v)),
    };
    const mask: Mask = { grid: short, data: brain.data.slice(low * nx * ny) };
    expect(mask.data.length).toBe(voxelCount(short.shape));
    expect((await inspect(values.slice(low * nx * ny), mask)).face).toBe('not in view');
  });

  it('notes several volumes and a header whose axes lie', async () => {
    expect((await inspect(values, brain, 3)).notes).toEqual(['3 volumes: all of them would get one face']);
    const lying: Grid = {
      shape: grid.shape,
      affine: [0, 0, 2, -158, 2, 0, 0, -112, 0, 2, 0, -110, 0, 0, 0, 1],
    };
    const seen = await inspect(values, { grid: lying, data: brain.data });
    expect(seen.axes).toBe('ASR');
    expect(seen.notes.join()).toMatch(/degrees away from upright/);
  });

  it('says why a scan would be refused, and lets failures through', async () => {
    const bytes = niftiBytes({ grid, volumes: [values] });
    const image = await decodeImage({ name: 'a.nii', bytes }, nodeGzip);
    const because = (error: Error) =>
      inspectImage(image, {
        findBrain: async () => {
          throw error;
        },
      });
    const seen = await because(new Refusal('brain-implausible', 'expected a brain, found a pear'));
    expect(seen).toMatchObject({ face: 'unknown', problem: 'expected a brain, found a pear' });
    await expect(because(new Failure('network-failed', 'broken'))).rejects.toThrow('broken');
  });
});

it('names axes as nibabel does', () => {
  expect(axisCodes({ shape: [2, 2, 2], affine: [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] })).toBe(
    'LAS',
  );
  expect(axisCodes({ shape: [2, 2, 2], affine: [0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 1] })).toBe(
    'PIR',
  );
});
