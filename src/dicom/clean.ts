/**
 * The header of a new file, from nothing, by the allow-list: elements that stay keep their bytes, what must be there is written, all
 * else does not come along. It is made before the pipeline begins, so that what the input's header says is no longer at hand then.
 *
 * @example
 * const header = cleanHeader(walk(bytes), { keyed, person, dates: 'remove', retained: NOTHING, method: 'cp-mae', words });
 */
import { VERSION } from '../deidentify/version.js';
import { Refusal } from '../errors/errors.js';
import { joinBytes } from '../volume/bytes.js';
import { DIMENSION_VALUES, FRAME_TYPE, STACK_ID } from './allow-enhanced.js';
import { type Allowed, type AllowList, LARGEST_PIXEL, SMALLEST_PIXEL } from './allow-list.js';
import { encodeElement, encodeSequence, text, uidText, verbatim, words16 } from './assemble.js';
import { keptDimensions, type ObjectNames, objectNames, thinned } from './dimensions.js';
import { holdsWord, keepsValue } from './keep-value.js';
import { type Keyed, shiftedDate } from './keyed.js';
import { allowedBy, claimedCodes, type Dates, type Retained } from './retain.js';
import { keptPrivate } from './safe-private.js';
import { isEnhanced } from './sop-classes.js';
import { EXPLICIT_LITTLE, type Syntax } from './syntax.js';
import { Values } from './values.js';
import { type Element, textOf, type WalkedFile } from './walker.js';

export interface Cleaning {
  readonly keyed: Keyed;
  /** What tells people apart in the input. */
  readonly person: string;
  readonly dates: Dates;
  /** What the site asked to be kept. */
  readonly retained: Retained;
  /** Name of the method, for the texts that say what was done. */
  readonly method: string;
  /** Whether it draws something new. */
  readonly removes: boolean;
  /** Words of the person: no text that holds one stays. */
  readonly words: readonly string[];
  /** Told each UID that is not as it was. */
  readonly onUid?: (original: string, now: string) => void;
}

/** Our own root: a UUID under 2.25, made once. */
export const IMPLEMENTATION_UID = '2.25.226378915023440987601937120446518031337';
/** Of one or several values. */
const KEPT_UID = /^[\d.]{1,64}(\\[\d.]{1,64}){0,15}$/;
const AGE = /^(\d{3})([DWMY])$/;
const OLDEST = 89;
const STANDARD_UID = /^1\.2\.840\.10008\.[\d.]+$/;

/**
 * The whole file but its pixel data: preamble, meta, elements.
 * @throws {Refusal} header-invalid where an element that must be kept is none
 */
export function cleanHeader(file: WalkedFile, cleaning: Cleaning): Uint8Array {
  const values = new Values(file);
  const sopClass = values.text(0x00080016);
  const names = isEnhanced(sopClass) ? objectNames(file) : undefined;
  const { retained, words } = cleaning;
  const list = allowedBy(names !== undefined, retained);
  const parts = [
    ...cleanedList(list, { file, values, cleaning, names }),
    ...keptPrivate(file, retained.safePrivate, words),
  ].sort(([a], [b]) => a - b);
  return joinBytes([
    metaOf(sopClass, newUid(values.text(0x00080018), cleaning), file.syntax),
    ...parts.map(([, bytes]) => bytes),
  ]);
}

/** The elements of a file or of an item. */
interface Level {
  /** With the elements of this level. */
  readonly file: WalkedFile;
  readonly values: Values;
  readonly cleaning: Cleaning;
  /** Of an enhanced object. */
  readonly names: ObjectNames | undefined;
}

function cleanedList(list: AllowList, level: Level): (readonly [tag: number, bytes: Uint8Array])[] {
  const parts: (readonly [number, Uint8Array])[] = [];
  for (const [tag, allowed] of list) {
    const part = cleaned(tag, allowed, level);
    if (part !== undefined) parts.push([tag, part]);
  }
  return parts;
}

/** @throws {Refusal} header-invalid where one that is to be kept says whose it is */
function newUid(original: string, { keyed, retained, words, onUid }: Cleaning): string {
  if (!retained.uids) {
    const now = keyed.uid(original);
    onUid?.(original, now);
    return now;
  }
  if (!KEPT_UID.test(original) || holdsWord(original, words))
    throw new Refusal(
      'header-invalid',
      'expected UIDs that can be kept as they are, found one that is none or holds an ID of the person; try without --retain-uids',
    );
  return original;
}

/** Preamble of zeros and a file meta of our own. */
function metaOf(sopClass: string, instance: string, syntax: Syntax): Uint8Array {
  const put = (tag: number, vr: string, value: Uint8Array): Uint8Array =>
    encodeElement(tag, vr, value, EXPLICIT_LITTLE);
  const rest = joinBytes([
    put(0x00020001, 'OB', Uint8Array.of(0, 1)),
    put(0x00020002, 'UI', uidText(sopClass)),
    put(0x00020003, 'UI', uidText(instance)),
    put(0x00020010, 'UI', uidText(syntax.uid)),
    put(0x00020012, 'UI', uidText(IMPLEMENTATION_UID)),
    put(0x00020013, 'SH', text(`PROSOPON ${VERSION}`.slice(0, 16))),
  ]);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, rest.length, true);
  const start = new Uint8Array(132);
  start.set(text('DICM'), 128);
  return joinBytes([start, put(0x00020000, 'UL', length), rest]);
}

