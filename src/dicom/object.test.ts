/** Enhanced objects: frames in any order as volumes, groups cleaned at every depth, and an audit that finds what should not be there. */
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../errors/errors.js';
import { decodeImage } from '../formats/stored-image.js';
import { nodeGzip } from '../node/gzip.js';
import { ALLOWED_ENHANCED } from './allow-enhanced.js';
import type { AllowList } from './allow-list.js';
import { text, uidText } from './assemble.js';
import { strayElements } from './audit.js';
import { ENHANCED_TOP, MAY_STAND_IN } from './audit-groups.js';
import { cleanHeader } from './clean.js';
import { describe as described } from './describe.js';
import { layoutOf } from './frames.js';
import { Keyed } from './keyed.js';
import { readObject } from './object-codec.js';
import { profileAction } from './profile-table.js';
import { NOTHING } from './retain.js';
import { readStack, seriesCodec } from './series-codec.js';
import { EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE } from './syntax.js';
import { group, makeObject, nested, numbersOf, type ObjectOptions } from './testing/make-object.js';
import { type Extra, makeSlices } from './testing/make-slices.js';
import { Values } from './values.js';
import { type Element, type WalkedFile, walk } from './walker.js';

const WORDS = ['QZWITNESS', 'QZHOSPITAL'];
const grid = { shape: [12, 10, 9], affine: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] } as const;
const data = Float32Array.from({ length: 12 * 10 * 9 }, (_, o) => (o * 37) % 1000);
const slices = makeSlices({ grid, data });
const cleaning = {
  keyed: new Keyed(new Uint8Array(32).fill(7)),
  person: 'somebody',
  dates: 'remove',
  retained: NOTHING,
  method: 'fake',
  removes: false,
  words: WORDS,
} as const;
const SHUFFLED = [4, 0, 8, 2, 6, 1, 7, 3, 5];
const read = (options: ObjectOptions = {}, from = slices): ReturnType<typeof readObject> =>
  readObject(walk(makeObject(from, options)), (file) => cleanHeader(file, cleaning), WORDS);
const header = (options: ObjectOptions = {}): Uint8Array => read(options).files[0].header;
function refusal(options: ObjectOptions, from = slices): string {
  try {
    read(options, from);
  } catch (error) {
    if (isRefusal(error)) return error.message;
    throw error;
  }
  return 'not refused';
}
function everyTag(elements: readonly Element[]): number[] {
  return elements.flatMap(({ tag, items = [] }) => [
    tag,
    ...items.flatMap((item) => everyTag(item.elements)),
  ]);
}
const frame = (file: WalkedFile, i: number): Values => {
  const item = new Values(file).get(0x52009230)?.items?.[i];
  if (item === undefined) throw new Error('no such frame');
  return new Values({ ...file, elements: item.elements });
};

