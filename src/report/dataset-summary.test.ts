import { describe, expect, it } from 'vitest';
import type { ScanRecord } from '../bids/record.js';
import { parseTsv } from '../bids/tsv.js';
import { FAILURES, REFUSALS } from '../errors/errors.js';
import { adviceFor } from './advice.js';
import { SUMMARY_COLUMNS, summaryJson, summaryTsv } from './dataset-summary.js';
import { fakeRecords } from './testing/fake-records.js';

const about = {
  title: 'Study',
  version: '1.2.3',
  method: 'cp-mae',
  layout: 'derivative',
  left: [
    { path: 'sub-2/x', reason: 'a contrast' },
    { path: 'sub-1/x', reason: 'a contrast' },
  ],
  warnings: ['w'],
};

describe('the summary of a data set', () => {
  it('is a table with a row a scan in order of path', () => {
    const rows = parseTsv(summaryTsv(fakeRecords(9).reverse()));
    expect(Object.keys(rows[0] ?? {})).toMatchInlineSnapshot(`
      [
        "path",
        "status",
        "role",
        "reason",
        "message",
        "output",
        "checks",
        "checks_failed",
        "surface_moved_mm",
        "face_kept",
        "seam",
        "mask_agreement",
        "brain_ml",
        "seconds",
        "warnings",
      ]
    `);
    expect(Object.keys(SUMMARY_COLUMNS)).toEqual(Object.keys(rows[0] ?? {}));
    expect(rows.map(({ path }) => path?.slice(0, 9))).toEqual(
      Array.from({ length: 9 }, (_, i) => `sub-0000${i + 1}`),
    );
    expect(rows[2]).toMatchObject({
      surface_moved_mm: '4.4',
      face_kept: '0.022',
      seconds: '62',
      checks: '2',
      reason: 'n/a',
    });
    expect(rows[3]).toMatchObject({
      status: 'refused',
      reason: 'brain-implausible',
      seam: 'n/a',
      checks: '0',
      output: 'n/a',
    });
  });

  it('has no cell that breaks out, whatever a record holds', () => {
    const nasty = '\ufeff=cmd|"a"\t<script>\n\u2028';
    const record: ScanRecord = {
      path: nasty,
      key: 'secret-key',
      status: 'refused',
      reason: nasty,
      message: nasty,
      warnings: [nasty],
      checks: { [nasty]: { passed: false, value: nasty } },
      figures: { seam: -0.5 },
    };
    const text = summaryTsv([record]);
    expect(text.split('\n')).toHaveLength(3);
    const cells = text.split('\n')[1]?.split('\t') ?? [];
    expect(cells).toHaveLength(Object.keys(SUMMARY_COLUMNS).length);
    // A number is a number, also one below nothing; all text is guarded.
    expect(cells.filter((cell) => /^[\s"=+@-]/u.test(cell))).toEqual(['-0.5']);
    expect(text).not.toContain('secret-key');
    expect(JSON.parse(summaryJson([record], about)).scans[0].path).toBe(nasty);
  });

  it('counts in JSON, with what was left out, and without pictures and digests of inputs', () => {
    const text = summaryJson(fakeRecords(40), about);
    const { scans, ...rest } = JSON.parse(text);
    expect(scans).toHaveLength(40);
    expect(rest).toEqual({
      format: 1,
      version: '1.2.3',
      title: 'Study',
      method: 'cp-mae',
      layout: 'derivative',
      counts: { scans: 40, failed: 1, refused: 4, begun: 0, done: 35, leftOut: 2 },
      reasons: { 'brain-implausible': 4, internal: 1 },
      warnings: ['w'],
      left: [
        { path: 'sub-1/x', reason: 'a contrast' },
        { path: 'sub-2/x', reason: 'a contrast' },
      ],
    });
    expect(text).not.toMatch(/pictures|digest-of-an-input|iVBOR/);
  });
});

describe('advice', () => {
  it('is there for every reason, and says more than the reason', () => {
    for (const tag of Object.keys({ ...REFUSALS, ...FAILURES })) {
      const { meaning, advice } = adviceFor(tag);
      expect(advice, tag).toMatch(/^[A-Z].{20,}\.$/);
      expect(advice).not.toBe(meaning);
    }
  });

  it.each(['constructor', '__proto__', 'a-later-tag'])(
    'is honest about %s, which it does not know',
    (tag) => {
      expect(adviceFor(tag).meaning).toContain('does not know');
    },
  );
});
