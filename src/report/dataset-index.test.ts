/** The file itself: that nothing in it breaks out, what it holds and what not. What it does is tested in a browser. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ScanRecord } from '../bids/record.js';
import { type DatasetIndexContent, datasetIndexPage } from './dataset-index.js';
import { fakeRecords } from './testing/fake-records.js';

const content = (
  records: readonly ScanRecord[],
  more: Partial<DatasetIndexContent> = {},
): DatasetIndexContent => ({
  title: 'Study',
  version: '1.2.3',
  method: 'cp-mae',
  layout: 'derivative',
  records,
  left: [],
  warnings: [],
  ...more,
});

/** Elements named script as an HTML reader finds them: each ends at the first `</script`. */
function scriptsOf(page: string): { readonly attributes: string; readonly text: string }[] {
  return [...page.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script/gi)].map(
    ([, attributes = '', text = '']) => ({
      attributes,
      text,
    }),
  );
}
const dataOf = (page: string) =>
  JSON.parse(scriptsOf(page).find(({ attributes }) => attributes.includes('id="data"'))?.text ?? '');
const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

const NASTY = [
  '<script>alert(1)</script>',
  '</script><img src=x onerror=alert(1)>',
  '<!--<script>',
  '</noscript><b>',
  '</title></style>',
  `"'\`&lt;`,
  '\u2028\u2029\ufeff\0',
  '\ud800',
  '$& $1',
];

describe('the page of a data set', () => {
  it('lets no text of a record become markup or end a script', () => {
    const pageOf = (one: string, two: string): string => {
      const record: ScanRecord = {
        path: one,
        key: '',
        status: 'refused',
        reason: two,
        message: one,
        output: two,
        warnings: [one, two],
        checks: { [two]: { passed: false, value: one } },
        pictures: { [`view ${one}`]: 'AAAA', front: two },
      };
      const more = {
        title: two,
        method: one,
        layout: two,
        warnings: [one],
        left: [{ path: one, reason: two }],
      };
      return datasetIndexPage(content([record], more));
    };
    const tagsOf = (page: string) => page.match(/<[a-z/!][^\s>]*/gi);
    const harmless = tagsOf(pageOf('a', 'b'));
    const text = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(text, text, (one, two) => {
        const page = pageOf(one, two);
        // Every tag, also within scripts, is one of ours, whatever was put in.
        expect(tagsOf(page)).toEqual(harmless);
        expect(dataOf(page).rows[0]).toMatchObject({
          path: one,
          reason: two,
          message: one,
          warnings: [one, two],
        });
      }),
      { numRuns: 60 },
    );
  });

  it('shows hostile text as text', () => {
    const path = '<script>alert(1)</script>';
    const page = datasetIndexPage(content([{ path, key: '', status: 'begun' }], { title: path }));
    expect(page).toContain('<title>&lt;script>alert(1)&lt;/script>: Prosopon</title>');
    expect(page).toContain('<td>&lt;script>alert(1)&lt;/script></td>');
    expect(page).not.toContain(path);
    expect(page).toContain(String.raw`\u003cscript>alert(1)\u003c/script>`);
  });

  it('may run its own script and style by their hashes, and load nothing', () => {
    const page = datasetIndexPage(content(fakeRecords(3)));
    const [policy = ''] = /(?<=Content-Security-Policy" content=")[^"]*/.exec(page) ?? [];
    const [style = ''] = /(?<=<style>)[\s\S]*?(?=<\/style>)/.exec(page) ?? [];
    const script = scriptsOf(page).find(({ attributes }) => attributes === '')?.text ?? '';
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      'img-src data:',
      `style-src ${hash(style)}`,
      `script-src ${hash(script)}`,
      "form-action 'none'",
      "base-uri 'none'",
    ]);
    expect(page).not.toMatch(/https?:|\b(?:src|href)=|\son\w+=|style="/);
  });

  it('holds no digest of an input, and pictures only as base64 in blocks of their own', () => {
    const records = fakeRecords(8);
    const page = datasetIndexPage(
      content([...records, { path: 'p', key: 'k', status: 'done', pictures: { front: 'x" onload="' } }]),
    );
    expect(page).not.toMatch(/digest-of-an-input|onload/);
    const { rows } = dataOf(page);
    const pictured = records.filter(({ pictures }) => pictures !== undefined);
    for (const { path, pictures } of pictured) {
      const at = rows.findIndex((row: ScanRecord) => row.path === path);
      const block = scriptsOf(page).find(({ attributes }) => attributes.includes(`id="pictures-${at}"`));
      expect(JSON.parse(block?.text ?? '')).toEqual(pictures);
      expect(rows[at].pictures).toEqual(['front', 'left', 'slice']);
    }
    expect(scriptsOf(page)).toHaveLength(2 + pictured.length);
  });

  it('leaves out the pictures of the best scans where all would be too much, and says so', () => {
    const records = fakeRecords(20);
    const all = datasetIndexPage(content(records));
    expect(all).not.toContain('are shown without');
    const size = Object.values(records[0]?.pictures ?? {}).join('').length;
    const some = datasetIndexPage(content(records), { pictureBudget: 5.9 * size });
    expect(some).toContain('the last 12 scans in order of # are shown without');
    const { rows } = dataOf(some);
    const pictured = rows.map((row: { pictures: string[] }) => row.pictures.length > 0);
    // Worst first: three that were not treated, then results.
    expect(pictured).toEqual(Array.from({ length: 20 }, (_, i) => i >= 3 && i < 8));
  });

  it('is kept apart from another by a digest, which pictures change too', () => {
    const records = fakeRecords(2);
    const digest = (of: readonly ScanRecord[]): string => dataOf(datasetIndexPage(content(of))).digest;
    const [first, ...rest] = records;
    expect(digest(records)).toBe(digest([...records].reverse()));
    expect(digest([{ ...(first as ScanRecord), pictures: { front: 'AAAA' } }, ...rest])).not.toBe(
      digest(records),
    );
    expect(digest(records)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('says why and what to try, what was left out, and stands as a plain table without a script', () => {
    const left = [
      { path: 'sub-1/dwi/b', reason: 'not treated' },
      { path: 'sub-1/dwi/a', reason: 'not treated' },
    ];
    const page = datasetIndexPage(content(fakeRecords(14), { left, warnings: ['one', 'two'] }));
    expect(page).toContain(
      '14 scans: 11 done, 2 refused, 1 failed. Prosopon 1.2.3, method cp-mae, layout derivative.',
    );
    expect(page).toMatch(
      /brain-implausible<\/th><td>2 scans .*<td>what was found is not a plausible brain<\/td><td>Look at the image/,
    );
    expect(page).toMatch(/2 files left out.*not treated: 2 files.*sub-1\/dwi\/a.*sub-1\/dwi\/b/);
    expect(page).toContain('2 warnings on the data set');
    const [plain = ''] = /<noscript>.*<\/noscript>/s.exec(page) ?? [];
    expect(plain.match(/<tr>/g)).toHaveLength(15);
    expect(plain).toContain('refused: brain-implausible: expected a brain, found none');
    expect(plain).not.toContain('<img');
  });

  it('of nothing is still a page', () => {
    expect(datasetIndexPage(content([]))).toContain('0 scans: 0 done.');
  });
});