describe('enhanced objects', () => {
  it('are the same image as their classic twin, in whatever order and syntax their frames are stored', () => {
    for (const syntax of [EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG])
      for (const slope of [() => 1, (k: number) => 0.5 + k / 64]) {
        const made = makeSlices({ grid, data }, { syntax, slope });
        const twin = readStack(made.map(walk), (file) => cleanHeader(file, cleaning), seriesCodec(WORDS));
        const image = read({ syntax, order: SHUFFLED }, made);
        expect(image.grid).toEqual(twin.grid);
        expect(image.scaling).toEqual(twin.scaling);
        expect(Buffer.compare(Buffer.from(image.stored.buffer), Buffer.from(twin.stored.buffer))).toBe(0);
      }
  });

  it('come back with frames and words in the order in which they came, and pass the audit', async () => {
    const bytes = makeObject(slices, { order: SHUFFLED });
    const image = read({ order: SHUFFLED });
    const codec = image.codec;
    if (codec === undefined) throw new Error('no codec');
    const names = { compressed: false, files: ['object'] } as const;
    const written = await codec.write(image, image.stored, nodeGzip, { names });
    expect(written.length).toBe(1);
    const voxels = (of: Uint8Array): Uint8Array => {
      const { elements } = walk(of);
      return of.slice(elements.at(-1)?.valueFrom, elements.at(-1)?.valueTo);
    };
    expect(Buffer.compare(voxels(written[0].bytes), voxels(bytes))).toBe(0);
    const result = await decodeImage(written, nodeGzip, { codec, allowConstant: true });
    expect(codec.audit(image, result, '')).toEqual({ sameGeometry: true, strayBytes: 0 });
    for (const [i, k] of SHUFFLED.entries()) {
      const content = frame(walk(written[0].bytes), i).item(0x00209111);
      expect(content?.longs(0x00209057)).toEqual([k + 1]);
      expect(content?.longs(0x00209157)).toEqual([1, k + 1]);
    }
  });

  it('with two echoes, types or time points are volumes of one grid, of which the magnitude comes first', () => {
    const both = [...slices, ...slices];
    const second = (i: number): boolean => i >= slices.length;
    const kinds: Readonly<Record<string, ObjectOptions>> = {
      echoes: { echo: (i) => (second(i) ? 6 : 2.98) },
      types: { frameType: (i) => (second(i) ? 'DERIVED\\PRIMARY\\T1\\NONE' : 'ORIGINAL\\PRIMARY\\T1\\NONE') },
      counted: {
        counts: (k, i) => [1, (k % slices.length) + 1, second(i) ? 2 : 1],
        dimensions: [
          [0x00209056, 0x00209111],
          [0x00209057, 0x00209111],
          [0x00209128, 0x00209111],
        ],
      },
    };
    for (const [name, options] of Object.entries(kinds)) {
      const image = read(options, both);
      expect([name, image.volumes, image.grid.shape]).toEqual([name, 2, [12, 10, 9]]);
    }
    expect(refusal({}, both)).toMatch(/expected one slice at each place, found two/);
    const interleaved = read(
      { order: both.map((_, i) => (i >> 1) + (i % 2) * 9), echo: (i) => 3 + (i % 2) },
      both,
    );
    expect(interleaved.volumes).toBe(2);
  });

  it('are refused by name where no straight grid is true of them', () => {
    const long = makeSlices({
      grid: { ...grid, shape: [12, 10, 12] },
      data: new Float32Array(12 * 10 * 12).fill(5),
    });
    expect(refusal({ order: [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11] }, long)).toMatch(
      /gap of 4\.00 mm after slice 5/,
    );
    const cosines = (k: number): string => (k < 5 ? '0\\1\\0\\0\\0\\-1' : '1\\0\\0\\0\\1\\0');
    const either = (k: number): readonly Extra[] => [
      ['00209116', 'SQ', group([['00200037', 'DS', text(cosines(k))]])],
    ];
    expect(refusal({ frame: either })).toMatch(/found both/);
    expect(refusal({ without: 0x00209116, frame: either })).toMatch(/one orientation .* found several/);
    expect(refusal({ frame: () => [['00209113', 'SQ', []]] })).toMatch(/a slice without/);
    expect(refusal({ extra: [['00280008', 'IS', text('7')]] })).toMatch(/bytes of voxels/);
    expect(refusal({ extra: [['00209161', 'UI', uidText('1.2.3')]] })).toMatch(/part of a concatenation/);
    const moved = makeSlices({ grid, data }, { move: () => [0, 0, 1] });
    expect(refusal({ echo: (i) => (i >= 9 ? 6 : 3) }, [...slices, ...moved])).toMatch(
      /on one grid, found several/,
    );
  });
});

