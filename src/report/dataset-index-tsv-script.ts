/**
 * The part of a data set's page that writes and reads decisions as a table: plain JavaScript in the page's script, apart so
 * that a test can run it without a browser. `cellOf` and `textOf` do what `tsvCell` and `tsvText` do (tsv-cells.ts).
 *
 * @example
 * const { writeDecisions } = new Function(`${TSV_SCRIPT}; return { writeDecisions };`)();
 */
export const TSV_SCRIPT = String.raw`
  const cellOf = (text) => {
    const flat = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ').replace(/\p{Cs}/gu, '\ufffd');
    if (flat === '') return 'n/a';
    return /^(?:\s*['"=+\-@\uff1d\uff0b\uff0d\uff20]|n\/a$)/u.test(flat) ? "'" + flat : flat;
  };

  const textOf = (cell) => {
    const bare = /^".*"$/su.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell;
    if (bare === 'n/a') return '';
    return bare.startsWith("'") ? bare.slice(1) : bare;
  };

  // rows: { path, status, decision, note }; a row without a decision is written too, so that the table is whole.
  const writeDecisions = (rows) => {
    const lines = rows.map(({ path, status, decision, note }) => [path, status, decision, note].map(cellOf).join('\t'));
    return ['path\tstatus\tdecision\tnote', ...lines].join('\n') + '\n';
  };

  // Changes what the table decides or notes and leaves the other rows; says how much of it was of use.
  const readDecisions = (text, rows) => {
    const [head, ...lines] = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/).filter((line) => line !== '');
    const names = (head ?? '').split('\t').map(textOf);
    const at = { path: names.indexOf('path'), decision: names.indexOf('decision'), note: names.indexOf('note') };
    const result = { taken: [], unknown: 0, invalid: 0 };
    if (at.path < 0 || at.decision < 0) return undefined;
    const byPath = new Map();
    // Two paths that are one cell cannot be told apart in a table: neither takes a decision from it.
    for (const row of rows) byPath.set(textOf(cellOf(row.path)), byPath.has(textOf(cellOf(row.path))) ? undefined : row);
    for (const line of lines) {
      const cells = line.split('\t');
      const decision = textOf(cells[at.decision] ?? 'n/a').trim().toLowerCase();
      const note = at.note < 0 ? '' : textOf(cells[at.note] ?? 'n/a');
      if (decision === '' && note === '') continue;
      const row = byPath.get(textOf(cells[at.path] ?? ''));
      if (row === undefined) result.unknown++;
      else if (decision !== '' && decision !== 'accept' && decision !== 'reject') result.invalid++;
      else {
        if (decision !== '') row.decision = decision;
        if (note !== '') row.note = note;
        result.taken.push(row);
      }
    }
    return result;
  };
`;
