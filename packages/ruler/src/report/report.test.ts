/** Numbers on the page, in JSON and in the table file; controls that fail take their table with them. */
import { describe, expect, it } from 'vitest';
import { nodeDeflate } from '../../../../src/node/deflate.js';
import { Random } from '../../../../src/volume/random.js';
import { memorisation, nearest } from '../privacy/memorisation.js';
import { overUsable, vectorSimilarity } from '../privacy/similarity.js';
import { failedSegmentation, type SegmentationAgreement } from '../utility/segmentation-agreement.js';
import { formatCell, formatNumber } from './report-format.js';
import { type Attacked, attackBlocks } from './report-identification.js';
import { measureTable } from './report-measures.js';
import { orderedRows, reportPage } from './report-page.js';
import { boxOf, boxPlotSvg, ticks } from './report-plots.js';
import { regionMapFiles } from './report-region-map.js';
import { regionBlocks, segmentationBlocks } from './report-segmentation.js';
import { resultsTsv } from './report-tsv.js';
import { type BoxPlot, type Evaluation, evaluationJson, type RegionMap, type Table } from './results.js';

const random = (): Random => new Random(new Uint32Array(8).fill(1));
const n = 8;
/** Diagonal on top by `own`, everything else by a fixed pattern. */
function scores(own: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, k) => (k % (n + 1) === 0 ? own : ((k * 37) % 101) / 101));
}
const row = (id: string, kind: Attacked['kind'], similarity: Float64Array): Attacked => ({
  id,
  title: id,
  kind,
  n,
  similarity,
});
const attack = (control: Float64Array) =>
  attackBlocks(
    {
      id: 'a',
      title: 'Attack',
      note: 'Note.',
      rows: [row('method', 'method', scores(0.3)), row('again', 'control', control)],
      control: { id: 'again', atLeast: 0.9 },
    },
    random(),
  );

describe('a table of an attacker', () => {
  it('holds controls, shuffled labels and methods, each number with count and interval', () => {
    const [table, roc] = attack(scores(2));
    expect(table).toMatchObject({ kind: 'table', id: 'a' });
    const { rows, note } = table as Table;
    expect(note).toContain('12.5 % at rank 1');
    expect(rows.map((r) => r.id)).toEqual(['method', 'again', 'shuffled']);
    expect(orderedRows(rows).map((r) => r.id)).toEqual(['again', 'shuffled', 'method']);
    expect(rows[1]?.cells.fiveWay).toEqual({ value: 1, low: 1, high: 1, n });
    expect(rows[2]?.cells.fiveWay?.value).toBeCloseTo(0.2, 1);
    for (const r of rows) for (const cell of Object.values(r.cells)) expect(cell?.n).toBe(n);
    expect(roc).toMatchObject({
      kind: 'roc',
      curves: [
        { name: 'method', n },
        { name: 'again', n },
      ],
    });
  });

  it('is not published when the untreated head is not recognised', () => {
    expect(attack(scores(0.3))).toEqual([
      expect.objectContaining({
        kind: 'absent',
        state: 'not published',
        reason: expect.stringContaining('control failed'),
      }),
    ]);
  });

  it('counts a picture that cannot be used as the last, not as a hit', () => {
    const blind = new Float64Array(n * n).fill(Number.NaN);
    const [table] = attackBlocks(
      {
        id: 'a',
        title: 'A',
        note: '',
        rows: [row('again', 'control', scores(2)), row('blind', 'method', blind)],
        control: { id: 'again', atLeast: 0.9 },
      },
      random(),
    );
    const blindRow = (table as Table).rows.find((r) => r.id === 'blind');
    expect(blindRow?.cells.fiveWay?.value).toBeCloseTo(0.2, 6);
    expect(blindRow?.note).toContain('8 pairs without a usable picture');
  });
});

describe('likeness', () => {
  it('of vectors is a product or a distance, and nothing where one is missing', () => {
    const [a, b] = [Float32Array.of(1, 0), Float32Array.of(0.6, 0.8)];
    expect([...vectorSimilarity([a, null], [b, a], 'dot')]).toEqual([
      Math.fround(0.6),
      1,
      Number.NaN,
      Number.NaN,
    ]);
    expect(vectorSimilarity([a], [b], 'distance')[0]).toBeCloseTo(-Math.hypot(0.4, 0.8));
    const spread = overUsable([1, null, 3], [null, 5], (x, y) =>
      Float64Array.from(x.flatMap((u) => y.map((v) => u * v))),
    );
    expect([...spread]).toEqual([Number.NaN, 5, Number.NaN, Number.NaN, Number.NaN, 15]);
  });

  it('to the nearest training face, beside strangers', () => {
    expect(nearest(Float64Array.of(3, 1, Number.NaN, 2), 2)).toEqual([1, 2]);
    const strangers = Float64Array.from({ length: 21 }, (_, i) => 10 + i);
    const found = memorisation(Float64Array.of(5, 30), strangers, 1);
    expect(found.limit).toBe(11);
    expect(found.near).toEqual([1, 0]);
  });
});

