import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faceSites, inFace } from './face-sites.js';
import type { Sites } from './sites.js';

const lattice = (x: number, y: number, z: number): Sites => ({ x, y, z, count: x * y * z });

describe('the sites of the face', () => {
  it('hold nose, chin, ears and neck, and neither vault nor skull base', () => {
    expect([inFace(0, 90, -40), inFace(0, 80, -90), inFace(75, 0, -35), inFace(0, -20, -110)]).toEqual(
      Array(4).fill(true),
    );
    expect([inFace(0, 75, 20), inFace(0, -95, 0), inFace(75, 0, 10), inFace(0, -60, -50)]).toEqual(
      Array(4).fill(false),
    );
  });

  it('are alike left and right, and the same in space on every lattice that the networks may have', () => {
    const lattices = [1, 2, 4].map((fold) => {
      const sites = lattice(6 * fold, 8 * fold, 8 * fold);
      return { sites, edge: 32 / fold, face: faceSites(sites) };
    });
    fc.assert(
      fc.property(fc.constantFrom(...lattices), fc.nat(), ({ sites, edge, face }, n) => {
        const o = n % sites.count;
        const i = o % sites.x;
        const j = Math.floor(o / sites.x) % sites.y;
        const k = Math.floor(o / (sites.x * sites.y));
        expect(face[o - i + (sites.x - 1 - i)]).toBe(face[o]);
        const at = [(i + 0.5) * edge - 96, (j + 0.5) * edge - 106, (k + 0.5) * edge - 158] as const;
        expect(inFace(...at) ? 1 : 0).toBe(face[o]);
      }),
      { numRuns: 1000 },
    );
  });
});
