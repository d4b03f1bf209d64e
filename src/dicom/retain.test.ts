/** What a site asks to be kept: which element stays, which goes all the same, at every depth; and that the audit knows both. */
import { describe, expect, it } from 'vitest';
import { encodeElement, text, uidText, words16 } from './assemble.js';
import { strayElements } from './audit.js';
import { type Cleaning, cleanHeader } from './clean.js';
import { Keyed } from './keyed.js';
import { readObject } from './object-codec.js';
import { keptBy, type ProfileOption } from './profile-options.js';
import { profileAction } from './profile-table.js';
import { NOTHING, OPTION_ROWS, type Retained } from './retain.js';
import { parseSafePrivate } from './safe-private.js';
import { EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE, type Syntax } from './syntax.js';
import { group, makeObject } from './testing/make-object.js';
import { type Extra, encodeAll, makeSlices } from './testing/make-slices.js';
import { Values } from './values.js';
import { type Element, type WalkedFile, walk } from './walker.js';

const volume = {
  grid: { shape: [8, 8, 8] as const, affine: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1] },
  data: new Float32Array(512).fill(7),
};
const WORDS = ['QZWITNESS', 'QZHOSPITAL', '88884711'];
const PATIENT: readonly Extra[] = [
  ['00100040', 'CS', text('F')],
  ['00101010', 'AS', text('034Y')],
  ['00101020', 'DS', text('1.71')],
  ['00101030', 'DS', text('64.5')],
  ['00102160', 'SH', text('Group 3')],
  ['001021a0', 'CS', text('NO')],
  ['001021c0', 'US', words16([4], EXPLICIT_LITTLE)],
];
const DEVICE: readonly Extra[] = [
  ['00080070', 'LO', text('A new maker')],
  ['00081010', 'SH', text('MR7')],
  ['00081090', 'LO', text('Model 12')],
  ['00181000', 'LO', text('35162')],
  ['00181002', 'UI', uidText('1.2.3.5.35162')],
  ['00181020', 'LO', text('syngo MR E11\\1.2')],
  ['00181200', 'DA', text('20240101')],
];
/** What no option keeps: told to be cleaned, of the person, or of the institution. */
const NEVER: readonly Extra[] = [
  ['00080055', 'AE', text('STATIONAE')],
  ['00080080', 'LO', text('Hospital')],
  ['00081030', 'LO', text('Study of her')],
  ['00100030', 'DA', text('19800102')],
  ['00102110', 'LO', text('Nuts')],
  ['0018100a', 'SQ', [encodeAll([['00181009', 'UT', text('udi')]], EXPLICIT_LITTLE)]],
  ['00102161', 'SQ', [encodeAll([['00080100', 'SH', text('code')]], EXPLICIT_LITTLE)]],
  ['00380050', 'LO', text('Wheelchair')],
];
const retained = (asked: Partial<Retained>): Retained => ({ ...NOTHING, ...asked });

function cleanedOf(
  asked: Partial<Retained>,
  extra: readonly Extra[],
  more: Partial<Cleaning> = {},
): WalkedFile {
  const [bytes = new Uint8Array(0)] = makeSlices(volume, { extra });
  return cleanedFrom(bytes, asked, more);
}
function cleanedFrom(bytes: Uint8Array, asked: Partial<Retained>, more: Partial<Cleaning> = {}): WalkedFile {
  const header = cleanHeader(walk(bytes), {
    ...{ keyed: new Keyed(new Uint8Array(32).fill(7)), person: 'somebody', dates: 'remove' },
    ...{ retained: retained(asked), method: 'cp-mae', removes: false, words: WORDS },
    ...more,
  });
  expect(strayElements(header, WORDS, retained(asked))).toBe(0);
  return walk(header);
}
const tagsOf = (extra: readonly Extra[]): number[] => extra.map(([tag]) => Number.parseInt(tag, 16));
const bytesOf = ({ bytes }: WalkedFile, { valueFrom, valueTo }: Element): string =>
  Buffer.from(bytes.subarray(valueFrom, valueTo)).toString('latin1');
