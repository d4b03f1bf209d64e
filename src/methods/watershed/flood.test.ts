import { expect, it } from 'vitest';
import { flood } from './flood.js';

it('lets the labels meet on the ridge between their markers', () => {
  const costs = Uint8Array.of(0, 10, 20, 90, 200, 60, 5, 5, 0);
  const markers = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 2);
  const labels = flood(costs, markers, [9, 1, 1]);
  expect([...labels.slice(0, 4)]).toEqual([1, 1, 1, 1]);
  expect([...labels.slice(5)]).toEqual([2, 2, 2, 2]);
});

it('reaches every voxel, and goes round a wall rather than over it', () => {
  // 5 x 3: a wall of 200 in the third column with a gap in the last row.
  const costs = Uint8Array.from([0, 0, 200, 0, 0, 0, 0, 200, 0, 0, 0, 0, 3, 0, 0]);
  const markers = new Uint8Array(15);
  markers[0] = 1;
  const labels = flood(costs, markers, [5, 3, 1]);
  expect(labels.every((l) => l === 1)).toBe(true);
});
