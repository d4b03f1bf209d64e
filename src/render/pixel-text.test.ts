/** Labels in pictures: the shapes that were meant, and nothing beyond the edge. */
import { describe, expect, it } from 'vitest';
import { blank, type PixelImage } from './image.js';
import { drawText, TEXT_HEIGHT, textWidth } from './pixel-text.js';

function lines({ width, height, data }: PixelImage): string[] {
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (__, x) => (data[3 * (x + width * y)] === 0 ? '#' : '.')).join(''),
  );
}
const draw = (text: string, width: number, height: number, left = 0, top = 0, scale = 1): string[] => {
  const image = blank(width, height, [255, 255, 255]);
  drawText(image, text, left, top, { colour: [0, 0, 0], scale });
  return lines(image);
};

describe('text of pixels', () => {
  it('draws letters, small ones as large ones', () => {
    expect(draw('R+', textWidth('R+'), TEXT_HEIGHT)).toEqual([
      '####.......',
      '#...#...#..',
      '#...#...#..',
      '####..#####',
      '#.#.....#..',
      '#..#....#..',
      '#...#......',
    ]);
    expect(draw('r', 5, 7)).toEqual(draw('R', 5, 7));
  });

  it('draws a pixel as a square at a larger scale, and a box for what it does not know', () => {
    const large = draw('L', 10, 14, 0, 0, 2);
    expect(large[0]).toBe('##........');
    expect(large[13]).toBe('##########');
    expect(draw('é', 5, 7)[0]).toBe('#####');
    expect(draw('é', 5, 7)).not.toEqual(draw('0', 5, 7));
  });

  it('cuts what falls off the picture', () => {
    expect(draw('LLL', 7, 3, -1, 5)).toEqual(draw('', 7, 3));
    expect(draw('L', 3, 3, 1, -5)).toEqual(['.#.', '.##', '...']);
  });
});
