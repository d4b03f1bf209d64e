/**
 * What the header of an enhanced MR object may hold: elements of a classic image, those of the enhanced modules, and functional groups,
 * shared and of each frame, by a list for every sequence. A sequence that is on no list is dropped with all that is in it; no text of
 * the input goes through in any (decision 0045).
 *
 * Written from the Enhanced MR Image IOD (PS3.3 A.36) and its functional group macros without what Table E.1-1 of PS3.15 acts on.
 *
 * @example
 * ALLOWED_ENHANCED.get(0x52009230)?.inside?.get(0x00209113); // of each frame: where it lies
 */
import { type AllowList, type AllowRow, all, allowList, codes, numbers, ROWS } from './allow-list.js';

export const SHARED_GROUPS = 0x52009229;
export const FRAME_GROUPS = 0x52009230;
export const DIMENSIONS = 0x00209222;
export const DIMENSION_VALUES = 0x00209157;
export const STACK_ID = 0x00209056;
export const FRAME_TYPE = 0x00089007;

const many = (vr: string, ...tags: readonly number[]): AllowRow[] =>
  tags.map((tag) => [tag, { vr, rule: 'number', many: true }]);
const fixed = (vr: string, dummy: string, ...tags: readonly number[]): AllowRow[] =>
  tags.map((tag) => [tag, { vr, rule: 'fixed', dummy }]);
const items = (tag: number, ...rows: readonly (readonly AllowRow[])[]): AllowRow => [
  tag,
  { vr: 'SQ', rule: 'items', inside: allowList(rows.flat()) },
];
/** Whatever code the input has: the same one here. */
const coded = (tag: number, value: string, scheme: string, meaning: string): AllowRow =>
  items(
    tag,
    fixed('SH', value, 0x00080100),
    fixed('SH', scheme, 0x00080102),
    fixed('LO', meaning, 0x00080104),
  );

/** Units of real-world values in UCUM; another one is said to be none. */
export const UNITS: readonly string[] = [
  '1',
  'ms',
  's',
  'Hz',
  '/s',
  '1/s',
  'mm',
  'mm2/s',
  'um2/s',
  '%',
  'rad',
  'deg',
];

/** Pixel presentation, volumetric properties, how it was calculated, complex component, contrast: of the object and of a frame. */
const ABOUT = codes(0x00089205, 0x00089206, 0x00089207, 0x00089208, 0x00089209);

/** The functional groups that are known, by their sequences. */
const GROUPS: AllowList = allowList([
  items(0x00289110, numbers('DS', 0x00180050, 0x00180088, 0x00280030)),
  items(
    0x00209111,
    all('date', 'DT', false, 0x00189074, 0x00189151),
    codes(0x00189214, 0x00189236),
    numbers('FD', 0x00189220),
    numbers('US', 0x00209156),
    numbers('UL', 0x00209057, 0x00209128),
    all('written', 'SH', false, STACK_ID),
    all('written', 'UL', false, DIMENSION_VALUES),
  ),
  items(0x00209113, numbers('DS', 0x00200032)),
  items(0x00209116, numbers('DS', 0x00200037)),
  items(0x00209310, numbers('FD', 0x0020930d)),
  items(0x00189118, numbers('FD', 0x00209153)),
  items(0x00209071, codes(0x00209072), [coded(0x00082218, '69536005', 'SCT', 'Head')]),
  items(0x00289145, numbers('DS', 0x00281052, 0x00281053), [
    [0x00281054, { vr: 'LO', rule: 'listed', values: ['US', 'HU', 'OD', 'normalized'], dummy: 'US' }],
  ]),
  items(0x00289132, numbers('DS', 0x00281050, 0x00281051), codes(0x00281056)),
  items(
    0x00409096,
    fixed('LO', 'real world value', 0x00283003),
    fixed('SH', 'RWV', 0x00409210),
    numbers('US', 0x00409211, 0x00409216),
    numbers('FD', 0x00409213, 0x00409214, 0x00409224, 0x00409225),
    [
      items(
        0x004008ea,
        [[0x00080100, { vr: 'SH', rule: 'listed', values: UNITS, dummy: '1' }]],
        fixed('SH', 'UCUM', 0x00080102),
        fixed('LO', 'unit', 0x00080104),
      ),
    ],
  ),
  items(0x00189226, all('written', 'CS', true, FRAME_TYPE), ABOUT),
  items(
    0x00189112,
    numbers('DS', 0x00180080, 0x00181314),
    numbers('IS', 0x00180091),
    numbers('US', 0x00189240, 0x00189241),
    codes(0x00189180),
    numbers('FD', 0x00189182),
    [
      items(0x00189239, codes(0x00189179), numbers('FD', 0x00189181)),
      items(0x00189176, codes(0x00189177, 0x00189178)),
    ],
  ),
  items(
    0x00189125,
    numbers('DS', 0x00180093, 0x00180094),
    codes(0x00181312),
    numbers('US', 0x00189058, 0x00189231, 0x00189232),
  ),
  items(0x00189114, numbers('FD', 0x00189082)),
  items(
    0x00189115,
    codes(0x00189009, 0x00189010, 0x00189016, 0x00189021, 0x00189026, 0x00189027, 0x00189036, 0x00189077),
    codes(0x00189078, 0x00189081, 0x00189183),
    numbers('FD', 0x00189069, 0x00189155, 0x00189168),
    many('FD', 0x00189079),
  ),
  items(
    0x00189006,
    numbers('DS', 0x00180095),
    codes(0x00189020, 0x00189022, 0x00189028),
    numbers('FD', 0x00189030, 0x00189218),
    many('FD', 0x00189098),
  ),
  items(
    0x00189042,
    fixed('SH', 'COIL', 0x00181250),
    all('empty', 'LO', true, 0x00189041),
    codes(0x00189043, 0x00189044),
    [items(0x00189045, fixed('SH', 'COIL', 0x00189047), codes(0x00189048))],
  ),
  items(0x00189049, fixed('SH', 'COIL', 0x00181251), all('empty', 'LO', true, 0x00189050), codes(0x00189051)),
  items(0x00189117, codes(0x00189075, 0x00189147), numbers('FD', 0x00189087), [
    items(0x00189076, many('FD', 0x00189089)),
  ]),
  items(0x00189119, numbers('DS', 0x00180083)),
  items(0x00189107, numbers('FD', 0x00189104), many('FD', 0x00189105, 0x00189106)),
  // Of legacy converted objects: what a converter found no place for. The sequence must be there, with nothing in its item.
  items(0x00209170),
  items(0x00209171),
]);

