/** What is written into a table comes back from it, and no cell breaks out; the page's script does the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTsv } from '../bids/tsv.js';
import { TSV_SCRIPT } from './dataset-index-tsv-script.js';
import { tsvCell, tsvText } from './tsv-cells.js';

interface Row {
  path: string;
  status: string;
  decision: string;
  note: string;
}
interface Script {
  cellOf(text: string): string;
  textOf(cell: string): string;
  writeDecisions(rows: readonly Row[]): string;
  readDecisions(
    text: string,
    rows: readonly Row[],
  ): { readonly taken: readonly Row[]; readonly unknown: number; readonly invalid: number } | undefined;
}
const script = new Function(
  `${TSV_SCRIPT}; return { cellOf, textOf, writeDecisions, readDecisions };`,
)() as Script;

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      ...['\t', '\n', '\r', '\v', '\0', '\u0085', '\u2028', '\u2029', '\ufeff', '\ud800'],
      ...["'", '"', '=', '+', '-', '@', '＝', 'n/a', ' ', ',', '<', 'a', 'é', '😀'],
    ),
  }),
);
/** A text as one line, which is all that a cell may change. */
const flat = (text: string): string =>
  text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ').replace(/\p{Cs}/gu, '\ufffd');

describe.each([
  ['of summaries', tsvCell, tsvText],
  ["of the page's script", script.cellOf, script.textOf],
])('cells %s', (_, cellOf, textOf) => {
  it('give a text back, on one line', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(textOf(cellOf(text))).toBe(flat(text));
      }),
    );
  });

  it('are never empty, broken, or run by a spreadsheet', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const cell = cellOf(text);
        expect(cell).toMatch(/^[^\p{Cc}\u2028\u2029]+$/u);
        expect(cell.trimStart()).not.toMatch(/^["=+\-@＝＋－＠]/u);
        expect(cell).not.toMatch(/\p{Cs}/u);
      }),
    );
    expect(cellOf('=HYPERLINK("http://x")')).toBe('\'=HYPERLINK("http://x")');
    expect(cellOf('')).toBe('n/a');
    expect(cellOf('n/a')).toBe("'n/a");
  });

  it('are read as a spreadsheet saves them, in quotation marks', () => {
    expect(textOf('"a ""b"", c"')).toBe('a "b", c');
  });
});

it('the script makes the cells that summaries make', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(script.cellOf(text)).toBe(tsvCell(text));
    }),
  );
});

describe('decisions', () => {
  const row = fc.record({
    path: anyText,
    status: fc.constantFrom('done', 'refused'),
    decision: fc.constantFrom('', 'accept', 'reject'),
    note: anyText,
  });
  const rows = fc.uniqueArray(row, { selector: ({ path }) => tsvCell(path), maxLength: 12 });

  it('come back from their table, whatever paths and notes hold', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom('', '\ufeff'), (given, mark) => {
        const fresh = given.map((row) => ({ ...row, decision: '', note: '' }));
        const read = script.readDecisions(mark + script.writeDecisions(given), fresh);
        expect(read).toMatchObject({ unknown: 0, invalid: 0 });
        expect(fresh).toEqual(given.map((row) => ({ ...row, note: flat(row.note) })));
      }),
    );
  });

  it('are a table that the reader of BIDS tables takes', () => {
    const table = script.writeDecisions([
      { path: 'sub-1/a.nii', status: 'done', decision: 'accept', note: 'a\tb\nc' },
      { path: '=1+1', status: 'refused', decision: '', note: '' },
    ]);
    expect(parseTsv(table)).toEqual([
      { path: 'sub-1/a.nii', status: 'done', decision: 'accept', note: 'a b c' },
      { path: "'=1+1", status: 'refused', decision: 'n/a', note: 'n/a' },
    ]);
  });

  it('of other scans, of paths that are one cell, or not understood, change nothing', () => {
    const fresh = (path: string): Row => ({ path, status: 'done', decision: '', note: '' });
    const here = [fresh('a\tb'), fresh('a b'), fresh('c'), fresh('d')];
    const table = 'note\tdecision\tpath\nx\taccept\ta b\ny\treject\tz\nn/a\tmaybe\tc\nn/a\t Accept\td\n';
    expect(script.readDecisions(table, here)).toMatchObject({ unknown: 2, invalid: 1 });
    expect(here.map(({ decision }) => decision)).toEqual(['', '', '', 'accept']);
    expect(script.readDecisions('subject\tage\n1\t2\n', here)).toBeUndefined();
  });
});
