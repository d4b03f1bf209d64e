/** P5: the same seed gives the same bytes, another seed or none another face; a seed is never stored. */
import { describe, expect, it } from 'vitest';
import { decodeImage, scaledData } from '../../src/formats/stored-image.js';
import { nodeGzip } from '../../src/node/gzip.js';
import { headsUnderTest, imageOf, maskOf, methodsUnderTest, outcomeFor } from './support.js';

const methods = await methodsUnderTest();
const heads = await headsUnderTest();

describe.each(methods)('P5 with $name', (under) => {
  describe.each(heads)('on the $name head', (head) => {
    const run = async (seed: string | null): Promise<Uint8Array> => {
      const found = await outcomeFor(under, await imageOf(head), await maskOf(head), seed);
      if (typeof found === 'string') throw new Error(found);
      return found;
    };

    // Asked for by both tests of a method that draws.
    let first: Promise<Uint8Array> | undefined;
    const firstRun = (): Promise<Uint8Array> => (first ??= run('1'));

    it('repeats byte for byte with the same seed', async () => {
      expect(Buffer.compare(await firstRun(), await run('1'))).toBe(0);
    });

    it.skipIf(under.method.kind === 'remove').each([
      ['another seed', firstRun, () => run('2')],
      ['no seed', () => run(null), () => run(null)],
    ])('gives another face with %s', async (_, one, two) => {
      const values = async (bytes: Uint8Array): Promise<Float32Array> =>
        scaledData(await decodeImage({ name: 'a.nii', bytes }, nodeGzip), 0);
      const [a, b] = [await values(await one()), await values(await two())];
      // Noise alone moves a voxel by a few per cent of the brain's level: count what moved by a fifth of it.
      const level =
        0.2 *
        (head.values
          .filter((_, o) => head.brain[o] === 1)
          .sort()
          .at(500) ?? 1);
      let moved = 0;
      for (let o = 0; o < a.length; o++) if (Math.abs((a[o] as number) - (b[o] as number)) > level) moved++;
      expect(moved).toBeGreaterThan(a.length / 1000);
    });
  });
});
