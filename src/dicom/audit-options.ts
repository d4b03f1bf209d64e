/**
 * What may stand in a result because a site asked for it, for the audit: a table of its own, as those of `audit-groups.ts`, so that a slip
 * in what writes the header is found.
 *
 * @example
 * askedFor({ ...NOTHING, patient: true }).get(0x00101010)?.test('034Y'); // true
 */
import type { Retained } from './retain.js';
import { creatorsOf, isCreator } from './safe-private.js';
import type { Element, WalkedFile } from './walker.js';

const TEXT = /^[\x20-\x7e]{1,256}$/;
const DAY = /^\d{8}$/;
const TIME = /^\d{2,6}(\.\d{1,6})?$/;
const DAY_AND_TIME = /^\d{8,14}(\.\d{1,6})?$/;
const UID = /^[\d.]{1,64}(\\[\d.]{1,64})*$/;
const NUMBER = /^\+?\d*\.?\d+([eE][+-]?\d)?$/;

const PATIENT: readonly (readonly [number, RegExp])[] = [
  [0x00100040, /^[MFO]$/],
  [0x00101010, /^(\d{3}[DWM]|0[0-8]\dY|090Y)$/],
  [0x00101020, NUMBER],
  [0x00101030, NUMBER],
  [0x00102160, TEXT],
  [0x00102162, TEXT],
  [0x001021a0, /^(YES|NO|UNKNOWN)$/],
  // A word in either order of bytes.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a number of two bytes
  [0x001021c0, /^(\x00[\x01-\x04]|[\x01-\x04])$/],
  [0x00102203, /^(UN)?ALTERED$/],
];
const DEVICE: readonly (readonly [number, RegExp])[] = [
  ...[
    0x00080070, 0x00081010, 0x00081090, 0x00181000, 0x00181008, 0x00181020, 0x00321020, 0x00400010,
    0x00400011, 0x00400242, 0x00500020,
  ].map((tag) => [tag, TEXT] as const),
  [0x00181002, UID],
  [0x0018100b, UID],
];
const DEVICE_DATES: readonly (readonly [number, RegExp])[] = [
  [0x00181200, DAY],
  [0x00181201, TIME],
  [0x00181202, DAY_AND_TIME],
  [0x00181203, DAY_AND_TIME],
  [0x00181204, DAY],
  [0x00181205, DAY],
];
/** Those of every image, and those that stand with the option alone. */
const UIDS: readonly (readonly [number, RegExp])[] = [
  0x00080014, 0x00080017, 0x00080018, 0x00181002, 0x0018100b, 0x0020000d, 0x0020000e, 0x00200052, 0x00200200,
  0x00209164,
].map((tag) => [tag, UID] as const);

/** By tag, what a value must be: beside, and in place of, what is always asked. */
export function askedFor(
  { uids, patient, device }: Retained,
  datesStay: boolean,
): ReadonlyMap<number, RegExp> {
  return new Map([
    ...(patient ? PATIENT : []),
    ...(device ? [...DEVICE, ...(datesStay ? DEVICE_DATES : [])] : []),
    ...(uids ? UIDS : []),
  ]);
}

/** The private elements at the top of a file that are on the site's list. */
export function safeOnes({ safePrivate }: Retained, file: WalkedFile): ReadonlySet<Element> {
  const creators = creatorsOf(file);
  const known = ({ tag, vr, items }: Element): boolean => {
    const group = tag >>> 16;
    if (items !== undefined) return false;
    if (isCreator(tag))
      return safePrivate.some((one) => one.group === group && one.creator === creators.get(tag));
    const reserved = creators.get(((tag & 0xffff0000) | ((tag & 0xff00) >>> 8)) >>> 0);
    return safePrivate.some(
      (one) =>
        one.group === group &&
        one.creator === reserved &&
        one.element === (tag & 0xff) &&
        (vr === undefined || vr === one.vr),
    );
  };
  return new Set(safePrivate.length === 0 ? [] : file.elements.filter(known));
}
