/** The map of regions: what the atlas says, what colour it gets, and that only consistent regions have an outline. */
import { describe, expect, it } from 'vitest';
import type { PixelImage, Rgb } from '../../../../src/render/image.js';
import type { Vec3 } from '../../../../src/volume/affine.js';
import { regionAtlas } from '../utility/region-atlas.js';
import { REGION_ATLAS_HEADS } from '../utility/region-atlas-data.js';
import { SEGMENTATION_CLASSES } from '../utility/segmentation-classes.js';
import {
  drawRegionMap,
  drawRegionSlice,
  FULL_CHANGE,
  REGION_SLICES,
  regionColour,
  sliceClasses,
  VOXEL_PX,
} from './region-map.js';
import type { RegionChange } from './results.js';

const DARK: Rgb = [20, 20, 20];
const NO_CLASS: Rgb = [214, 214, 214];
const NO_NUMBER: Rgb = [170, 170, 170];
const idOf = (name: string): number => SEGMENTATION_CLASSES.find((c) => c.name === name)?.id ?? Number.NaN;
const one = (name: string, change: number, consistent: boolean): RegionChange[] => [
  { id: idOf(name), change, consistent, n: 18 },
];
const pixel = ({ width, data }: PixelImage, x: number, y: number): number[] => [
  ...data.subarray(3 * (x + width * y), 3 * (x + width * y) + 3),
];
function share(image: PixelImage, [r, g, b]: Rgb): number {
  let count = 0;
  for (let i = 0; i < image.data.length; i += 3)
    if (image.data[i] === r && image.data[i + 1] === g && image.data[i + 2] === b) count++;
  return count / (image.width * image.height);
}

describe('the region atlas', () => {
  const atlas = regionAtlas();

  it('is a vote of more than a hundred heads and has every class', () => {
    expect(REGION_ATLAS_HEADS).toBeGreaterThanOrEqual(100);
    expect(atlas.data.length).toBe(atlas.shape[0] * atlas.shape[1] * atlas.shape[2]);
    expect([...new Set(atlas.data)].sort((a, b) => a - b)).toEqual(SEGMENTATION_CLASSES.map(({ id }) => id));
  });

  it('has right on the right, the front in front and the top above', () => {
    const places: [string, Vec3][] = [
      ['right-hippocampus', [22, 8, -20]],
      ['left-hippocampus', [-26, 4, -20]],
      ['brain-stem', [2, 4, -44]],
      ['right-cerebellar-cortex', [26, -40, -44]],
      ['right-frontal-grey', [2, 72, 0]],
      ['left-occipital-grey', [-6, -72, -4]],
    ];
    for (const [name, point] of places)
      expect([name, SEGMENTATION_CLASSES[atlas.at(point)]?.name]).toEqual([name, name]);
    expect(atlas.at([0, 200, 0])).toBe(0);
    expect(atlas.at([0, 0, 70])).toBe(0);
  });

  it('shows every class on one of the slices', () => {
    const seen = new Set(REGION_SLICES.flatMap((slice) => [...sliceClasses(atlas, slice).ids]));
    expect(seen.size).toBe(SEGMENTATION_CLASSES.length);
  });
});

describe('colours of change', () => {
  it('are white at none, blue below, red above, and end at 5 %', () => {
    expect(regionColour(0, true)).toEqual([255, 255, 255]);
    expect(regionColour(-FULL_CHANGE, true)).toEqual([33, 102, 172]);
    expect(regionColour(FULL_CHANGE, true)).toEqual([178, 24, 43]);
    expect(regionColour(-0.3, true)).toEqual(regionColour(-FULL_CHANGE, true));
    expect(regionColour(Number.POSITIVE_INFINITY, true)).toEqual(regionColour(FULL_CHANGE, true));
    expect(regionColour(FULL_CHANGE / 2, true)).toEqual([217, 140, 149]);
  });

  it('are paler where the direction is not consistent, and grey without a number', () => {
    for (const change of [-0.05, -0.02, 0.02, 0.05])
      for (const [c, full] of regionColour(change, true).entries())
        expect(regionColour(change, false)[c]).toBeGreaterThan(full);
    expect(regionColour(Number.NaN, false)).toEqual(NO_NUMBER);
  });
});

