/**
 * Private elements that a site knows to be safe: who reserved the block, which element, of which kind. Kept at the top of a data set
 * alone, and where the value is of that kind and holds no word of the person; all other private elements go.
 *
 * @example
 * parseSafePrivate('2005,"Philips MR Imaging DD 001",0E DS\n');
 */
import { Refusal } from '../errors/errors.js';
import type { Allowed } from './allow-list.js';
import { encodeElement, text, verbatim } from './assemble.js';
import { keepsValue } from './keep-value.js';
import { type Element, textOf, type WalkedFile } from './walker.js';

export interface SafePrivate {
  readonly group: number;
  readonly creator: string;
  /** Within the block: 0 to 255. */
  readonly element: number;
  readonly vr: string;
}

const LINE = /^([0-9A-Fa-f]{3}[13579BDFbdf]),"([\x21-\x7e][\x20-\x7e]{0,63})",([0-9A-Fa-f]{2}) ([A-Z]{2})$/;
/** No names, no dates, no UIDs, no bytes that nobody can read: these have rules of their own or none. */
const RULES: ReadonlyMap<string, Allowed['rule']> = new Map([
  ...['DS', 'IS', 'FL', 'FD', 'US', 'SS', 'UL', 'SL'].map((vr) => [vr, 'number'] as const),
  ['CS', 'code'],
  ['SH', 'text'],
  ['LO', 'text'],
]);
const MOST_ROWS = 1000;
/** Behind them stand the voxels, which are the last thing in a result. */
const VOXELS = 0x7fe0;

/**
 * @param list an element a line: group, who reserved the block, element, VR; empty lines and such that begin with # say nothing
 * @throws {Refusal} option-invalid
 */
export function parseSafePrivate(list: string): readonly SafePrivate[] {
  const rows = list.split(/\r?\n/).flatMap((line, i): SafePrivate[] => {
    const said = line.trim();
    if (said === '' || said.startsWith('#')) return [];
    const [, group, creator, element, vr = ''] = LINE.exec(said) ?? [];
    if (group === undefined || creator === undefined || element === undefined || !RULES.has(vr))
      throw new Refusal(
        'option-invalid',
        `expected lines as 2005,"Philips MR Imaging DD 001",0E DS in --keep-safe-private, with one of ${[...RULES.keys()].join(' ')}; found another in line ${i + 1}`,
      );
    const number = Number.parseInt(group, 16);
    if (number < 9 || number >= VOXELS)
      throw new Refusal(
        'option-invalid',
        `expected private groups from 0009 to 7FDF in --keep-safe-private, found another in line ${i + 1}`,
      );
    return [{ group: number, creator: creator.trimEnd(), element: Number.parseInt(element, 16), vr }];
  });
  if (rows.length === 0 || rows.length > MOST_ROWS)
    throw new Refusal(
      'option-invalid',
      `expected 1 to ${MOST_ROWS} lines in --keep-safe-private, found ${rows.length}`,
    );
  return rows;
}

/** The private elements that stay, with those that reserve their blocks, each under its tag. */
export function keptPrivate(
  file: WalkedFile,
  safe: readonly SafePrivate[],
  words: readonly string[],
): readonly (readonly [tag: number, bytes: Uint8Array])[] {
  if (safe.length === 0) return [];
  const blocks = creatorsOf(file);
  const kept = new Map<number, Uint8Array>();
  for (const element of file.elements) {
    const [group, number] = [element.tag >>> 16, element.tag & 0xffff];
    const creatorTag = (element.tag & 0xffff0000) | (number >>> 8);
    const creator = blocks.get(creatorTag >>> 0);
    const row = safe.find(
      (one) => one.group === group && one.creator === creator && one.element === (number & 0xff),
    );
    if (number < 0x1000 || row === undefined || element.items !== undefined) continue;
    const bytes = keptBytes(element, row.vr, file, words);
    if (bytes === undefined) continue;
    kept.set(creatorTag >>> 0, encodeElement(creatorTag >>> 0, 'LO', text(row.creator), file.syntax));
    kept.set(element.tag, bytes);
  }
  return [...kept];
}

/** Who reserved the blocks of private elements, by the tags that say so. */
export function creatorsOf({ bytes, elements }: WalkedFile): ReadonlyMap<number, string> {
  return new Map(
    elements
      .filter(({ tag, items }) => isCreator(tag) && items === undefined)
      .map((element) => [element.tag, textOf(bytes, element).trim()]),
  );
}

export function isCreator(tag: number): boolean {
  const number = tag & 0xffff;
  return (tag >>> 16) % 2 === 1 && number >= 0x10 && number <= 0xff;
}

function keptBytes(
  element: Element,
  vr: string,
  file: WalkedFile,
  words: readonly string[],
): Uint8Array | undefined {
  // What passed a system that does not know a private element comes back as UN, in little endian whatever the file is in.
  const unknown = element.vr === 'UN' && file.syntax.littleEndian;
  const said = unknown ? { ...element, vr } : element;
  const allowed: Allowed = { vr, rule: RULES.get(vr) ?? 'number', many: true };
  const value = textOf(file.bytes, element).trim();
  if (!keepsValue(allowed, said, value, file, words)) return undefined;
  const { valueFrom, valueTo } = element;
  return unknown
    ? encodeElement(element.tag, vr, file.bytes.subarray(valueFrom, valueTo), file.syntax)
    : verbatim(file, element);
}
