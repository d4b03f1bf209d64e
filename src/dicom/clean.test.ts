/** The allow-list against the profile's table, and the audit against what the writer might let through. */
import { describe, expect, it } from 'vitest';
import { ALLOWED } from './allow-list.js';
import { encodeElement, text } from './assemble.js';
import { strayElements } from './audit.js';
import { cleanHeader } from './clean.js';
import { Keyed, shiftedDate } from './keyed.js';
import { profileAction } from './profile-table.js';
import { NOTHING } from './retain.js';
import { EXPLICIT_LITTLE } from './syntax.js';
import { type Extra, makeSlices } from './testing/make-slices.js';
import { walk } from './walker.js';

const volume = {
  grid: { shape: [8, 8, 8] as const, affine: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] },
  data: new Float32Array(512).fill(7),
};
const cleaning = {
  keyed: new Keyed(new Uint8Array(32).fill(7)),
  person: 'somebody',
  dates: 'remove' as const,
  retained: NOTHING,
  method: 'cp-mae',
  removes: false,
  words: ['QZWITNESS'],
};
const header = (extra: readonly Extra[] = []): Uint8Array => {
  const [bytes = new Uint8Array(0)] = makeSlices(volume, { extra });
  return cleanHeader(walk(bytes), cleaning);
};

describe('clean headers', () => {
  it('keep no element that Table E.1-1 acts on, but those that are emptied, mapped, dated or written', () => {
    for (const [tag, { rule }] of ALLOWED)
      if (profileAction(tag) !== undefined)
        expect([tag.toString(16), ['empty', 'uid', 'date', 'time', 'written'].includes(rule)]).toEqual([
          tag.toString(16),
          true,
        ]);
    expect(profileAction(0x00100010)).toBe('Z');
    expect(profileAction(0x0020000d)).toBe('U');
  });

  it('let no sequence and no free text of the input through', () => {
    for (const [tag, { vr, rule }] of ALLOWED)
      if (['SQ', 'LO', 'LT', 'PN', 'SH', 'ST', 'UT', 'UC'].includes(vr))
        expect([tag.toString(16), ['empty', 'written', 'listed'].includes(rule)]).toEqual([
          tag.toString(16),
          true,
        ]);
  });

  it('are the same bytes for the same input and key', () => {
    expect(header()).toEqual(header());
  });

  it('drop numbers that are none, codes that say a name, and elements of another kind than the standard says', () => {
    const kept = walk(
      header([
        ['00180080', 'DS', text('ANNA')],
        ['00180020', 'CS', text('QZWITNESS')],
        ['00180082', 'LO', text('12')],
        ['00180087', 'DS', text('3')],
      ]),
    ).elements.map(({ tag }) => tag);
    expect(kept).toContain(0x00180087);
    for (const tag of [0x00180080, 0x00180020, 0x00180082]) expect(kept).not.toContain(tag);
  });

  it('pass the audit, which finds each thing that should not be there', () => {
    expect(strayElements(header(), cleaning.words)).toBe(0);
    const added: readonly (readonly [number, string, string])[] = [
      [0x60000022, 'LO', 'overlay'],
      [0x7fdf0010, 'LO', 'private'],
      [0x50003000, 'OW', 'curves'],
      [0x30060002, 'SH', 'contours'],
    ];
    for (const [tag, vr, value] of added) {
      const bytes = Buffer.concat([header(), encodeElement(tag, vr, text(value), EXPLICIT_LITTLE)]);
      expect([tag.toString(16), strayElements(new Uint8Array(bytes), [])]).toEqual([tag.toString(16), 1]);
    }
    const named = header();
    named.set(text('QZ'), 4);
    expect(strayElements(named, [])).toBe(1);
    // A writer that forgot an element's rule.
    const replaced = (from: string, to: string): Uint8Array =>
      new Uint8Array(Buffer.from(Buffer.from(header()).toString('latin1').replace(from, to), 'latin1'));
    expect(strayElements(replaced('SIEMENS', 'ANNA-12'), [])).toBe(1);
    expect(
      strayElements(replaced('1.2.840.10008.5.1.4.1.1.4', '1.2.840.10008.5.1.4.1.1.4'), ['1.4.1.1.4']),
    ).toBe(1);
    const wide = [...'SIEMENS '].join('\0');
    expect(
      strayElements(
        new Uint8Array(
          Buffer.concat([header(), encodeElement(0x7fdf0010, 'OB', text(wide), EXPLICIT_LITTLE)]),
        ),
        ['siemens '.trim()],
      ),
    ).toBe(2);
  });
});

describe('keys', () => {
  it('map UIDs to valid ones under 2.25, and shift dates by whole days', () => {
    for (let n = 0; n < 200; n++) {
      const uid = cleaning.keyed.uid(`1.2.3.${n}`);
      expect(uid).toMatch(/^2\.25\.(0|[1-9]\d{0,38})$/);
      expect(BigInt(uid.slice(5)) < 1n << 128n).toBe(true);
    }
    expect(shiftedDate('20240301', 1)).toBe('20240229');
    expect(shiftedDate('20240230', 1)).toBeUndefined();
    expect(() => new Keyed(new Uint8Array(8))).toThrow(/at least 16 bytes/);
  });
});
