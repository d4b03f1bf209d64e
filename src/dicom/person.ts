/**
 * Whose a file is, and the words that say so: what no output may hold. Names, numbers and UIDs are taken from every depth, private
 * elements and sequences included, wherever the file says that they are such.
 *
 * @example
 * const { key, words } = personOf(walk(bytes));
 */
import { Values } from './values.js';
import { ascii, type Element, type WalkedFile } from './walker.js';

export interface PersonFacts {
  /** Tells people apart within an input; of the person, so it goes nowhere. */
  readonly key: string;
  /** As the file says them; either may be empty. */
  readonly id: string;
  readonly name: string;
  /** Names, IDs and the like, as they stand. */
  readonly words: readonly string[];
  /** Of the scanner: its station and its serial number. */
  readonly deviceWords: readonly string[];
}

/** Patient ID, other IDs, accession number, institution, department. */
const IDENTIFIES = new Set([
  0x00100020, 0x00101000, 0x00101002, 0x00080050, 0x00080080, 0x00080081, 0x00081040,
]);
const OF_A_DEVICE = new Set([0x00081010, 0x00181000]);
const PATIENT_ID = 0x00100020;
const BIRTH_DATE = 0x00100030;
const PATIENT_NAME = 0x00100010;
/** Shorter words stand in other words by chance. */
const LEAST_LETTERS = 4;
const LONGEST = 256;

export function personOf(file: WalkedFile): PersonFacts {
  const values = new Values(file);
  const words = new Set<string>();
  const deviceWords = new Set<string>();
  const add = (text: string, to = words): void => {
    for (const part of text.split(/[\^=\\]/)) {
      const word = part.trim();
      // Numbers of few digits are slice numbers and times too.
      if (word.length >= LEAST_LETTERS && !/^[\d.]{1,5}$/.test(word) && !COMMON.has(word.toUpperCase()))
        to.add(word);
    }
  };
  const look = (elements: readonly Element[]): void => {
    for (const { tag, vr, valueFrom, valueTo, items } of elements) {
      if (items !== undefined) for (const item of items) look(item.elements);
      else if ((vr === 'PN' || IDENTIFIES.has(tag) || OF_A_DEVICE.has(tag)) && valueTo - valueFrom <= LONGEST)
        add(
          ascii(file.bytes, valueFrom, valueTo).replace(/[\0 ]+$/, ''),
          OF_A_DEVICE.has(tag) ? deviceWords : words,
        );
    }
  };
  look(file.elements);
  if (!file.syntax.explicit) add(values.text(PATIENT_NAME));
  const id = values.text(PATIENT_ID);
  const name = values.text(PATIENT_NAME);
  // Without any of them each study is somebody else's.
  const said = [id, name, values.text(BIRTH_DATE)];
  const key = said.every((part) => part === '') ? `study ${values.text(0x0020000d)}` : said.join('\\');
  return {
    key,
    id,
    name,
    words: [...words],
    deviceWords: [...deviceWords].filter((word) => !words.has(word)),
  };
}

/** Stand in headers for other reasons, and for nobody. */
const COMMON = new Set([
  'NONE',
  'UNKNOWN',
  'ANONYMOUS',
  'ANONYMIZED',
  'ANON',
  'HEAD',
  'BRAIN',
  'PATIENT',
  'TEST',
]);