/** Elements that a dimension may be counted by: those of the groups. */
export const POINTABLE: ReadonlySet<number> = new Set(
  [...GROUPS].flatMap(([tag, { inside }]) => [tag, ...(inside?.keys() ?? [])]),
);

export const ALLOWED_ENHANCED: AllowList = allowList([
  ...ROWS,
  // A value must stand in these where a classic image may leave them empty.
  [0x00080023, { vr: 'DA', rule: 'date', needed: true, dummy: '19000101' }],
  [0x00080033, { vr: 'TM', rule: 'time', needed: true, dummy: '000000' }],
  [0x00080070, { ...(new Map(ROWS).get(0x00080070) ?? { vr: 'LO', rule: 'empty' }), dummy: 'REMOVED' }],
  [0x00081090, { vr: 'LO', rule: 'fixed', needed: true, dummy: 'REMOVED' }],
  [0x00181000, { vr: 'LO', rule: 'fixed', needed: true, dummy: 'REMOVED' }],
  [0x00181020, { vr: 'LO', rule: 'fixed', needed: true, dummy: 'REMOVED' }],
  ...ABOUT,
  ...codes(0x00189004, 0x00189008, 0x00189011, 0x00189012, 0x00189014, 0x00189015, 0x00189017, 0x00189018),
  ...codes(0x00189024, 0x00189025, 0x00189029, 0x00189032, 0x00189033, 0x00189034, 0x00189064, 0x00189094),
  ...codes(0x00189100, 0x00189174),
  ...numbers('FD', 0x00189073),
  ...numbers('US', 0x00189093),
  [0x00209221, items(0, all('uid', 'UI', true, 0x00209164))[1]],
  [DIMENSIONS, items(0, all('uid', 'UI', true, 0x00209164), numbers('AT', 0x00209165, 0x00209167))[1]],
  ...codes(0x00209311),
  ...numbers('IS', 0x00280008),
  ...all('empty', 'SQ', true, 0x00400555),
  [SHARED_GROUPS, { vr: 'SQ', rule: 'items', inside: GROUPS, needed: true }],
  [FRAME_GROUPS, { vr: 'SQ', rule: 'items', inside: GROUPS, needed: true }],
]);

/** Sequences by tag: implicit VR does not say which elements are such. */
export const SEQUENCES: ReadonlySet<number> = new Set(sequencesOf(ALLOWED_ENHANCED));

function sequencesOf(list: AllowList): number[] {
  return [...list].flatMap(([tag, { vr, inside }]) =>
    vr === 'SQ' ? [tag, ...(inside === undefined ? [] : sequencesOf(inside))] : [],
  );
}