function cleaned(tag: number, allowed: Allowed, level: Level): Uint8Array | undefined {
  const { vr, rule, needed, dummy = '' } = allowed;
  const { file, values, cleaning } = level;
  const { syntax } = file;
  const element = values.get(tag);
  const nothing = (): Uint8Array | undefined =>
    needed === true || (dummy !== '' && element !== undefined)
      ? encodeElement(tag, vr, text(dummy), syntax)
      : undefined;
  if (rule === 'written') return written(tag, vr, level);
  if (rule === 'empty' || rule === 'fixed' || element === undefined) return nothing();
  if (rule === 'items') return cleanedItems(tag, allowed, element, level);
  const value = textOf(file.bytes, element).trim();
  switch (rule) {
    case 'uid':
      return value === '' ? nothing() : encodeElement(tag, vr, uidText(newUid(value, cleaning)), syntax);
    case 'kept-uid':
      return KEPT_UID.test(value) && !holdsWord(value, cleaning.words)
        ? encodeElement(tag, vr, uidText(value), syntax)
        : nothing();
    case 'age':
      return AGE.test(value) ? encodeElement(tag, vr, text(ageOf(value)), syntax) : nothing();
    case 'date':
    case 'time': {
      if (cleaning.dates === 'remove') return nothing();
      const kept = rule === 'time' ? timeOf(value) : shifted(value, vr, cleaning);
      return kept === undefined ? nothing() : encodeElement(tag, vr, text(kept), syntax);
    }
    case 'standard-uid':
      if (!STANDARD_UID.test(value))
        throw new Refusal('header-invalid', 'expected a SOP class of the standard, found another one');
      // Not as it stands: a damaged file may give it another VR.
      return encodeElement(tag, vr, uidText(value), syntax);
    default:
      return keepsValue(allowed, element, value, file, cleaning.words) ? verbatim(file, element) : nothing();
  }
}

/** A sequence with its items, each by the list for them; one of which nothing is left is dropped, where it need not be there. */
function cleanedItems(
  tag: number,
  { inside = new Map() }: Allowed,
  { items = [] }: Element,
  level: Level,
): Uint8Array | undefined {
  const { file, names } = level;
  const cleanedOnes = keptDimensions(tag, items, names).map((item) => {
    const scope = { ...file, elements: item.elements };
    const parts = cleanedList(inside, { ...level, file: scope, values: new Values(scope) });
    return joinBytes(parts.map(([, bytes]) => bytes));
  });
  const empty = cleanedOnes.every(({ length }) => length === 0);
  // What is on the list with nothing inside has to be there all the same.
  return empty && inside.size > 0 ? undefined : encodeSequence(tag, cleanedOnes, file.syntax);
}

/** The few who are older are known by their age. */
function ageOf(value: string): string {
  const [, count, unit] = AGE.exec(value) ?? [];
  return unit === 'Y' && Number(count) > OLDEST ? `0${OLDEST + 1}Y` : value;
}

function timeOf(value: string): string | undefined {
  return /^\d{2,6}(\.\d{1,6})?$/.test(value) ? value : undefined;
}

function shifted(value: string, vr: string, { keyed, person, dates }: Cleaning): string | undefined {
  const days = dates === 'keep' ? 0 : keyed.days(person);
  if (vr === 'DA') return shiftedDate(value, days);
  const date = shiftedDate(value.slice(0, 8), days);
  return date !== undefined && /^(\d{2,6}(\.\d{1,6})?)?$/.test(value.slice(8))
    ? date + value.slice(8)
    : undefined;
}

function written(tag: number, vr: string, level: Level): Uint8Array | undefined {
  const {
    file: { syntax },
    values,
    names,
    cleaning: { keyed, person, dates, retained, method, removes, words },
  } = level;
  const put = (value: string): Uint8Array => encodeElement(tag, vr, text(value), syntax);
  switch (tag) {
    case 0x00080008:
    case FRAME_TYPE: {
      const kept = values
        .text(tag)
        .split('\\')
        .slice(1)
        .map((part) => part.trim())
        .filter((part) => /^[A-Z0-9_]{1,16}$/.test(part) && !holdsWord(part, words));
      return put(['DERIVED', ...(kept.length === 0 ? ['PRIMARY'] : kept)].join('\\'));
    }
    case STACK_ID:
      return names === undefined || values.get(tag) === undefined
        ? undefined
        : put(names.stack(values.text(tag)));
    case DIMENSION_VALUES: {
      const counts = values.longs(tag);
      return names === undefined || counts === undefined ? undefined : thinned(tag, counts, names, syntax);
    }
    case 0x00082111:
      return put(
        `Head outside of the brain ${removes ? 'removed' : 'drawn anew'} (prosopon ${VERSION}, ${method})`,
      );
    case 0x00100010:
    case 0x00100020:
      return put(keyed.patientId(person));
    case 0x00120062:
      return put('YES');
    case 0x00120063:
      return put(`prosopon ${VERSION} ${method}, PS3.15 2026c`.slice(0, 64));
    case 0x00120064:
      return encodeSequence(
        tag,
        claimedCodes(dates, retained).map(([code, meaning]) =>
          joinBytes([
            encodeElement(0x00080100, 'SH', text(code), syntax),
            encodeElement(0x00080102, 'SH', text('DCM'), syntax),
            encodeElement(0x00080104, 'LO', text(meaning.slice(0, 64)), syntax),
          ]),
        ),
        syntax,
      );
    case SMALLEST_PIXEL:
    case LARGEST_PIXEL:
      // The place; what it says is known when the voxels are.
      return values.word(tag) === undefined
        ? undefined
        : encodeElement(tag, values.word(0x00280103) === 1 ? 'SS' : 'US', words16([0], syntax), syntax);
    case 0x00280302:
      return put('NO');
    case 0x00280303:
      return put({ keep: 'UNMODIFIED', shift: 'MODIFIED', remove: 'REMOVED' }[dates]);
    default:
      return undefined;
  }
}
