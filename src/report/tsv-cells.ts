/**
 * Text as a cell of a tab-separated table that people also open in a spreadsheet, and back. A cell is one line without tabs,
 * never empty (`n/a`, as in BIDS), and never one that a spreadsheet would run or read on into the next: a cell that begins with
 * `=`, `+`, `-`, `@` or a quotation mark gets an apostrophe in front, which reading takes away.
 *
 * The page of a data set does the same in its own script (dataset-index-tsv-script.ts); a test holds the two together.
 *
 * @example
 * const line = [path, note].map(tsvCell).join('\t'); // "=HYPERLINK(...)" becomes "'=HYPERLINK(...)"
 * const note = tsvText(cell);
 */

/** Controls (tab and line ends among them) and the two separators of Unicode, which some readers take for line ends. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]/gu;
/** Half a character: no UTF-8 can hold it. */
const LONE = /\p{Cs}/gu;
/** The full-width forms too: some spreadsheets take them for the others. */
const GUARDED = /^(?:\s*['"=+\-@＝＋－＠]|n\/a$)/u;

/** What a spreadsheet shows as text, on one line. Line ends and tabs become spaces; all else is kept, `tsvText` gives it back. */
export function tsvCell(text: string): string {
  const flat = text.replace(BREAKS, ' ').replace(LONE, '\ufffd');
  if (flat === '') return 'n/a';
  return GUARDED.test(flat) ? `'${flat}` : flat;
}

/** The text of a cell, also of one that a spreadsheet has put in quotation marks when it saved the table. */
export function tsvText(cell: string): string {
  const bare = /^".*"$/su.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell;
  if (bare === 'n/a') return '';
  return bare.startsWith("'") ? bare.slice(1) : bare;
}
