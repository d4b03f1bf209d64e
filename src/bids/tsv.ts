/**
 * Tab-separated tables as BIDS has them: a line of names, then a line a row; `n/a` where nothing is known.
 *
 * @example
 * const people = parseTsv(text); // [{ participant_id: 'sub-01', age: '41' }]
 */

/** Rows as records. A cell that a short line lacks is `n/a`; empty lines and a byte order mark are no content. */
export function parseTsv(text: string): Record<string, string>[] {
  const [head = '', ...lines] = text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .filter((line) => line !== '');
  const keys = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(keys.map((key, i) => [key, cells[i] ?? 'n/a']));
  });
}
