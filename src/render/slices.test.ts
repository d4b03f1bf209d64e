import { describe, expect, it } from 'vitest';
import { type Affine, IDENTITY, multiply, rotation, translation } from '../volume/affine.js';
import type { Mask, Volume } from '../volume/volume.js';
import { blank, montage, type PixelImage } from './image.js';
import { displayWindow, renderSlices } from './slices.js';

/** 10 x 12 x 14 mm, RAS, black but for one bright voxel to the right (x 8), front (y 9) and top (z 11). */
function marked(affine: Affine = IDENTITY): Volume {
  const data = new Float32Array(10 * 12 * 14);
  data[8 + 10 * (9 + 12 * 11)] = 1;
  return { grid: { shape: [10, 12, 14], affine }, data };
}

function brightest(image: PixelImage): [number, number] {
  let best = 0;
  for (let i = 0; i < image.data.length; i += 3)
    if ((image.data[i] as number) > (image.data[best] as number)) best = i;
  return [(best / 3) % image.width, Math.floor(best / 3 / image.width)];
}

describe('renderSlices', () => {
  const options = { at: [8, 9, 11], window: [0, 1] } as const;

  it('hangs the three planes as it says', () => {
    const [axial, coronal, sagittal] = renderSlices(marked(), options) as [
      PixelImage,
      PixelImage,
      PixelImage,
    ];
    expect([axial.width, axial.height]).toEqual([10, 12]);
    expect([coronal.width, coronal.height]).toEqual([10, 14]);
    expect([sagittal.width, sagittal.height]).toEqual([12, 14]);
    expect(brightest(axial)).toEqual([1, 2]);
    expect(brightest(coronal)).toEqual([1, 2]);
    expect(brightest(sagittal)).toEqual([2, 2]);
    const [neurological] = renderSlices(marked(), { ...options, display: 'neurological' }) as [PixelImage];
    expect(brightest(neurological)).toEqual([8, 2]);
  });

  it('is the same for a stored grid with other axes, and for a turned world seen in its own frame', () => {
    const expected = renderSlices(marked(), options);
    const source = marked();
    // Stored as (z up to down, x left to right, y back to front).
    const data = new Float32Array(source.data.length);
    for (let z = 0; z < 14; z++)
      for (let y = 0; y < 12; y++)
        for (let x = 0; x < 10; x++)
          data[13 - z + 14 * (x + 10 * y)] = source.data[x + 10 * (y + 12 * z)] as number;
    const affine: Affine = [0, 1, 0, 0, 0, 0, 1, 0, -1, 0, 0, 13, 0, 0, 0, 1];
    expect(renderSlices({ grid: { shape: [14, 10, 12], affine }, data }, options)).toEqual(expected);

    const pose = multiply(translation(30, -20, 5), rotation([0.3, -0.2, 0.5]));
    const turned = renderSlices(marked(pose), { ...options, frame: pose });
    expect(turned.map((i) => brightest(i))).toEqual(expected.map((i) => brightest(i)));
  });

  it('makes square pixels of long voxels', () => {
    const long = marked([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1]);
    const [, coronal] = renderSlices(long, { window: [0, 1], pixelMm: 0.5 }) as [PixelImage, PixelImage];
    expect([coronal.width, coronal.height]).toEqual([20, 84]);
  });

  it('draws the border of a mask and nothing else', () => {
    const grid = { shape: [20, 20, 20], affine: IDENTITY } as const;
    const mask: Mask = { grid, data: new Uint8Array(8000) };
    for (let z = 5; z < 15; z++)
      for (let y = 5; y < 15; y++) mask.data.fill(1, 5 + 20 * (y + 20 * z), 15 + 20 * (y + 20 * z));
    const volume: Volume = { grid, data: new Float32Array(8000).fill(0.5) };
    const outlines = [{ mask, colour: [255, 0, 0] as const }];
    for (const image of renderSlices(volume, { window: [0, 1], outlines, at: [10, 10, 10] })) {
      const red: number[] = [];
      for (let i = 0; i < image.data.length; i += 3)
        if (image.data[i] === 255 && image.data[i + 1] === 0) red.push(i / 3);
      expect(red).toHaveLength(36);
      for (const p of red) {
        const [x, y] = [p % 20, Math.floor(p / 20)];
        expect(Math.max(Math.abs(x - 9.5), Math.abs(y - 9.5))).toBe(4.5);
      }
      expect([...image.data.subarray(0, 3)]).toEqual([128, 128, 128]);
    }
  });
});

describe('displayWindow', () => {
  it('is not moved by a few outliers or by values that are not finite', () => {
    const data = Float32Array.from({ length: 100_000 }, (_, i) => i % 1000);
    data.fill(1e9, 0, 300);
    data[50_000] = Number.NaN;
    const [low, high] = displayWindow({ grid: { shape: [100, 100, 10], affine: IDENTITY }, data });
    expect(low).toBeCloseTo(10, -1);
    expect(high).toBeGreaterThan(980);
    expect(high).toBeLessThan(1000);
  });
});

describe('montage', () => {
  it('tiles pictures of different sizes and kinds, each in the middle of its cell', () => {
    const grey: PixelImage = { width: 1, height: 1, channels: 1, data: Uint8Array.of(9) };
    const sheet = montage([blank(3, 3, [1, 2, 3]), grey, grey], {
      columns: 2,
      paddingPx: 1,
      background: [7, 7, 7],
    });
    expect([sheet.width, sheet.height, sheet.channels]).toEqual([9, 9, 3]);
    const pixel = (x: number, y: number): number[] => [
      ...sheet.data.subarray(3 * (x + 9 * y), 3 * (x + 9 * y) + 3),
    ];
    expect(pixel(0, 0)).toEqual([7, 7, 7]);
    expect(pixel(3, 3)).toEqual([1, 2, 3]);
    expect(pixel(6, 2)).toEqual([9, 9, 9]);
    expect(pixel(2, 6)).toEqual([9, 9, 9]);
    expect(pixel(6, 6)).toEqual([7, 7, 7]);
  });
});