const head = (change: number, dice = 0.9): SegmentationAgreement => ({
  tissues: {
    grey: { dice, originalMl: 600, treatedMl: 600 * (1 + change) },
    white: { dice, originalMl: 500, treatedMl: 500 },
    ventricles: { dice, originalMl: 20, treatedMl: 20 },
    brain: { dice, originalMl: 1100, treatedMl: 1100 + 600 * change },
  },
  classes: {
    7: { dice, originalMl: 10, treatedMl: 10 * (1 + change) },
    8: { dice, originalMl: 10, treatedMl: 10 },
  },
});

describe('the tables of segmentation', () => {
  const rows = [
    {
      id: 'm',
      title: 'm',
      kind: 'method' as const,
      heads: [head(0.01), head(0.02), head(0.03), failedSegmentation('exit code 1'), null],
    },
  ];

  it('keep failures out of every mean and count them', () => {
    const [dice, volumes] = segmentationBlocks(rows, 'fixed', random());
    const cells = (dice as Table).rows[0]?.cells;
    expect(cells?.failures).toMatchObject({ value: 0.25, n: 4 });
    expect(cells?.grey).toMatchObject({ value: 0.9, n: 3 });
    expect((dice as Table).rows[0]?.note).toBe('1 x exit code 1');
    expect((volumes as Table).rows[0]?.cells['grey-change']?.value).toBeCloseTo(0.02);
  });

  it('say which regions change in one direction', () => {
    const many = [
      { ...rows[0], heads: Array.from({ length: 10 }, (_, i) => head(0.01 + i / 1000)) },
    ][0] as (typeof rows)[0];
    const [box, map, table] = regionBlocks(
      many,
      new Map([
        [7, 'seven'],
        [8, 'eight'],
      ]),
      'again',
      random(),
    );
    expect(box).toMatchObject({ kind: 'box', groups: [{ name: 'seven' }, { name: 'eight' }] });
    // Another segmenter's seven may lie anywhere.
    expect(map).toMatchObject({
      kind: 'absent',
      id: 'regions-map-again-m',
      reason: expect.stringContaining('"seven" is none of them'),
    });
    const [first, second] = (table as Table).rows;
    expect(first?.title).toBe('seven');
    expect(first?.cells.p?.value).toBeCloseTo(2 / 1024);
    expect(first?.cells.holm?.value).toBeCloseTo(4 / 1024);
    expect(first?.cells.grows).toEqual({ value: 1, n: 10 });
    expect(second?.cells.p?.value).toBe(1);
    expect((table as Table).note).toContain('1 of 2 change consistently');
  });

  it('map the regions of our own segmentation, with the same figures as the table', () => {
    const [, map, table] = regionBlocks(mapped, ventricles, 'fixed', random());
    expect(map).toMatchObject({
      kind: 'region-map',
      id: 'regions-map-fixed-m',
      method: 'm',
      changes: [
        { id: 7, consistent: true, n: 10 },
        { id: 8, change: 0, consistent: false, n: 10 },
      ],
    });
    expect((map as RegionMap).changes[0]?.change).toBe((table as Table).rows[0]?.cells.change?.value);
    expect((map as RegionMap).changes[0]?.change).toBeCloseTo(0.0145);
    const wrongNumbers = new Map([
      [7, 'left-lateral-ventricle'],
      [8, 'right-lateral-ventricle'],
    ]);
    expect(regionBlocks(mapped, wrongNumbers, 'fixed', random())[1]?.kind).toBe('absent');
  });
});

const mapped: Parameters<typeof regionBlocks>[0] = {
  id: 'm',
  title: 'm',
  kind: 'method',
  heads: Array.from({ length: 10 }, (_, i) => head(0.01 + i / 1000)),
};
const ventricles = new Map([
  [7, 'right-lateral-ventricle'],
  [8, 'left-lateral-ventricle'],
]);

const evaluation: Evaluation = {
  format: 'prosopon evaluation 1',
  version: '0.0.0',
  command: 'prosopon evaluate <b>',
  models: [{ name: 'net', version: '1.0.0', sha256: 'ab' }],
  cohort: { n: 3, splits: ['val'], refused: [{ reason: 'no brain', count: 1 }] },
  options: { resolution: 128 },
  sections: [
    {
      id: 's',
      title: 'S & T',
      about: 'About.',
      blocks: [
        measureTable(
          {
            id: 't',
            title: 'T',
            note: '',
            columns: [
              { id: 'x', title: 'x', unit: 'years', statistic: 'mean' },
              { id: 'top', title: 'top', unit: 'MB', statistic: 'highest' },
            ],
            rows: [
              { id: 'm', title: 'm', kind: 'method', values: { x: [1, 2, Number.NaN], top: [5, 9] } },
              { id: 'none', title: 'none', kind: 'control', values: {} },
            ],
          },
          random(),
        ),
        { kind: 'absent', id: 'gone', title: 'Gone', state: 'not measured', reason: 'network missing' },
        {
          kind: 'box',
          id: 'b',
          title: 'Box',
          unit: 'years',
          groups: [{ name: 'm', values: [1, 2, 3, 50] }],
          marks: [0],
        },
      ],
    },
  ],
};