/** Which of them are in a file with the value that they had. */
function keptIn(file: WalkedFile, extra: readonly Extra[]): string[] {
  return extra
    .filter(([tag, , value]) => {
      const found = file.elements.find((element) => element.tag === Number.parseInt(tag, 16));
      return (
        found !== undefined &&
        value instanceof Uint8Array &&
        bytesOf(file, found) === Buffer.from(value).toString('latin1')
      );
    })
    .map(([tag]) => tag);
}
const codesOf = (file: WalkedFile): string[] =>
  (file.elements.find(({ tag }) => tag === 0x00120064)?.items ?? []).map(({ elements }) =>
    new Values({ ...file, elements }).text(0x00080100),
  );

describe('options of PS3.15', () => {
  it("add nothing that is not in the option's column, but what the profile leaves alone", () => {
    for (const option of ['patient', 'device', 'uids'] satisfies ProfileOption[])
      for (const [tag] of OPTION_ROWS[option])
        expect([
          option,
          tag.toString(16),
          keptBy(option).has(tag) || profileAction(tag) === undefined,
        ]).toEqual([option, tag.toString(16), true]);
    // Of the columns, what an MR image may hold and is no sequence: all of it.
    const missed = (option: ProfileOption): string[] => {
      const rows = new Map(OPTION_ROWS[option]);
      return [...keptBy(option)]
        .filter((tag) => !rows.has(tag) && [0x10, 0x08, 0x20, 0x40].includes(tag >>> 16))
        .map((tag) => tag.toString(16).padStart(8, '0'))
        .sort();
    };
    // Sequences.
    expect(missed('patient')).toEqual(['00100043', '00100046', '00100047', '00102161']);
    // Modifying device (of original attributes, which go) and sequences.
    expect(missed('device')).toEqual(['00203401', '00404025', '00404027', '00404028', '00404030']);
  });

  it('keep what was asked for with the values that it had, and nothing else', () => {
    const all = [...PATIENT, ...DEVICE, ...NEVER];
    expect(keptIn(cleanedOf({}, all), all)).toEqual([]);
    expect(keptIn(cleanedOf({ patient: true }, all), all)).toEqual(PATIENT.map(([tag]) => tag));
    // The date of calibration is a date: it goes with the others.
    const dateless = DEVICE.slice(0, -1);
    expect(keptIn(cleanedOf({ device: true }, all), all)).toEqual(dateless.map(([tag]) => tag));
    const kept = cleanedOf({ patient: true, device: true }, all, { dates: 'keep' });
    expect(keptIn(kept, all)).toEqual([...PATIENT, ...DEVICE].map(([tag]) => tag));
    for (const tag of tagsOf(NEVER).filter((one) => one !== 0x00100030))
      expect([tag.toString(16), kept.elements.some((element) => element.tag === tag)]).toEqual([
        tag.toString(16),
        false,
      ]);
    expect(new Values(kept).text(0x00100030)).toBe('');
  });

  it('keep nothing at a depth, in an enhanced object either', () => {
    const inside = [...PATIENT, ...DEVICE].filter(([, , value]) => value instanceof Uint8Array);
    const object = makeObject(makeSlices(volume), {
      extra: [...PATIENT, ...DEVICE, ['00400275', 'SQ', group(inside)]],
      shared: [['00189006', 'SQ', group([...inside, ['00180095', 'DS', text('130')]])]],
      frame: () => [['00189226', 'SQ', group([...inside, ['00089007', 'CS', text('ORIGINAL\\PRIMARY')]])]],
    });
    const file = cleanedFrom(object, { patient: true, device: true, uids: true }, { dates: 'keep' });
    expect(keptIn(file, [...PATIENT, ...DEVICE])).toEqual([...PATIENT, ...DEVICE].map(([tag]) => tag));
    const tags = new Set(tagsOf([...PATIENT, ...DEVICE]));
    const deep = (elements: readonly Element[], depth: number): number =>
      elements.reduce(
        (sum, { tag, items = [] }) =>
          sum +
          (depth > 0 && tags.has(tag) ? 1 : 0) +
          items.reduce((inner, item) => inner + deep(item.elements, depth + 1), 0),
        0,
      );
    expect(deep(file.elements, 0)).toBe(0);
    // Without the option the words that must stand there.
    const without = new Values(cleanedFrom(object, {}));
    expect([without.text(0x00181000), without.text(0x00081090)]).toEqual(['REMOVED', 'REMOVED']);
    const image = readObject(
      walk(object),
      (walked) => cleanedFrom(walked.bytes, { device: true }).bytes,
      WORDS,
      retained({ device: true }),
    );
    expect(image.files.length).toBe(1);
  });

  it('drop a value that is none of its kind, that is out of range or that says whose it is; 90 stands for all who are older', () => {
    const said: readonly Extra[] = [
      ['00081010', 'SH', text('QZHOSPITAL MR1')],
      ['00101020', 'DS', text('5551234')],
      ['00101030', 'DS', text('ANNA')],
      ['00102160', 'SH', text('QzWitness')],
      ['00181000', 'LO', Uint8Array.of(0xc3, 0xa4)],
      ['001021a0', 'CS', text('ANNA')],
      ['001021c0', 'US', words16([0x4141], EXPLICIT_LITTLE)],
      ['00181002', 'UI', uidText('1.2.88884711')],
    ];
    const file = cleanedOf({ patient: true, device: true }, [...said, ['00101010', 'AS', text('093Y')]]);
    expect(keptIn(file, said)).toEqual([]);
    expect(new Values(file).text(0x00101010)).toBe('090Y');
    const young = cleanedOf({ patient: true }, [
      ['00101010', 'AS', text('QZQZ')],
      ['00100040', 'CS', text('ANNA')],
    ]);
    expect(young.elements.some(({ tag }) => tag === 0x00101010)).toBe(false);
    expect(new Values(young).text(0x00100040)).toBe('');
  });

  it('say what was done in codes of CID 7050, and whether times are true', () => {
    const safePrivate = parseSafePrivate('0029,"MAKER",10 DS');
    const cases: readonly (readonly [Partial<Retained>, Cleaning['dates'], string[], string])[] = [
      [{}, 'remove', ['113100', '113102'], 'REMOVED'],
      [{}, 'shift', ['113100', '113102', '113107'], 'MODIFIED'],
      [{ patient: true }, 'keep', ['113100', '113102', '113106', '113108'], 'UNMODIFIED'],
      [{ device: true, uids: true }, 'remove', ['113100', '113102', '113109', '113110'], 'REMOVED'],
      [{ safePrivate }, 'remove', ['113100', '113102', '113111'], 'REMOVED'],
    ];
    for (const [asked, dates, codes, times] of cases) {
      const file = cleanedOf(asked, [], { dates });
      expect(codesOf(file)).toEqual(codes);
      expect(new Values(file).text(0x00280303)).toBe(times);
    }
    const date: readonly Extra[] = [['00080020', 'DA', text('20240305')]];
    expect(keptIn(cleanedOf({}, date, { dates: 'keep' }), date)).toEqual(['00080020']);
  });

  it('keep UIDs everywhere, or refuse where one says whose it is', () => {
    const [bytes = new Uint8Array(0)] = makeSlices(volume, {
      extra: (k) => [
        ['00080018', 'UI', uidText(`1.2.3.${k + 1}`)],
        ['0020000d', 'UI', uidText('1.2.4')],
        ['0020000e', 'UI', uidText('1.2.5')],
        ['00200052', 'UI', uidText('1.2.6')],
        ['00081155', 'UI', uidText('1.2.7')],
      ],
    });
    const seen: string[] = [];
    const onUid = (original: string): void => {
      seen.push(original);
    };
    const file = cleanedFrom(bytes, { uids: true }, { onUid });
    const values = new Values(file);
    const uids = [0x00080018, 0x0020000d, 0x0020000e, 0x00200052].map((tag) => values.text(tag));
    expect(uids).toEqual(['1.2.3.1', '1.2.4', '1.2.5', '1.2.6']);
    expect(new Values({ ...file, elements: file.meta }).text(0x00020003)).toBe('1.2.3.1');
    expect(values.get(0x00081155)).toBeUndefined();
    expect(seen).toEqual([]);
    cleanedFrom(bytes, {}, { onUid });
    expect(new Set(seen)).toEqual(new Set(['1.2.3.1', '1.2.4', '1.2.5', '1.2.6']));
    expect(() => cleanedOf({ uids: true }, [['0020000d', 'UI', uidText('1.2.88884711.4')]])).toThrow(
      /holds an ID of the person; try without --retain-uids/,
    );
  });

  it('are known to the audit each for itself: what stands without having been asked for is found', () => {
    const with_ = (extra: Extra): Uint8Array =>
      new Uint8Array(
        Buffer.concat([
          cleanedOf({}, []).bytes,
          encodeElement(Number.parseInt(extra[0], 16), extra[1], extra[2] as Uint8Array, EXPLICIT_LITTLE),
        ]),
      );
    const last: Extra = ['7fdf0010', 'LO', text('MAKER')];
    expect(strayElements(with_(last), [], NOTHING)).toBe(1);
    for (const [options, extra] of [
      ['patient', PATIENT],
      ['device', DEVICE],
    ] as const) {
      const { bytes } = cleanedOf({ [options]: true }, extra, { dates: 'keep' });
      expect(strayElements(bytes, [], retained({ [options]: true }))).toBe(0);
      expect(strayElements(bytes, [])).toBeGreaterThan(4);
    }
  });
});