describe('a slice of the map', () => {
  const slice = { plane: 'axial', mm: -20 } as const;

  it('paints a class where the atlas has it, the right on the left, and nothing else', () => {
    const image = drawRegionSlice(slice, one('right-hippocampus', -0.05, false));
    const { width, height, ids } = sliceClasses(regionAtlas(), slice);
    const painted = regionColour(-0.05, false);
    let columns = 0;
    let count = 0;
    const wrong: number[] = [];
    for (let v = 0; v < ids.length; v++) {
      const [column, row] = [v % width, Math.floor(v / width)];
      const id = ids[v] as number;
      const expected = id === 0 ? NO_CLASS : id === idOf('right-hippocampus') ? painted : NO_NUMBER;
      if (pixel(image, column * VOXEL_PX + 3, row * VOXEL_PX + 3).join() !== expected.join()) wrong.push(v);
      // Independently of the slicing: by the place in the brain's frame.
      if (id !== regionAtlas().at([62 - 4 * column, 88 - 4 * row, slice.mm])) wrong.push(v);
      if (expected === painted) {
        columns += column;
        count++;
      }
    }
    expect(wrong).toEqual([]);
    expect(height * VOXEL_PX).toBe(image.height);
    expect(columns / count).toBeLessThan(width / 2);
  });

  it('puts the front of a sagittal slice on the left and the top of a coronal one above', () => {
    const sagittal = drawRegionSlice({ plane: 'sagittal', mm: 2 }, one('right-frontal-grey', 0.05, false));
    const coronal = drawRegionSlice({ plane: 'coronal', mm: -48 }, one('right-parietal-grey', 0.05, false));
    const colour = regionColour(0.05, false);
    const half = (image: PixelImage, inHalf: (x: number, y: number) => boolean): number => {
      let [inside, all] = [0, 0];
      for (let y = 3; y < image.height; y += VOXEL_PX)
        for (let x = 3; x < image.width; x += VOXEL_PX)
          if (pixel(image, x, y).join() === colour.join()) {
            all++;
            if (inHalf(x, y)) inside++;
          }
      return inside / all;
    };
    expect(half(sagittal, (x) => x < sagittal.width / 2)).toBeGreaterThan(0.7);
    expect(half(coronal, (_, y) => y < coronal.height / 2)).toBeGreaterThan(0.7);
  });

  it('outlines consistent regions alone', () => {
    const name = 'right-cerebellar-cortex';
    const cut = { plane: 'axial', mm: -40 } as const;
    expect(share(drawRegionSlice(cut, one(name, 0.05, false)), DARK)).toBe(0);
    const image = drawRegionSlice(cut, [
      ...one(name, 0.05, true),
      ...one('left-cerebellar-cortex', 0.05, false),
    ]);
    const { width, ids } = sliceClasses(regionAtlas(), cut);
    const idAt = (x: number, y: number): number =>
      ids[Math.floor(x / VOXEL_PX) + width * Math.floor(y / VOXEL_PX)] ?? 0;
    let dark = 0;
    const wrong: string[] = [];
    const full = regionColour(0.05, true).join();
    for (let y = 1; y < image.height - 1; y++)
      for (let x = 1; x < image.width - 1; x++) {
        const inside = idAt(x, y) === idOf(name);
        const around = [idAt(x - 1, y), idAt(x + 1, y), idAt(x, y - 1), idAt(x, y + 1)];
        const colour = pixel(image, x, y).join();
        const isDark = colour === DARK.join();
        if (isDark) dark++;
        const edge = around.some((id) => id !== idOf(name));
        if (isDark ? !inside : inside && (edge || colour !== full)) wrong.push(`${x}, ${y}`);
      }
    expect(wrong).toEqual([]);
    expect(dark).toBeGreaterThan(50);
  });
});

describe('the whole map', () => {
  it('has a scale of colours, and a panel below the other where there are two', () => {
    const single = drawRegionMap([{ changes: one('brain-stem', 0.01, true) }]);
    const both = drawRegionMap([
      { title: 'a', changes: one('brain-stem', 0.01, true) },
      { title: 'b', changes: one('brain-stem', 0.01, true) },
    ]);
    expect(both.width).toBe(single.width);
    expect(both.height).toBeGreaterThan(1.7 * single.height);
    // Nothing on the slices has these colours: they are the ends of the two scales.
    for (const change of [-FULL_CHANGE, FULL_CHANGE])
      for (const consistent of [true, false])
        expect(share(single, regionColour(change, consistent))).toBeGreaterThan(0);
  });
});
