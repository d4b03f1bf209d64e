/** Any file is walked or refused, never anything else; what is walked is put together again to the byte. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRefusal } from '../errors/errors.js';
import { joinBytes } from '../volume/bytes.js';
import { encodeElement, text, unchanged, words16 } from './assemble.js';
import { EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE, type Syntax } from './syntax.js';
import { encodeAll, part10 } from './testing/make-slices.js';
import { MAX_DEPTH, walk } from './walker.js';

const SYNTAXES = [EXPLICIT_LITTLE, EXPLICIT_BIG, IMPLICIT_LITTLE] as const;

interface Made {
  readonly tag: number;
  readonly vr: string;
  readonly value?: Uint8Array;
  readonly items?: readonly (readonly Made[])[];
  readonly open?: boolean;
}

const leaf = fc.record({
  tag: fc.integer({ min: 0x00080001, max: 0x7fdfffff }),
  vr: fc.constantFrom('CS', 'DS', 'LO', 'OB', 'OW', 'PN', 'UN', 'UT', 'US', 'UI'),
  value: fc.uint8Array({ maxLength: 40 }).map((bytes) => bytes.subarray(0, bytes.length & ~1)),
});
const { tree } = fc.letrec<{ tree: Made }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({
      tag: fc.integer({ min: 0x00080001, max: 0x7fdfffff }),
      vr: fc.constant('SQ'),
      items: fc.array(fc.array(tie('tree'), { maxLength: 3 }), { maxLength: 3 }),
      open: fc.boolean(),
    }),
  ),
}));

const mark = (tag: number, length: number, { littleEndian }: Syntax): Uint8Array => {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, tag >>> 16, littleEndian);
  view.setUint16(2, tag & 0xffff, littleEndian);
  view.setUint32(4, length, littleEndian);
  return bytes;
};

function encode({ tag, vr, value, items, open = false }: Made, syntax: Syntax): Uint8Array {
  if (items === undefined) return encodeElement(tag, vr, value ?? new Uint8Array(0), syntax);
  const parts = items.flatMap((item) => {
    const inside = joinBytes(item.map((made) => encode(made, syntax)));
    return open
      ? [mark(0xfffee000, 0xffffffff, syntax), inside, mark(0xfffee00d, 0, syntax)]
      : [mark(0xfffee000, inside.length, syntax), inside];
  });
  const body = joinBytes(parts);
  const head = encodeElement(tag, 'SQ', new Uint8Array(0), syntax);
  new DataView(head.buffer).setUint32(head.length - 4, open ? 0xffffffff : body.length, syntax.littleEndian);
  return joinBytes([head, body, ...(open ? [mark(0xfffee0dd, 0, syntax)] : [])]);
}

const fileOf = (made: readonly Made[], syntax: Syntax): Uint8Array => {
  const byTag = new Map(made.map((one) => [one.tag, one]));
  const sorted = [...byTag.values()].sort((a, b) => a.tag - b.tag);
  return joinBytes([part10([], syntax), ...sorted.map((one) => encode(one, syntax))]);
};

const anyFile = fc
  .tuple(fc.array(tree, { maxLength: 6 }), fc.constantFrom(...SYNTAXES))
  .map(([made, syntax]) => fileOf(made, syntax));

function walkedOrRefused(bytes: Uint8Array): boolean {
  try {
    expect(unchanged(walk(bytes))).toEqual(bytes);
    return true;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return false;
  }
}

describe('the element walker', () => {
  it('puts every file together again to the byte, in all three syntaxes', () => {
    fc.assert(
      fc.property(anyFile, (bytes) => {
        expect(unchanged(walk(bytes))).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('walks or refuses a file that is cut anywhere', () => {
    fc.assert(
      fc.property(anyFile, fc.nat(), (bytes, cut) => {
        walkedOrRefused(bytes.slice(0, cut % (bytes.length + 1)));
      }),
      { numRuns: 1000 },
    );
  });

  it('walks or refuses a file with bytes changed, lengths among them', () => {
    const change = fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0xfe, 0xff, 0x53, 0x51));
    fc.assert(
      fc.property(anyFile, fc.array(change, { minLength: 1, maxLength: 6 }), (bytes, changes) => {
        const changed = bytes.slice();
        for (const [at, byte] of changes) changed[at % changed.length] = byte;
        walkedOrRefused(changed);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no memory for a length that lies', () => {
    for (const syntax of SYNTAXES) {
      const bytes = part10([['00100010', 'UT', text('x')]], syntax);
      new DataView(bytes.buffer).setUint32(bytes.length - 6, 0xfffffffe, syntax.littleEndian);
      expect(() => walk(bytes)).toThrow(/expected a whole element/);
    }
  });

  it('refuses sequences that are deeper than any real one, without following them', () => {
    for (const open of [true, false]) {
      let made: Made = { tag: 0x00081140, vr: 'SQ', items: [[]], open };
      for (let n = 0; n < 2 * MAX_DEPTH; n++) made = { tag: 0x00081140, vr: 'SQ', items: [[made]], open };
      expect(() => walk(fileOf([made], EXPLICIT_LITTLE))).toThrow(/sequences at most 32 deep/);
    }
    // A million openings and nothing else.
    const opening = encode({ tag: 0x00081140, vr: 'SQ', items: [], open: true }, EXPLICIT_LITTLE).subarray(
      0,
      12,
    );
    const item = mark(0xfffee000, 0xffffffff, EXPLICIT_LITTLE);
    const bomb = joinBytes([
      part10([], EXPLICIT_LITTLE),
      ...Array.from({ length: 100_000 }, () => joinBytes([opening, item])),
    ]);
    expect(() => walk(bomb)).toThrow(/sequences at most 32 deep/);
  });

  it('refuses elements that are doubled: two readers would see two files', () => {
    const once = encodeAll([['00100010', 'PN', text('A^B')]], EXPLICIT_LITTLE);
    expect(() => walk(joinBytes([part10([], EXPLICIT_LITTLE), once, once]))).toThrow(
      /doubled or out of order/,
    );
  });

  it('walks files without preamble and without file meta', () => {
    for (const syntax of [EXPLICIT_LITTLE, IMPLICIT_LITTLE]) {
      const bytes = encodeAll(
        [
          ['00080060', 'CS', text('MR')],
          ['00280010', 'US', words16([4], syntax)],
        ],
        syntax,
      );
      const file = walk(bytes);
      expect([file.preamble, file.syntax.uid, file.elements.length]).toEqual([false, syntax.uid, 2]);
      expect(unchanged(file)).toEqual(bytes);
    }
  });

  it('names compressed and deflated syntaxes', () => {
    const named =
      (uid: string): (() => unknown) =>
      () =>
        walk(part10([], { ...EXPLICIT_LITTLE, uid }));
    expect(named('1.2.840.10008.1.2.1.99')).toThrow(/deflated/);
    expect(named('1.2.3')).toThrow(/not known/);
    expect(walk(part10([], { ...EXPLICIT_LITTLE, uid: '1.2.840.10008.1.2.5' })).syntax.compressed).toBe(
      'RLE',
    );
  });
});
