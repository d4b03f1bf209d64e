/**
 * The ruler's networks with a stand-in for the weights: what they are fed, and what is made of what they say. How good
 * they are is measured in docs/results.md.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../../../../src/errors/errors.js';
import type { NetworkRunner, Tensor } from '../../../../src/networks/runner.js';
import type { PixelImage } from '../../../../src/render/image.js';
import { applyAffine, IDENTITY, multiply, scaling, translation } from '../../../../src/volume/affine.js';
import { type Grid, voxelCount } from '../../../../src/volume/volume.js';
import { vectorSimilarity } from '../privacy/similarity.js';
import { embedPictures, SQN_SIZE } from '../privacy/sqn.js';
import { brainAge } from './brain-age.js';
import {
  classesOfDlmuse,
  SEGMENTATION_CLASSES,
  segmentHead,
  TISSUE_GROUPS,
  type TissueGroup,
  tissueMask,
} from './segmentation.js';

type Feeds = Readonly<Record<string, Tensor>>;

/** Answers with a function and keeps what it was asked. */
function standIn(
  answer: (feeds: Feeds) => Record<string, Tensor>,
): NetworkRunner & { asked: [string, Feeds][] } {
  const asked: [string, Feeds][] = [];
  return {
    asked,
    run: async (name, feeds) => {
      asked.push([name, feeds]);
      return answer(feeds);
    },
    describe: async () => {
      throw new Error('not asked');
    },
    close: async () => {},
  };
}

/** Axes to the back, up and right, as IXI has them; the box of 2 mm voxels below is the brain. */
const grid: Grid = {
  shape: [40, 36, 32],
  affine: multiply(translation(-30, 40, -36), [0, 0, 2, 0, -2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1]),
};
const inBrain = ([x, y, z]: readonly [number, number, number]): boolean =>
  Math.abs(x) < 9 && Math.abs(y) < 13 && Math.abs(z) < 7;

function worldOf(v: number, g: Grid): readonly [number, number, number] {
  const [nx, ny] = g.shape;
  return applyAffine(g.affine, [v % nx, Math.floor(v / nx) % ny, Math.floor(v / (nx * ny))]);
}

function brainMaskOn(g: Grid): Uint8Array {
  return Uint8Array.from({ length: voxelCount(g.shape) }, (_, v) => (inBrain(worldOf(v, g)) ? 1 : 0));
}

/** Class 2 where the network sees a value above 1.5 levels, 1 where it is told a place right of the brain's middle. */
const labeller = standIn(({ image, position }) => {
  const n = image?.data.length ?? 0;
  const data = new Uint8Array(n);
  for (let v = 0; v < n; v++)
    data[v] = (image?.data[v] as number) > 1.5 ? 2 : (position?.data[v] as number) > 0.001 ? 1 : 0;
  return { labels: { data, shape: image?.shape ?? [] } };
});

describe('segmentation of a head', () => {
  const scans: [string, Grid][] = [
    ['a 2 mm scan in another order of axes', grid],
    [
      'a scan of 1.5 mm',
      { shape: [44, 54, 48], affine: multiply(translation(-33, -40, -36), scaling(1.5, 1.5, 1.5)) },
    ],
  ];
  it.each(scans)('feeds the box about the brain in RAS order and brings labels back: %s', async (_, g) => {
    const mask = brainMaskOn(g);
    // A bright slab above the brain: whatever stands outside the mask reaches the network.
    const above = (v: number): boolean => worldOf(v, g)[2] > 12;
    const data = Float32Array.from(mask, (m, v) => (above(v) ? 1700 : m === 1 ? 800 : 400));
    const { labels, classes } = await segmentHead({ grid: g, data }, labeller, {
      brainMask: { grid: g, data: mask },
    });
    expect(classes).toBe(SEGMENTATION_CLASSES);
    const [name, feeds] = labeller.asked.at(-1) as [string, Feeds];
    expect(name).toBe('segmentation');
    const [, , nz = 0, ny = 0, nx = 0] = feeds.image?.shape ?? [];
    // The brain is 18 x 26 x 14 mm, so 9 x 13 x 7 voxels at most, and 8 on each side.
    expect([nx, ny, nz]).toEqual([32, 32, 32]);
    expect(feeds.position?.shape).toEqual([1, 3, nz, ny, nx]);
    let [right, wrong] = [0, 0];
    for (let v = 0; v < labels.length; v++) {
      const [x, y, z] = worldOf(v, g);
      if (Math.abs(x) > 20 || Math.abs(y) > 20 || Math.abs(z) > 20 || Math.abs(z - 12) < 3 || Math.abs(x) < 3)
        continue;
      const expected = z > 12 ? 2 : x > 0 ? 1 : 0;
      if (labels[v] === expected) right++;
      else wrong++;
    }
    expect(right).toBeGreaterThan(1000);
    expect(wrong).toBe(0);
  });

  it('stores values in hundredths of the brain level, as prepare does', async () => {
    const mask = brainMaskOn(grid);
    const data = Float32Array.from(mask, (m, v) => (m === 1 ? 800 : v % 2 === 0 ? -5 : 4000));
    await segmentHead({ grid, data }, labeller, { brainMask: { grid, data: mask } });
    const seen = new Set(
      Array.from(labeller.asked.at(-1)?.[1].image?.data ?? [], (v) => Math.round(v * 100)),
    );
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 100, 255]);
  });

  it('refuses another grid, an empty mask and a brain without signal', async () => {
    const volume = { grid, data: new Float32Array(voxelCount(grid.shape)) };
    const other = { grid: { ...grid, affine: IDENTITY }, data: brainMaskOn(grid) };
    const refused = async (
      mask: typeof other,
      tag: 'mask-mismatch' | 'mask-empty' | 'no-signal',
    ): Promise<void> => {
      const error = await segmentHead(volume, labeller, { brainMask: mask }).catch((e: unknown) => e);
      expect(isRefusal(error, tag)).toBe(true);
    };
    await refused(other, 'mask-mismatch');
    await refused({ grid, data: new Uint8Array(voxelCount(grid.shape)) }, 'mask-empty');
    await refused({ grid, data: brainMaskOn(grid) }, 'no-signal');
  });

  it('has the classes of the exported network, each DLMUSE index once', () => {
    expect(SEGMENTATION_CLASSES.map(({ id }) => id)).toEqual(Array.from({ length: 53 }, (_, i) => i));
    const indices = SEGMENTATION_CLASSES.flatMap(({ dlmuse }) => dlmuse);
    expect(new Set(indices).size).toBe(indices.length);
    const path = new URL('../../models/segmentation/model.json', import.meta.url);
    if (!existsSync(path)) return;
    const { settings } = JSON.parse(readFileSync(path, 'utf8'));
    expect(settings.classes).toEqual(
      SEGMENTATION_CLASSES.map(({ id, name, group }) => ({ id, name, group })),
    );
  });

  it('groups classes to tissues, and DLMUSE to classes', () => {
    const ids = new Map(SEGMENTATION_CLASSES.map(({ name, id }) => [name, id]));
    const labels = [
      'left-frontal-grey',
      'corpus-callosum',
      'third-ventricle',
      'brain-stem',
      'csf',
      'background',
    ].map((name) => ids.get(name) as number);
    const of = (tissue: TissueGroup): string => tissueMask(labels, tissue).join('');
    expect(Object.keys(TISSUE_GROUPS).map((tissue) => of(tissue as TissueGroup))).toEqual([
      '100000',
      '010000',
      '001000',
      '110100',
    ]);
    expect([...classesOfDlmuse(Float32Array.of(0, 143, 95, 4, 35, 1, 250))]).toEqual([
      0,
      ...labels.slice(0, 5),
      0,
    ]);
  });
});

