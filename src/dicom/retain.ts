/**
 * What a site may ask to be kept (options of PS3.15): UIDs, patient characteristics, device identity, private elements that it knows to
 * be safe, dates. Here are the rows that they add to the allow-lists, and the codes that say so in the result.
 *
 * Narrower than the columns of Table E.1-1 (`profile-options.ts`) on purpose: no sequence, nothing that they want cleaned, no text with a
 * word of the person, and of devices what an MR image may hold.
 *
 * @example
 * allowedBy(true, { ...NOTHING, device: true }).get(0x00181000); // { vr: 'LO', rule: 'text', ... }
 */
import { ALLOWED_ENHANCED } from './allow-enhanced.js';
import { ALLOWED, type AllowList, type AllowRow, all, allowList } from './allow-list.js';
import type { SafePrivate } from './safe-private.js';

export type Dates = 'keep' | 'shift' | 'remove';

export interface Retained {
  readonly uids: boolean;
  readonly patient: boolean;
  readonly device: boolean;
  readonly safePrivate: readonly SafePrivate[];
}

export const NOTHING: Retained = { uids: false, patient: false, device: false, safePrivate: [] };

const PATIENT: readonly AllowRow[] = [
  [0x00100040, { vr: 'CS', rule: 'listed', values: ['M', 'F', 'O'], needed: true }],
  [0x00101010, { vr: 'AS', rule: 'age' }],
  // Metres and kilograms: another number, as one of a telephone, is none.
  [0x00101020, { vr: 'DS', rule: 'number', within: [0.1, 3] }],
  [0x00101030, { vr: 'DS', rule: 'number', within: [0.1, 500] }],
  ...all('text', 'SH', false, 0x00102160),
  ...all('text', 'UC', false, 0x00102162),
  [0x001021a0, { vr: 'CS', rule: 'listed', values: ['YES', 'NO', 'UNKNOWN'] }],
  [0x001021c0, { vr: 'US', rule: 'number', within: [1, 4] }],
  [0x00102203, { vr: 'CS', rule: 'listed', values: ['ALTERED', 'UNALTERED'] }],
];

const DEVICE: readonly AllowRow[] = [
  ...all('text', 'SH', false, 0x00081010, 0x00400010, 0x00400011, 0x00400242),
  ...all('text', 'LO', false, 0x00181000, 0x00181008, 0x00321020),
  ...all('text', 'ST', false, 0x00500020),
  ...all('kept-uid', 'UI', false, 0x00181002, 0x0018100b),
  ...all('date', 'DA', false, 0x00181200, 0x00181204, 0x00181205),
  ...all('time', 'TM', false, 0x00181201),
  ...all('date', 'DT', false, 0x00181202, 0x00181203),
  // Left alone by the profile; as texts they are not on the list without this option.
  [0x00080070, { vr: 'LO', rule: 'text', needed: true }],
  ...all('text', 'LO', false, 0x00081090, 0x00181020),
];

const UIDS: readonly AllowRow[] = all(
  'uid',
  'UI',
  false,
  0x00080014,
  0x00080017,
  0x00181002,
  0x0018100b,
  0x00200200,
);

/** The rows of an option, for the test that holds them against the column. */
export const OPTION_ROWS = { patient: PATIENT, device: DEVICE, uids: UIDS } as const;

const made = new WeakMap<Retained, { readonly classic: AllowList; readonly enhanced: AllowList }>();

export function allowedBy(enhanced: boolean, retained: Retained): AllowList {
  const known = made.get(retained) ?? {
    classic: added(ALLOWED, retained),
    enhanced: added(ALLOWED_ENHANCED, retained),
  };
  made.set(retained, known);
  return enhanced ? known.enhanced : known.classic;
}

function added(list: AllowList, { uids, patient, device }: Retained): AllowList {
  const rows = [...(uids ? UIDS : []), ...(patient ? PATIENT : []), ...(device ? DEVICE : [])];
  // What an enhanced object must have it must have with the option too.
  const needed = rows.map(([tag, allowed]): AllowRow => {
    const { needed = allowed.needed, dummy = '' } = list.get(tag) ?? {};
    return [tag, { ...allowed, ...(needed === undefined ? {} : { needed }), dummy }];
  });
  return allowList([...list, ...needed]);
}

/** Codes of CID 7050 that are claimed: what was done, never what was left undone. */
export function claimedCodes(dates: Dates, retained: Retained): readonly (readonly [string, string])[] {
  const { uids, patient, device, safePrivate } = retained;
  const codes: readonly (readonly [boolean, string, string])[] = [
    [true, '113100', 'Basic Application Confidentiality Profile'],
    // A file is there only when its face is gone: the pipeline refuses it otherwise.
    [true, '113102', 'Clean Recognizable Visual Features Option'],
    [dates === 'keep', '113106', 'Retain Longitudinal Temporal Information Full Dates Option'],
    [dates === 'shift', '113107', 'Retain Longitudinal Temporal Information Modified Dates Option'],
    [patient, '113108', 'Retain Patient Characteristics Option'],
    [device, '113109', 'Retain Device Identity Option'],
    [uids, '113110', 'Retain UIDs Option'],
    [safePrivate.length > 0, '113111', 'Retain Safe Private Option'],
  ];
  return codes.filter(([done]) => done).map(([, code, meaning]) => [code, meaning]);
}

/** The names of the options, for the report. */
export function retainedNames({ uids, patient, device, safePrivate }: Retained): readonly string[] {
  return [
    ...(uids ? ['UIDs'] : []),
    ...(patient ? ['patient characteristics'] : []),
    ...(device ? ['device identity'] : []),
    ...(safePrivate.length > 0 ? [`${safePrivate.length} kinds of private elements`] : []),
  ];
}