describe('safe private elements', () => {
  const LIST = '# of the site\n\n0029,"MAKER 1",10 DS\n0029,"MAKER 1",11 LO\n0029,"MAKER 1",12 FD\n';
  const safePrivate = parseSafePrivate(LIST);
  const extra = (syntax: Syntax, unknown = false): readonly Extra[] => {
    const double = new Uint8Array(8);
    new DataView(double.buffer).setFloat64(0, 1.5, syntax.littleEndian);
    return [
      ['00290010', 'LO', text('OTHER MAKER')],
      ['00290011', 'LO', text('MAKER 1')],
      ['00291010', 'DS', text('3.5')],
      ['00291110', unknown ? 'UN' : 'DS', text('2.5')],
      ['00291111', 'LO', text('QZWITNESS')],
      ['00291112', 'FD', double],
      ['00291113', 'LO', text('not listed')],
      ['00310011', 'LO', text('MAKER 1')],
      ['00311110', 'DS', text('7')],
      [
        '00400275',
        'SQ',
        [
          encodeAll(
            [
              ['00290011', 'LO', text('MAKER 1')],
              ['00291110', 'DS', text('9')],
            ],
            syntax,
          ),
        ],
      ],
    ];
  };

  it('stay with who reserved their block, by maker and not by number, in every syntax; all others go', () => {
    for (const syntax of [EXPLICIT_LITTLE, IMPLICIT_LITTLE, EXPLICIT_BIG]) {
      const [bytes = new Uint8Array(0)] = makeSlices(volume, { syntax, extra: extra(syntax) });
      const file = cleanedFrom(bytes, { safePrivate });
      const odd = file.elements
        .filter(({ tag }) => (tag >>> 16) % 2 === 1)
        .map(({ tag }) => tag.toString(16));
      expect(odd).toEqual(['290011', '291110', '291112']);
      expect(keptIn(file, extra(syntax))).toEqual(['00290011', '00291110', '00291112']);
      expect(strayElements(file.bytes, [])).toBe(3);
    }
    const [bytes = new Uint8Array(0)] = makeSlices(volume, { extra: extra(EXPLICIT_LITTLE, true) });
    const known = cleanedFrom(bytes, { safePrivate }).elements.find(({ tag }) => tag === 0x00291110);
    expect(known?.vr).toBe('DS');
  });

  it('are listed in lines that are understood, or refused by number', () => {
    expect(safePrivate.length).toBe(3);
    for (const wrong of [
      '0028,"MAKER",10 DS',
      '0029,MAKER,10 DS',
      '0029,"MAKER",10 PN',
      '0029,"MAKER",10 UI',
    ])
      expect(() => parseSafePrivate(`# a\n${wrong}`)).toThrow(/in line 2/);
    expect(() => parseSafePrivate('7FE1,"MAKER",10 DS')).toThrow(/from 0009 to 7FDF/);
    expect(() => parseSafePrivate('# nothing')).toThrow(/1 to 1000 lines/);
  });
});