describe('brain age', () => {
  it('averages the plain and the mirrored look at the posed head at 4 mm', async () => {
    const networks = standIn(({ head }) => {
      // Ten years for each bright voxel left of the middle.
      let years = 20;
      head?.data.forEach((v, i) => {
        if (v > 0.1 && i % 64 < 32) years += 10;
      });
      return { years: { data: Float32Array.of(years), shape: [1, 1] } };
    });
    const g: Grid = { shape: [3, 3, 3], affine: multiply(translation(-22, 18, -34), scaling(4, 4, 4)) };
    const volume = { grid: g, data: new Float32Array(27).fill(500) };
    const years = await brainAge({ volume, pose: IDENTITY, brainLevel: 1000 }, networks);
    expect(networks.asked.map(([name, feeds]) => [name, feeds.head?.shape])).toEqual([
      ['brain-age', [1, 1, 64, 64, 64]],
      ['brain-age', [1, 1, 64, 64, 64]],
    ]);
    const [plain, turned] = networks.asked.map(([, feeds]) => feeds.head?.data as Float32Array);
    // 12 mm cubed of half a level, in units of 4 mm cubed.
    expect((plain as Float32Array).reduce((sum, v) => sum + v, 0)).toBeCloseTo(27 * 0.5, 3);
    const lit = (plain as Float32Array).reduce((n, v, i) => n + (v > 0.1 && i % 64 < 32 ? 1 : 0), 0);
    expect(lit).toBeGreaterThan(0);
    expect((turned as Float32Array)[63]).toBe((plain as Float32Array)[0]);
    expect(years).toBeCloseTo(20 + (10 * lit) / 2, 6);
  });
});

describe('SQN', () => {
  const picture = (value: number, channels: 1 | 3 = 1): PixelImage => ({
    width: SQN_SIZE,
    height: SQN_SIZE,
    channels,
    data: new Uint8Array(SQN_SIZE * SQN_SIZE * channels).fill(value),
  });

  it('feeds front, left and right from 0 to 1, to the network that is named', async () => {
    const networks = standIn(({ pictures }) => {
      const n = SQN_SIZE * SQN_SIZE;
      return {
        embedding: {
          data: Float32Array.from([0, 1, 2], (v) => pictures?.data[v * n] as number),
          shape: [1, 3],
        },
      };
    });
    const pictures = { front: picture(0), left: picture(51), right: picture(255) };
    const vector = await embedPictures(pictures, networks, 'sqn-quickshear');
    expect(networks.asked[0]?.[0]).toBe('sqn-quickshear');
    [0, 0.2, 1].forEach((v, i) => {
      expect(vector[i]).toBeCloseTo(v, 6);
    });
    await expect(embedPictures({ ...pictures, left: picture(0, 3) }, networks)).rejects.toThrow(
      '128 x 128 x 3',
    );
  });

  it('multiplies each query with each candidate; what has no picture has no score', () => {
    const [a, b] = [Float32Array.of(1, 0), Float32Array.of(0.6, 0.8)];
    const found = [...vectorSimilarity([a, b], [a, null, b], 'dot')].map((v) => Math.round(v * 1e6) / 1e6);
    expect(found).toEqual([1, Number.NaN, 0.6, 0.6, Number.NaN, 1]);
  });
});
