/**
 * What a header may hold, and on which condition: all else is dropped, whatever it is. No sequence, no private element and no free
 * text of the input is on the list, so that nothing that a person wrote goes through at any depth (decision 0039). Enhanced objects
 * have more: `allow-enhanced.ts`.
 *
 * Written from the modules of the MR Image IOD (PS3.3) without what Table E.1-1 of PS3.15 (edition 2026c) acts on; what that table
 * says of the elements that must be there all the same is done here: `empty` (Z), `uid` (U), `date` and `time`.
 *
 * @example
 * ALLOWED.get(0x00180081); // { vr: 'DS', rule: 'number' }
 */

export type Rule =
  /** Kept where its value is a number (DS, IS) or has the size of one (US, SS, FL). */
  | 'number'
  /** A code: capitals, digits, space, underscore. */
  | 'code'
  /** Kept where its value is in a list. */
  | 'listed'
  /** Of the standard itself; kept where it begins as such a UID does. */
  | 'standard-uid'
  /** Another one, by the key. */
  | 'uid'
  /** The same one: on a site's wish alone (`retain.ts`), as `text` and `age` are. */
  | 'kept-uid'
  /** Printable ASCII without a word of the person. */
  | 'text'
  /** Of more than 89 years 90 is left. */
  | 'age'
  /** There, and empty. */
  | 'empty'
  /** Dropped or shifted, or empty where one must be there. */
  | 'date'
  | 'time'
  /** There in one wording, whatever the input says. */
  | 'fixed'
  /** A sequence whose items are cleaned by a list of their own. */
  | 'items'
  /** Written by what stands in `clean.ts`, whatever the input says. */
  | 'written';

export interface Allowed {
  readonly vr: string;
  readonly rule: Rule;
  /** Must be there even when nothing of it may stay. */
  readonly needed?: true;
  /** For `listed`. */
  readonly values?: readonly string[];
  /** For a `number` of two bytes or more: any count of them, not one. */
  readonly many?: true;
  /** For a `number`: the lowest and the highest that it can be. */
  readonly within?: readonly [number, number];
  /** The wording of `fixed`; for all other rules what stands where nothing of the input may and the standard wants a value. */
  readonly dummy?: string;
  /** For `items`. */
  readonly inside?: AllowList;
}

/** By tag, in ascending order. */
export type AllowList = ReadonlyMap<number, Allowed>;
export type AllowRow = readonly [tag: number, allowed: Allowed];

export const KNOWN_MAKERS: readonly string[] = [
  'SIEMENS',
  'Siemens',
  'Siemens Healthineers',
  'Siemens HealthCare GmbH',
  'GE MEDICAL SYSTEMS',
  'Philips Medical Systems',
  'Philips Healthcare',
  'Philips',
  'TOSHIBA',
  'CANON_MEC',
  'Hitachi Medical Corporation',
  'UIH',
  'Bruker BioSpin MRI GmbH',
  'Hyperfine',
];

export const BODY_PARTS: readonly string[] = ['HEAD', 'BRAIN', 'SKULL', 'HEADNECK', 'NECK', 'FACE', 'CSPINE'];

export const numbers = (vr: string, ...tags: readonly number[]): AllowRow[] =>
  tags.map((tag) => [tag, { vr, rule: 'number' }]);
export const codes = (...tags: readonly number[]): AllowRow[] =>
  tags.map((tag) => [tag, { vr: 'CS', rule: 'code' }]);
export const all = (rule: Rule, vr: string, needed: boolean, ...tags: readonly number[]): AllowRow[] =>
  tags.map((tag) => [tag, { vr, rule, ...(needed ? { needed: true as const } : {}) }]);
/** Of two rows with one tag the later one counts. */
export const allowList = (rows: readonly AllowRow[]): AllowList =>
  new Map([...new Map(rows)].sort(([a], [b]) => a - b));

/** Of a classic MR image. */
export const ROWS: readonly AllowRow[] = [
  // What the object is, and which.
  ...all('written', 'CS', true, 0x00080008),
  ...all('standard-uid', 'UI', true, 0x00080016),
  ...all('uid', 'UI', true, 0x00080018, 0x0020000d, 0x0020000e),
  ...all('uid', 'UI', false, 0x00200052),
  ...codes(0x00080060),
  [0x00080070, { vr: 'LO', rule: 'listed', needed: true, values: KNOWN_MAKERS }],
  ...all('written', 'ST', true, 0x00082111),
  // When.
  ...all('date', 'DA', true, 0x00080020),
  ...all('time', 'TM', true, 0x00080030),
  ...all('date', 'DA', false, 0x00080012, 0x00080021, 0x00080022, 0x00080023),
  ...all('time', 'TM', false, 0x00080013, 0x00080031, 0x00080032, 0x00080033),
  ...all('date', 'DT', false, 0x0008002a),
  // Who: nobody.
  ...all('empty', 'SH', true, 0x00080050, 0x00200010),
  ...all('empty', 'PN', true, 0x00080090),
  ...all('written', 'PN', true, 0x00100010),
  ...all('written', 'LO', true, 0x00100020),
  ...all('empty', 'DA', true, 0x00100030),
  ...all('empty', 'CS', true, 0x00100040),
  ...all('written', 'CS', true, 0x00120062),
  ...all('written', 'LO', true, 0x00120063),
  ...all('written', 'SQ', true, 0x00120064),
  // How it was made.
  [0x00180015, { vr: 'CS', rule: 'listed', values: BODY_PARTS }],
  ...codes(0x00180020, 0x00180021, 0x00180022, 0x00180023, 0x00180025, 0x00181312, 0x00181315, 0x00185100),
  ...numbers('DS', 0x00180050, 0x00180080, 0x00180081, 0x00180082, 0x00180083, 0x00180084, 0x00180087),
  ...numbers('DS', 0x00180088, 0x00180093, 0x00180094, 0x00180095, 0x00181060, 0x00181100, 0x00181314),
  ...numbers('DS', 0x00181316, 0x00181318),
  [0x00180085, { vr: 'SH', rule: 'listed', values: ['1H', 'H1'] }],
  ...numbers('IS', 0x00180086, 0x00180089, 0x00180091),
  [0x00181310, { vr: 'US', rule: 'number', many: true }],
  ...numbers('FL', 0x00181320),
  // Where.
  ...numbers('IS', 0x00200011, 0x00200012, 0x00200013, 0x00200100, 0x00200105, 0x00201002),
  ...numbers('DS', 0x00200032, 0x00200037, 0x00200110, 0x00201041),
  ...all('empty', 'LO', true, 0x00201040),
  // Voxels.
  ...numbers('US', 0x00280002, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102, 0x00280103),
  ...codes(0x00280004, 0x00280301, 0x00281056, 0x00282110, 0x00282114, 0x20500020),
  ...numbers('DS', 0x00280030, 0x00281050, 0x00281051, 0x00281052, 0x00281053, 0x00282112),
  [0x00281054, { vr: 'LO', rule: 'listed', values: ['US', 'HU', 'OD', 'normalized'] }],
  ...numbers('US', 0x00280120, 0x00280121),
  ...all('written', 'US', false, 0x00280106, 0x00280107),
  ...all('written', 'CS', true, 0x00280302, 0x00280303),
];

export const ALLOWED: AllowList = allowList(ROWS);

export const PIXEL_DATA = 0x7fe00010;
export const SMALLEST_PIXEL = 0x00280106;
export const LARGEST_PIXEL = 0x00280107;
