/** The attacks on results of damaged masks, on vectors whose answers are known. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../../../src/volume/random.js';
import type { Table } from '../report/results.js';
import type { SectionInput } from './section-input.js';
import { maskErrorBlocks } from './section-mask-errors.js';

const HEADS = 6;
/** Of six unit vectors the i-th. */
const unit = (i: number): Float32Array => Float32Array.from({ length: HEADS }, (_, k) => (k === i ? 1 : 0));
const row = (vector: (i: number) => Float32Array, adaptive = vector) =>
  Array.from({ length: HEADS }, (_, i) => ({
    sqn: { transfer: vector(i), made: adaptive(i), other: unit(i) },
    maskCost: { brainLost: 0.1, othersKeptMl: 3 },
  }));

function inputOf(maskErrorHeads: number): SectionInput {
  const results = new Map<string, unknown>([
    ['original', row(unit)],
    ['made', row(unit)],
    // Everybody is himself to the one network, his neighbour to the other.
    ['made!erode-2', row(unit, (i) => unit((i + 1) % HEADS))],
    ['made!dilate-2', row((i) => unit((i + 1) % HEADS), unit)],
    ['made!shift-2', row(() => new Float32Array(0), unit)],
    ['made!roughen-2', row(unit)],
  ]);
  const ready = { ready: true };
  return {
    gathered: { subjects: Array.from({ length: HEADS }, (_, i) => ({ id: `${i}` })), results },
    options: { methods: [{ name: 'made' }], maskErrorHeads, maskErrorMm: [2] },
    instruments: {
      sqn: new Map<string, unknown>([
        ['transfer', ready],
        ['made', ready],
        // Trained on another method: it is not asked.
        ['other', ready],
      ]),
    },
    random: new Random(new Uint32Array(8)),
    scores: {
      similarity: () => {
        throw new Error('no shape is known');
      },
    },
  } as unknown as SectionInput;
}

describe('maskErrorBlocks', () => {
  it('asks every network that knows the method, and gives no rate where nothing is seen', () => {
    const [table] = maskErrorBlocks(inputOf(HEADS)) as [Table];
    expect(table.columns.map(({ id }) => id)).toEqual([
      'lost',
      'kept',
      'dice',
      'face',
      'sqn',
      'sqn-adaptive',
    ]);
    const cells = (id: string) => table.rows.find((r) => r.id === id)?.cells;
    expect(cells('made')?.sqn).toMatchObject({ value: 1, n: HEADS });
    expect(cells('made!erode-2')?.sqn).toMatchObject({ value: 1, n: HEADS });
    // One of five distractors beats the owner; where it is not among the four (1 in 5), all five tie (1 in 5).
    expect(cells('made!erode-2')?.['sqn-adaptive']?.value).toBeCloseTo(1 / 25, 10);
    expect(cells('made!dilate-2')?.sqn?.value).toBeCloseTo(1 / 25, 10);
    expect(cells('made!dilate-2')?.['sqn-adaptive']?.value).toBe(1);
    expect(cells('made!shift-2')?.sqn).toBeUndefined();
    expect(cells('made!erode-2')?.face).toBeUndefined();
    expect(cells('made!erode-2')?.lost?.value).toBeCloseTo(0.1, 10);
  });

  it('says why there is no table', () => {
    expect(maskErrorBlocks(inputOf(0))).toMatchObject([{ kind: 'absent' }]);
  });
});
