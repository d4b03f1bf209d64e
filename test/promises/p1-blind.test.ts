/**
 * P1: outside the brain, the result of a method that remodels is a function of gamma, the grid and the seed alone. Where
 * gamma is the brain, whatever else stands in the scan may change; where it holds the convex hull of the head too, what
 * leaves that hull as it is.
 */
import { describe, expect, it } from 'vitest';
import { fakeMethod } from '../../src/methods/testing/fake-method.js';
import { sameHullChanges } from '../../src/methods/testing/same-hull.js';
import { dilateMm } from '../../src/volume/morphology.js';
import { Random } from '../../src/volume/random.js';
import { sha256 } from '../../src/volume/sha256.js';
import type { Mask } from '../../src/volume/volume.js';
import {
  type HeadUnderTest,
  headsUnderTest,
  imageOf,
  type MethodUnderTest,
  maskOf,
  outcomeFor,
  remodellersUnderTest,
} from './support.js';

const methods = await remodellersUnderTest();
const heads = await headsUnderTest();

/** The head with other voxels outside the brain, of which gamma knows nothing. */
function changes(under: MethodUnderTest, head: HeadUnderTest): Record<string, Float32Array> {
  const { method, services } = under;
  if (method.kind === 'remodel' && method.conditioning === 'brain and convex hull') {
    const volume = { grid: head.grid, data: head.values };
    return sameHullChanges(services.makeHead(volume, { grid: head.grid, data: head.brain }));
  }
  return changesOutside(head);
}

function changesOutside(head: HeadUnderTest): Record<string, Float32Array> {
  const outside = (value: (o: number) => number): Float32Array =>
    head.values.map((v, o) => (head.brain[o] === 0 ? value(o) : v));
  const places = Uint32Array.from(Array.from(head.brain.keys()).filter((o) => head.brain[o] === 0));
  const shuffled = head.values.slice();
  const random = new Random(sha256(Uint8Array.of(9)));
  for (let i = places.length - 1; i > 0; i--) {
    const [a, b] = [places[i] as number, places[random.below(i + 1)] as number];
    [shuffled[a], shuffled[b]] = [shuffled[b] as number, shuffled[a] as number];
  }
  return {
    zero: outside(() => 0),
    shuffled,
    'of another head': outside((o) => head.other[o] as number),
    'as bright as it goes': outside(() => 32767),
    negative: outside((o) => -((o * 7919) % 30000)),
  };
}

describe.each(methods)('P1 with $name', (under) => {
  describe.each(heads)('on the $name head', (head) => {
    const cases = changes(under, head);
    it('gives the same bytes whatever stands outside the brain that gamma does not tell of', async () => {
      const expected = await outcomeFor(under, await imageOf(head), await maskOf(head));
      expect(expected).toBeInstanceOf(Uint8Array);
      expect(Object.keys(cases).length).toBeGreaterThan(2);
      for (const [name, values] of Object.entries(cases)) {
        expect(differing(values, head.values), name).toBeGreaterThan(head.values.length / 50);
        const found = await outcomeFor(under, await imageOf(head, values), await maskOf(head));
        expect(Buffer.compare(found as Uint8Array, expected as Uint8Array), name).toBe(0);
      }
    });

    it('gives the bytes of a mask that is trusted when it is compared with a brain that is found', async () => {
      // Whether there is a result may depend on what is found; what a result holds does not (decision 0016).
      const expected = await outcomeFor(under, await imageOf(head), await maskOf(head), 'promise', true);
      expect(expected).toBeInstanceOf(Uint8Array);
      const found = { grid: head.grid, data: dilated(head) };
      const compared = {
        ...under,
        services: { ...under.services, extractBrain: async () => ({ mask: found }) },
      };
      const [, other = head.values] = Object.values(cases);
      for (const values of [head.values, other])
        expect(
          Buffer.compare(
            (await outcomeFor(compared, await imageOf(head, values), await maskOf(head))) as Uint8Array,
            expected as Uint8Array,
          ),
        ).toBe(0);
      const beside = { ...under.services, extractBrain: async () => ({ mask: mirrored(head) }) };
      const refused = await outcomeFor(
        { ...under, services: beside },
        await imageOf(head),
        await maskOf(head),
      );
      expect(refused).toMatch(/^mask-/);
    });

    it('refuses in the same words whatever stands outside the brain', async () => {
      const first = head.brain.indexOf(1);
      const tiny = head.brain.map((_, o) => (o === first ? 1 : 0));
      const dark = (values: Float32Array): Float32Array =>
        values.map((v, o) => (head.brain[o] === 1 ? -5 : v));
      for (const [brain, change] of [
        [tiny, (v: Float32Array) => v],
        [head.brain, dark],
      ] as const) {
        const words = new Set<unknown>();
        for (const values of [head.values, ...Object.values(cases)])
          words.add(await outcomeFor(under, await imageOf(head, change(values)), await maskOf(head, brain)));
        expect([...words]).toEqual([expect.any(String)]);
      }
    });
  });
});

/** A mask that was found: a little larger than the one given. */
function dilated({ grid, brain }: HeadUnderTest): Uint8Array {
  return dilateMm({ grid, data: brain }, 1).data;
}

/** The brain upside down in the stored order of its slices. */
function mirrored({ grid, brain }: HeadUnderTest): Mask {
  const [nx, ny, nz] = grid.shape;
  const slice = nx * ny;
  return {
    grid,
    data: brain.map((_, o) => brain[(nz - 1 - Math.floor(o / slice)) * slice + (o % slice)] as number),
  };
}

function differing(a: Float32Array, b: Float32Array): number {
  let n = 0;
  for (let o = 0; o < a.length; o++) if (a[o] !== b[o]) n++;
  return n;
}

it('can fail: a conditioning that carries a mean of the outside is found', async () => {
  const [fake] = methods;
  const [head] = heads;
  if (fake === undefined || head === undefined) throw new Error('no fake method or head');
  const leaky = { ...fake, method: fakeMethod({ leaks: true }) };
  const a = await outcomeFor(leaky, await imageOf(head), await maskOf(head));
  const b = await outcomeFor(leaky, await imageOf(head, changesOutside(head).zero), await maskOf(head));
  expect(Buffer.compare(a as Uint8Array, b as Uint8Array)).not.toBe(0);
});
