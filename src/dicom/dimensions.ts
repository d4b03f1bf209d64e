/**
 * What an enhanced object's own numbering refers to, cleaned for all frames alike: names of stacks become numbers, and a dimension that
 * is counted by an element which does not stay (a private one, a text) goes with its count in every frame.
 *
 * @example
 * const names = objectNames(file);
 * names.stack('JANE 1'); // '1'
 */
import { type DIMENSION_VALUES, DIMENSIONS, POINTABLE } from './allow-enhanced.js';
import { encodeElement } from './assemble.js';
import type { Syntax } from './syntax.js';
import { Values } from './values.js';
import type { Item, WalkedFile } from './walker.js';

export interface ObjectNames {
  /** Whether each dimension stays, in their order. */
  readonly dimensions: readonly boolean[];
  /** The number of a stack, counted as its frames come. */
  stack(id: string): string;
}

/** One object's; it remembers the stacks that it was asked for. */
export function objectNames(file: WalkedFile): ObjectNames {
  const items = new Values(file).get(DIMENSIONS)?.items ?? [];
  const numbers = new Map<string, string>();
  return {
    dimensions: items.map((item) => {
      const values = new Values({ ...file, elements: item.elements });
      return POINTABLE.has(pointer(values, 0x00209165)) && POINTABLE.has(pointer(values, 0x00209167));
    }),
    stack(id) {
      const number = numbers.get(id) ?? `${numbers.size + 1}`;
      numbers.set(id, number);
      return number;
    },
  };
}

/** The tag that an element of VR AT names; -1 for none. */
export function pointer(values: Values, tag: number): number {
  const words = values.words(tag);
  const [group, number] = words ?? [];
  return group === undefined || number === undefined || words?.length !== 2 ? -1 : group * 0x10000 + number;
}

/** Of the dimensions those that stay, of any other sequence all items. */
export function keptDimensions(
  tag: number,
  items: readonly Item[],
  names: ObjectNames | undefined,
): readonly Item[] {
  return tag === DIMENSIONS && names !== undefined ? items.filter((_, i) => names.dimensions[i]) : items;
}

/** A frame's counts without those of dimensions that went; undefined where they are not one for each. */
export function thinned(
  tag: typeof DIMENSION_VALUES,
  counts: readonly number[],
  { dimensions }: ObjectNames,
  syntax: Syntax,
): Uint8Array | undefined {
  const kept = counts.filter((_, i) => dimensions[i] === true);
  // What is no count may be letters.
  if (counts.length !== dimensions.length || kept.length === 0 || kept.some((n) => n >= 2 ** 20))
    return undefined;
  const bytes = new Uint8Array(4 * kept.length);
  const view = new DataView(bytes.buffer);
  kept.forEach((n, i) => {
    view.setUint32(4 * i, n, syntax.littleEndian);
  });
  return encodeElement(tag, 'UL', bytes, syntax);
}