describe('headers of enhanced objects', () => {
  it('keep no element that Table E.1-1 acts on but by its rule, and no text, at any depth', () => {
    const look = (list: AllowList): void => {
      for (const [tag, { vr, rule, inside }] of list) {
        const safe = ['empty', 'uid', 'date', 'time', 'written', 'fixed'].includes(rule);
        if (profileAction(tag) !== undefined)
          expect([tag.toString(16), safe]).toEqual([tag.toString(16), true]);
        if (['LO', 'LT', 'PN', 'SH', 'ST', 'UT', 'UC'].includes(vr))
          expect([tag.toString(16), safe || rule === 'listed']).toEqual([tag.toString(16), true]);
        if (inside !== undefined) look(inside);
      }
    };
    look(ALLOWED_ENHANCED);
  });

  it('are known to the audit, sequence by sequence', () => {
    const look = (list: AllowList, known: (tag: number) => boolean): void => {
      for (const [tag, { inside }] of list) {
        expect([tag.toString(16), known(tag)]).toEqual([tag.toString(16), true]);
        if (inside !== undefined) look(inside, (one) => MAY_STAND_IN.get(tag)?.has(one) === true);
      }
    };
    for (const sequence of [0x52009229, 0x52009230]) {
      expect(ENHANCED_TOP.has(sequence)).toBe(true);
      look(
        ALLOWED_ENHANCED.get(sequence)?.inside ?? new Map(),
        (tag) => MAY_STAND_IN.get(sequence)?.has(tag) === true,
      );
    }
  });

  it('say DERIVED of each frame, number stacks, map UIDs, and drop dates, comments, coils and private groups', () => {
    const planted: Extra[] = [
      ['20050010', 'LO', text('QZWITNESS')],
      ['20051010', 'SQ', nested(5, [['00100010', 'PN', text('QZWITNESS^ANNA')]])],
      ['00189117', 'SQ', group([['00189087', 'FD', text('QZWITNES')]])],
      ['00209071', 'SQ', group([['00082218', 'SQ', group([['00080100', 'SH', text('QZWITNESS')]])]])],
      [
        '00409096',
        'SQ',
        group([
          ['00409210', 'SH', text('QZWITNESS')],
          ['00409225', 'FD', numbersOf([2], 8, EXPLICIT_LITTLE)],
          ['004008ea', 'SQ', group([['00080100', 'SH', text('QZWITNESS')]])],
        ]),
      ],
    ];
    const bytes = header({ frame: () => planted, shared: planted.slice(0, 2) });
    const file = walk(bytes);
    expect(strayElements(bytes, WORDS)).toBe(0);
    const said = Buffer.from(bytes).toString('latin1');
    for (const word of ['QZ', '99994711', '20240305', 'ANNA'])
      expect([word, said.includes(word)]).toEqual([word, false]);
    expect(everyTag(file.elements).every((tag) => (tag >>> 16) % 2 === 0)).toBe(true);
    for (let i = 0; i < slices.length; i++) {
      const one = frame(file, i);
      expect(one.item(0x00189226)?.text(0x00089007)).toBe('DERIVED\\PRIMARY\\T1\\NONE');
      expect(one.item(0x00209111)?.text(0x00209056)).toBe('1');
      expect(one.item(0x00289145)?.text(0x00281053)).toBe('1');
      expect(one.item(0x00409096)?.doubles(0x00409225)).toEqual([2]);
      expect(one.item(0x00409096)?.item(0x004008ea)?.text(0x00080100)).toBe('1');
      expect(one.get(0x00189117)).toBeUndefined();
    }
    const values = new Values(file);
    expect(values.text(0x00080023)).toBe('19000101');
    expect(values.item(0x00209221)?.text(0x00209164)).toMatch(/^2\.25\./);
  });

  it('lose a dimension that is counted by a private element, and its count in every frame', () => {
    const file = walk(
      header({
        dimensions: [
          [0x00209056, 0x00209111],
          [0x20051063, 0x2005140f],
          [0x00209057, 0x00209111],
        ],
        counts: (k) => [1, 77, k + 1],
      }),
    );
    expect(new Values(file).get(0x00209222)?.items?.length).toBe(2);
    expect(frame(file, 4).item(0x00209111)?.longs(0x00209157)).toEqual([1, 5]);
  });

  it('are found out by the audit where a writer let something through, at every depth', () => {
    const good = header();
    const deep = Buffer.from(good).toString('latin1');
    expect(deep).toContain('DERIVED\\PRIMARY\\T1');
    const renamed = (from: string, to: string): Uint8Array =>
      new Uint8Array(Buffer.from(deep.replace(from, to), 'latin1'));
    expect(strayElements(renamed('COIL', 'ANNA'), [])).toBe(1);
    const file = walk(good);
    const content = new Values(file)
      .get(0x52009230)
      ?.items?.[3]?.elements.find(({ tag }) => tag === 0x00209111);
    const place = content?.items?.[0]?.elements.find(({ tag }) => tag === 0x00209057);
    if (place === undefined) throw new Error('no place');
    const other = good.slice();
    // The number of a frame's place becomes another element, as long.
    new DataView(other.buffer).setUint16(place.from + 2, 0x9299, true);
    expect(strayElements(other, [])).toBe(1);
    const classic = good.slice();
    const at = deep.indexOf('1.2.840.10008.5.1.4.1.1.4.1', deep.indexOf('1.2.840.10008.5.1.4.1.1.4.1') + 1);
    // What an enhanced object may hold a classic image may not.
    classic.set(text('1.2.840.10008.5.1.4.1.1.4\0\0'), at);
    expect(strayElements(classic, [])).toBeGreaterThan(3);
  });

  it('of legacy converted objects keep the sequences that must be there, with nothing in them', () => {
    const left: Extra = ['00209171', 'SQ', group([['00100010', 'PN', text('QZWITNESS')]])];
    const file = walk(header({ sopClass: '1.2.840.10008.5.1.4.1.1.4.4', frame: () => [left] }));
    expect(
      frame(file, 0)
        .get(0x00209171)
        ?.items?.map(({ elements }) => elements.length),
    ).toEqual([0]);
    expect(strayElements(file.bytes, WORDS)).toBe(0);
  });
});

it('the frames of an object are laid out by what describes them', () => {
  const found = described(walk(makeObject(slices, { order: SHUFFLED })));
  if (found.kind !== 'frames') throw new Error(found.kind);
  expect(layoutOf(found.frames)).toEqual([[1, 5, 3, 7, 0, 8, 4, 6, 2]]);
});
