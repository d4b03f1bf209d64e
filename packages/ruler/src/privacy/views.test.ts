import { describe, expect, it } from 'vitest';
import { prepareSurface } from '../../../../src/render/field.js';
import type { PixelImage } from '../../../../src/render/image.js';
import { IDENTITY, multiply, rotation, translation } from '../../../../src/volume/affine.js';
import { eggHead } from './testing/egg-heads.js';
import { ATTACK_VIEW_NAMES, ATTACK_VIEWS, attackPictures, blurImage } from './views.js';

const field = prepareSurface(eggHead());

/** Mean absolute difference of two pictures, grey levels. */
function difference(a: PixelImage, b: PixelImage): number {
  expect([a.width, a.height, a.channels]).toEqual([b.width, b.height, b.channels]);
  return a.data.reduce((sum, v, i) => sum + Math.abs(v - (b.data[i] as number)), 0) / a.data.length;
}

describe('attackPictures', () => {
  it('portraits are 256 px in colour, reliefs 128 px in grey, and the same each time', () => {
    const portraits = attackPictures(field, IDENTITY);
    const reliefs = attackPictures(field, IDENTITY, { style: 'relief' });
    for (const name of ATTACK_VIEW_NAMES) {
      expect(portraits[name]).toMatchObject({ width: 256, height: 256, channels: 3 });
      expect(reliefs[name]).toMatchObject({ width: 128, height: 128, channels: 1 });
    }
    const again = attackPictures(field, IDENTITY, { style: 'relief' });
    for (const name of ATTACK_VIEW_NAMES) expect(difference(reliefs[name], again[name])).toBe(0);
  });

  it('set B is another view under another lamp, and still that head in the picture', () => {
    const [a, b] = (['A', 'B'] as const).map((viewSet) =>
      attackPictures(field, IDENTITY, { style: 'relief', size: 64, viewSet }),
    ) as [ReturnType<typeof attackPictures>, ReturnType<typeof attackPictures>];
    for (const name of ATTACK_VIEW_NAMES) {
      const [p, q] = [ATTACK_VIEWS.A[name].view, ATTACK_VIEWS.B[name].view];
      const turned = Math.hypot(p.yaw - q.yaw, p.pitch - q.pitch);
      expect(turned).toBeGreaterThan(5);
      expect(turned).toBeLessThan(12);
      expect(difference(a[name], b[name])).toBeGreaterThan(3);
      const lit = (image: PixelImage): number => image.data.filter((v) => v > 0).length;
      expect(lit(b[name]) / lit(a[name])).toBeCloseTo(1, 0.7);
    }
  });

  it('follows the brain, not the scanner', () => {
    const pose = multiply(translation(20, 10, -15), rotation([0.2, 0.1, -0.3]));
    const still = attackPictures(field, IDENTITY, { style: 'relief', size: 64 });
    const lying = attackPictures(eggHead({}, pose), pose, { style: 'relief', size: 64 });
    for (const name of ATTACK_VIEW_NAMES) expect(difference(still[name], lying[name])).toBeLessThan(1);
  });

  it('BLURRED takes out the small and keeps the large', () => {
    const sharp = attackPictures(field, IDENTITY, { size: 96 }).front;
    const blurred = attackPictures(field, IDENTITY, { size: 96, blurred: true }).front;
    const roughness = (image: PixelImage): number => {
      let sum = 0;
      for (let i = 3; i < image.data.length; i++)
        sum += Math.abs((image.data[i] as number) - (image.data[i - 3] as number));
      return sum;
    };
    expect(roughness(blurred)).toBeLessThan(roughness(sharp));
    const mean = (image: PixelImage): number => image.data.reduce((s, v) => s + v, 0) / image.data.length;
    expect(mean(blurred)).toBeCloseTo(mean(sharp), 0);
  });
});

describe('blurImage', () => {
  it('makes a Gaussian of a dot, each channel for itself', () => {
    const image: PixelImage = { width: 31, height: 31, channels: 3, data: new Uint8Array(31 * 31 * 3) };
    const at = (x: number, y: number, c: number): number => 3 * (x + 31 * y) + c;
    for (let y = 14; y <= 16; y++) for (let x = 14; x <= 16; x++) image.data[at(x, y, 1)] = 255;
    const { data } = blurImage(image, 2);
    expect(data.every((v, i) => i % 3 === 1 || v === 0)).toBe(true);
    const centre = data[at(15, 15, 1)] as number;
    // 9 pixels of 255 spread over 2 pi sigma^2, a little less for their own width.
    expect(centre).toBeCloseTo((255 * 9) / (2 * Math.PI * (4 + 2 / 3)), -1);
    expect((data[at(19, 15, 1)] as number) / centre).toBeCloseTo(Math.exp(-16 / (2 * (4 + 2 / 3))), 1);
    expect(data[at(15, 19, 1)]).toBe(data[at(19, 15, 1)]);
    expect(blurImage(image, 0)).toBe(image);
  });

  it('leaves an even picture even, to its edge', () => {
    const image: PixelImage = { width: 9, height: 5, channels: 1, data: new Uint8Array(45).fill(77) };
    expect(blurImage(image, 3).data).toEqual(image.data);
  });
});
