/** The order of a draw: the face from people in general, then what fits brain and face, coarse before fine. */
import { describe, expect, it } from 'vitest';
import { FIELD_AXES, FIELD_COUNT } from '../../contract/contract.js';
import { Failure } from '../../errors/errors.js';
import type { NetworkRunner, Tensor } from '../../networks/runner.js';
import { Random } from '../../volume/random.js';
import { sha256 } from '../../volume/sha256.js';
import { codeFeeds, drawCodes, noCodes } from './draw-codes.js';
import { faceSites } from './face-sites.js';
import { FsqCodebook } from './fsq.js';
import { type InstalledCodes, LOGITS_MODEL, MASKED_MODEL } from './sites.js';

const LATENT = 3;
const installed: InstalledCodes = {
  sites: { x: 6, y: 8, z: 8, count: 384 },
  fineSites: { x: 12, y: 16, z: 16, count: 3072 },
  latent: LATENT,
  book: new FsqCodebook([4, 3]),
  components: 1,
};

/** Evidence is the sum of the brain's codes; a latent says which code is likely, by site. Feeds are remembered. */
function fake(asked: { name: string; feeds: Readonly<Record<string, Tensor>> }[]): NetworkRunner {
  const logits = (z: Tensor, sites: number): Tensor => ({
    data: Float32Array.from(
      { length: sites * 12 },
      (_, o) => 3 * Math.sin(o * 0.7 + (o % 7) * (z.data[o % LATENT] as number)),
    ),
    shape: [1, sites, 12],
  });
  return {
    async run(name, feeds) {
      asked.push({ name, feeds });
      if (name === 'brain-encoder') {
        const sum = (feeds.brain as Tensor).data[0] as number;
        return { codes: { data: new Float32Array(2 * 384).fill(sum), shape: [1, 2, 8, 8, 6] } };
      }
      if (name === MASKED_MODEL) {
        const shown = (feeds.brain_codes as Tensor).data[0] as number;
        return {
          precision: { data: Float32Array.of(2, 0, 0, 0, 2, 0, 0, 0, 2), shape: [1, LATENT, LATENT] },
          evidence: { data: new Float32Array(LATENT).fill(shown), shape: [1, LATENT] },
        };
      }
      if (name !== LOGITS_MODEL) throw new Failure('network-failed', `nobody asks ${name}`);
      const z = feeds.z as Tensor;
      return { coarse: logits(z, 384), fine: logits(z, 3072) };
    },
    async describe() {
      throw new Failure('network-failed', 'nobody asks about a network');
    },
    async close() {},
  };
}

/** @param value of the brain, everywhere */
async function drawn(value: number, label = 1) {
  const asked: { name: string; feeds: Readonly<Record<string, Tensor>> }[] = [];
  const blocks = new Float32Array(2 * FIELD_COUNT).fill(value);
  const brain: Tensor = { data: blocks, shape: [1, 2, ...FIELD_AXES] };
  const random = new Random(sha256(Uint8Array.of(label)));
  const codes = await drawCodes(installed, brain, blocks, random, { networks: fake(asked), resolution: 128 });
  return { codes, asked };
}

const faces = { coarse: faceSites(installed.sites), fine: faceSites(installed.fineSites) };

describe('drawing both levels', () => {
  it('draws every site, and a face that does not know the brain', async () => {
    const [one, other] = [await drawn(0.2), await drawn(4)];
    for (const level of ['coarse', 'fine'] as const) {
      expect(one.codes[level].kept.every((k) => k === 1)).toBe(true);
      const [a, b] = [one.codes[level].indices, other.codes[level].indices];
      const differ = a.filter((code, s) => code !== b[s] && faces[level][s] === 0);
      expect(a.filter((code, s) => code !== b[s] && faces[level][s] === 1)).toHaveLength(0);
      expect(differ.length).toBeGreaterThan(a.length / 20);
    }
  });

  it('shows the brain with the face, then with all coarse codes, and never a code that is not drawn', async () => {
    const { asked, codes } = await drawn(1);
    expect(asked.map(({ name }) => name)).toEqual([
      'brain-encoder',
      LOGITS_MODEL,
      MASKED_MODEL,
      LOGITS_MODEL,
      MASKED_MODEL,
      LOGITS_MODEL,
    ]);
    const kept = (n: number, name: string): number[] =>
      Array.from((asked[n]?.feeds[name]?.data ?? []) as Float32Array);
    expect(kept(2, 'coarse_keep')).toEqual([...faces.coarse]);
    expect(kept(2, 'fine_keep')).toEqual([...faces.fine]);
    expect(kept(4, 'coarse_keep')).toEqual(Array(384).fill(1));
    expect(kept(4, 'fine_keep')).toEqual([...faces.fine]);
    const [fine, keep] = [kept(2, 'fine'), kept(2, 'fine_keep')];
    expect(fine.every((value, o) => value === 0 || keep[o % 3072] === 1)).toBe(true);
    const feeds = codeFeeds(installed, codes);
    expect(feeds.fine.shape).toEqual([1, 2, 16, 16, 12]);
    const [first, second] = installed.book.values(codes.coarse.indices[7] as number);
    expect([feeds.codes.data[7], feeds.codes.data[384 + 7]]).toEqual([
      Math.fround(first as number),
      Math.fround(second as number),
    ]);
  });

  it('repeats with the seed and differs without; and no codes are none', async () => {
    expect((await drawn(1, 5)).codes).toEqual((await drawn(1, 5)).codes);
    expect((await drawn(1, 5)).codes.fine).not.toEqual((await drawn(1, 6)).codes.fine);
    const { codes, keep, fine_keep: fineKeep } = codeFeeds(installed, noCodes(installed));
    expect([...codes.data, ...keep.data, ...fineKeep.data].every((v) => v === 0)).toBe(true);
  });
});
