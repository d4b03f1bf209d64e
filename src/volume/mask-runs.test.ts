/** Runs of a mask, against a walk over its voxels. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { eachRun } from './mask-runs.js';

function runs(mask: Uint8Array, row?: number): [number, number][] {
  const out: [number, number][] = [];
  eachRun(mask, (from, end) => out.push([from, end]), row);
  return out;
}

it('names every set voxel once, in order, and no run crosses the end of a row', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 1, 1), { maxLength: 60 }),
      fc.integer({ min: 1, max: 12 }),
      (bits, row) => {
        const mask = Uint8Array.from(bits.slice(0, bits.length - (bits.length % row)));
        const seen = new Uint8Array(mask.length);
        let before = -1;
        for (const [from, end] of runs(mask, row)) {
          expect(from).toBeGreaterThan(before);
          expect(Math.floor(from / row)).toBe(Math.floor((end - 1) / row));
          for (let v = from; v < end; v++) seen[v] = (seen[v] as number) + 1;
          before = end - 1;
        }
        expect([...seen]).toEqual([...mask]);
        // As long as they can be: what follows a run is not set, or begins a row.
        for (const [, end] of runs(mask, row))
          if (end % row !== 0 && end < mask.length) expect(mask[end]).toBe(0);
      },
    ),
  );
});

it('goes on from row to row where no row is given', () => {
  expect(runs(Uint8Array.of(0, 1, 1, 1, 1, 0, 1))).toEqual([
    [1, 5],
    [6, 7],
  ]);
  expect(runs(new Uint8Array(4).fill(1))).toEqual([[0, 4]]);
  expect(runs(new Uint8Array(4))).toEqual([]);
});
