/**
 * The second look at a result's header, with tables of its own: Table E.1-1 of PS3.15 as published, and a list of what may stand in a
 * result at all. It shares nothing with what wrote the header but the walker (decision 0039).
 *
 * @example
 * strayElements(header, ['DOE', '4711']); // 0
 */
import { ENHANCED_TOP, MAY_STAND_IN, NO_DATE, OURS_IN_OBJECTS } from './audit-groups.js';
import { askedFor, safeOnes } from './audit-options.js';
import { profileAction } from './profile-table.js';
import { NOTHING, type Retained } from './retain.js';
import { isEnhanced } from './sop-classes.js';
import { ascii, type Element, type WalkedFile, walk } from './walker.js';

/** What may stand in a result, as group and elements. The same as the allow-list on purpose: a slip in one is found by the other. */
const MAY_STAND: Readonly<Record<string, string>> = {
  '0008': '0008 0012 0013 0016 0018 0020 0021 0022 0023 002a 0030 0031 0032 0033 0050 0060 0070 0090 2111',
  '0010': '0010 0020 0030 0040',
  '0012': '0062 0063 0064',
  '0018':
    '0015 0020 0021 0022 0023 0025 0050 0080 0081 0082 0083 0084 0085 0086 0087 0088 0089 0091 0093 0094 0095 1060 1100 1310 1312 1314 1315 1316 1318 1320 5100',
  '0020': '000d 000e 0010 0011 0012 0013 0032 0037 0052 0100 0105 0110 1002 1040 1041',
  '0028':
    '0002 0004 0010 0011 0030 0100 0101 0102 0103 0106 0107 0120 0121 0301 0302 0303 1050 1051 1052 1053 1054 1056 2110 2112 2114',
  '2050': '0020',
};
const STANDS: ReadonlySet<number> = new Set(
  Object.entries(MAY_STAND).flatMap(([group, numbers]) =>
    numbers.split(' ').map((number) => Number.parseInt(group + number, 16)),
  ),
);
const META = new Set([0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013]);
const SOP_CLASS = 0x00080016;
const INSTANCE = 0x00080018;
const DATES_MODIFIED = 0x00280303;

/** Values that are ours where the profile asks for a dummy or for nothing. */
const OURS: ReadonlyMap<number, RegExp> = new Map([
  [0x00080070, /^[A-Za-z_ ]{2,32}$/],
  [0x00082111, /^Head outside of the brain (removed|drawn anew) \(prosopon [\w.-]+, [\w-]+\)$/],
  [0x00100010, /^P[0-9a-f]{16}$/],
  [0x00100020, /^P[0-9a-f]{16}$/],
  [0x00120063, /^prosopon [\w.-]+ [\w-]+, PS3\.15 2026c$/],
  [0x00180085, /^(1H|H1)$/],
  [0x00281054, /^\w{2,10}$/],
  ...OURS_IN_OBJECTS,
]);
const TEXTS = new Set(['AE', 'LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UR', 'UT', 'UN', 'OB']);

/**
 * @param header of a result, without its voxels  @param words of the person  @param retained what the site asked to be kept
 * @returns how many things should not be there
 */
export function strayElements(
  header: Uint8Array,
  words: readonly string[],
  retained: Retained = NOTHING,
): number {
  const file = walk(header);
  const { bytes, meta, elements } = file;
  const said = (from: readonly Element[], tag: number): string => {
    const found = from.find((element) => element.tag === tag);
    return found === undefined ? '' : ascii(bytes, found.valueFrom, found.valueTo).replace(/[\0 ]+$/, '');
  };
  let stray = bytes.subarray(0, 128).some((byte) => byte !== 0) ? 1 : 0;
  stray += meta.filter(({ tag }) => !META.has(tag)).length;
  if (said(meta, 0x00020003) !== said(elements, INSTANCE)) stray++;
  const datesStay = ['MODIFIED', 'UNMODIFIED'].includes(said(elements, DATES_MODIFIED));
  const asked = askedFor(retained, datesStay);
  const safe = safeOnes(retained, file);
  const context = { file, datesStay, asked };
  const enhanced = isEnhanced(said(elements, SOP_CLASS));
  for (const element of elements) {
    if (safe.has(element)) continue;
    const { tag } = element;
    const known = STANDS.has(tag) || (enhanced && ENHANCED_TOP.has(tag)) || asked.has(tag);
    stray += known ? strayIn(element, context) : 1;
  }
  return stray + words.filter((word) => holds(bytes, word)).length;
}

interface Context {
  readonly file: WalkedFile;
  readonly datesStay: boolean;
  readonly asked: ReadonlyMap<number, RegExp>;
}

/** Of an element that may stand where it does, at any depth. */
function strayIn(element: Element, context: Context): number {
  const { tag, items } = element;
  const inside = MAY_STAND_IN.get(tag);
  if (items === undefined) return inside === undefined && isOurs(element, context) ? 0 : 1;
  if (inside === undefined) return 1;
  let stray = 0;
  for (const { elements } of items)
    for (const one of elements) stray += inside.has(one.tag) ? strayIn(one, context) : 1;
  return stray;
}

function isOurs(
  { tag, vr, valueFrom, valueTo }: Element,
  { file: { bytes }, datesStay, asked }: Context,
): boolean {
  const value = ascii(bytes, valueFrom, Math.min(valueTo, valueFrom + 4096)).replace(/[\0 ]+$/, '');
  if (value === '') return true;
  const wanted = asked.get(tag);
  if (wanted?.test(value) === true) return true;
  const ours = OURS.get(tag);
  if (ours !== undefined) return ours.test(value);
  // A text that a person may have written.
  if (vr !== undefined && TEXTS.has(vr)) return false;
  const action = profileAction(tag);
  if (action === undefined) return true;
  if (action === 'U') return /^2\.25\.\d{1,39}$/.test(value);
  return (datesStay && /^\d{2,14}(\.\d{1,6})?$/.test(value)) || value === NO_DATE.get(tag);
}

/** In 8-bit text, in either case, and in UTF-16 of either order. */
function holds(bytes: Uint8Array, word: string): boolean {
  const upper = word.toUpperCase();
  const codes = [...upper].map((letter) => letter.charCodeAt(0));
  const [first] = codes;
  const is = (at: number, code: number): boolean => {
    const byte = bytes[at] as number;
    return byte === code || (byte >= 0x61 && byte <= 0x7a && byte - 0x20 === code);
  };
  for (const stride of [1, 2])
    for (let at = 0; at + (codes.length - 1) * stride < bytes.length; at++) {
      if (first === undefined || !is(at, first)) continue;
      if (codes.every((code, i) => is(at + i * stride, code))) return true;
    }
  return false;
}
