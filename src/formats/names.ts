/**
 * What a file name says of an image: whether it is compressed, and which files belong to it. Which names a format has
 * is its codec's to say.
 *
 * @example
 * splitName('sub-01.img.gz'); // { stem: 'sub-01', ending: 'img', gz: '.gz' }
 */

export interface FileNames {
  readonly compressed: boolean;
  /** The one with the header first. */
  readonly files: readonly [string, ...string[]];
}

/** Stem, ending and `.gz` of a file name or path; the ending counts, in any case. */
export function splitName(name: string): { stem: string; ending: string; gz: string } {
  const gz = /\.gz$/i.exec(name)?.[0] ?? '';
  const [, stem = '', ending = ''] = /^(.*)\.([^./\\]+)$/s.exec(name.slice(0, name.length - gz.length)) ?? [];
  return { stem, ending, gz };
}

/** "a, b or c". */
export function either(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