describe('the report', () => {
  it('shows count and interval with every number, reasons where there are none, and no markup of the input', () => {
    const html = reportPage(evaluation, []);
    expect(html).toContain('+1.50<span class="interval">+1.00 to +2.00, n = 2</span>');
    expect(html).toContain('9<span class="interval">n = 2</span>');
    expect(html).toContain('Not measured: network missing');
    expect(html).toContain('S &amp; T');
    expect(html).not.toContain('<b>');
    expect(html).not.toMatch(/<script|http:|https:/);
    expect(html).toContain('1 head not used: no brain');
    expect(html).not.toContain('ORIGINAL faces');
    // A name in a plot, the one place where markup would come in by another way.
    const plot: BoxPlot = {
      kind: 'box',
      id: 'p',
      title: '<i>',
      unit: 'mm',
      groups: [{ name: '<u>"', values: [1, 2] }],
    };
    const drawn = reportPage(
      { ...evaluation, sections: [{ id: 's', title: '', about: '', blocks: [plot] }] },
      [],
    );
    expect(drawn).toContain('&lt;u>&quot; (2)');
    expect(drawn).toContain('aria-label="&lt;i>"');
    expect(drawn).not.toMatch(/<[iu]>/);
    // Every number cell of a table has its n.
    for (const cell of html.match(/<td>.*?<\/td>/g) ?? [])
      if (!cell.includes('<code>')) expect(cell).toContain('n = ');
  });

  it('warns when it shows faces', () => {
    const html = reportPage(evaluation, [
      { title: 'sub-1', pictures: [{ name: 'original', png: Uint8Array.of(1) }] },
    ]);
    expect(html).toContain('ORIGINAL faces');
    expect(html).toContain('data:image/png;base64,AQ==');
  });

  it('draws the maps of regions on the page and as one file a method', () => {
    const blocks = (['fixed', 'again'] as const).flatMap((arm) =>
      regionBlocks(mapped, ventricles, arm, random()),
    );
    const sections = [{ id: 's', title: 'S', about: '', blocks }];
    const html = reportPage({ ...evaluation, sections }, [], nodeDeflate);
    const pictures = html.match(
      /<figure class="map"><img alt="[^"]+" src="data:image\/png;base64,[^"]+"\/?>/g,
    );
    expect(pictures).toHaveLength(2);
    expect(html).toContain('Map of regions, m, brain mask extracted again');
    expect(html).toContain('n = 10; white: none');
    expect(html).toContain('the 1 of 2 regions that change consistently');
    expect(html).not.toContain('ORIGINAL faces');
    const files = regionMapFiles(sections, nodeDeflate);
    expect([...files.keys()]).toEqual(['region-map-m.png']);
    expect([...(files.get('region-map-m.png') ?? []).slice(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);
    expect(regionMapFiles(evaluation.sections, nodeDeflate).size).toBe(0);
    // The picture is the page's: JSON has the figures alone.
    expect(evaluationJson({ ...evaluation, sections })).toContain('"consistent": true');
    expect(evaluationJson({ ...evaluation, sections })).not.toContain('base64');
  });

  it('is the same as JSON and as a table', () => {
    const json = JSON.parse(evaluationJson(evaluation));
    expect(json.sections[0].blocks[0].rows[0].cells.x).toEqual({ value: 1.5, low: 1, high: 2, n: 2 });
    const lines = resultsTsv(evaluation).trimEnd().split('\n');
    expect(lines[1]).toBe('s\tt\tm\tmethod\tx\tyears\t1.5\t1\t2\t2\tn/a');
    expect(lines[3]).toContain('not measured: network missing');
    expect(new Set(lines.map((line) => line.split('\t').length))).toEqual(new Set([11]));
  });

  it('formats numbers as people read them', () => {
    expect(formatCell({ value: 0.25, low: 0.1, high: 0.4, n: 18 }, 'percent')).toBe(
      '25.0 % (10.0 to 40.0), n = 18',
    );
    expect(formatNumber(-0.0001, 'years')).toBe('0.00');
    expect(formatNumber(Number.NaN, 'mm')).toBe('none');
  });

  it('draws boxes by Tukey and round ticks', () => {
    expect(boxOf([1, 2, 3, 4, 100])).toEqual({ low: 1, q1: 2, median: 3, q3: 4, high: 4 });
    expect(ticks(0, 1)).toEqual([0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]);
    expect(
      boxPlotSvg({ kind: 'box', id: 'x', title: 'x', unit: 'mm', groups: [{ name: 'a', values: [] }] }),
    ).toBeUndefined();
  });
});
