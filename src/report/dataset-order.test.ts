import { describe, expect, it } from 'vitest';
import type { ScanFigures, ScanRecord } from '../bids/record.js';
import { worstFirst } from './dataset-order.js';

const done = (path: string, figures?: ScanFigures, more: Partial<ScanRecord> = {}): ScanRecord => ({
  path,
  key: '',
  status: 'done',
  ...(figures === undefined ? {} : { figures }),
  ...more,
});
const paths = (records: readonly ScanRecord[]): string[] => worstFirst(records).map(({ path }) => path);

describe('the worst first', () => {
  it('what failed, was refused or never ended comes before results; equals by path', () => {
    const of = (path: string, status: ScanRecord['status']): ScanRecord => ({ path, key: '', status });
    const records = [
      of('d', 'done'),
      of('b', 'begun'),
      of('r', 'refused'),
      of('g', 'failed'),
      of('f', 'failed'),
    ];
    expect(paths(records)).toEqual(['f', 'g', 'r', 'b', 'd']);
  });

  it.each<[keyof ScanFigures, readonly number[]]>([
    ['surfaceMovedMm', [1, 2, 3]],
    ['faceKept', [0.03, 0.02, 0]],
    ['seam', [0.5, 0.2, 0.1]],
    ['maskAgreement', [0.9, 0.95, 0.99]],
  ])('%s alone orders results', (figure, values) => {
    const records = values.map((value, i) => done(`${i}`, { [figure]: value }));
    expect(paths([...records].reverse())).toEqual(['0', '1', '2']);
  });

  it('goes by ranks: a thousandfold value counts no more than the worst of its column', () => {
    const records = [
      done('worst in one', { surfaceMovedMm: 9, seam: 1000 }),
      done('bad in both', { surfaceMovedMm: 1, seam: 0.9 }),
      done('middling', { surfaceMovedMm: 5, seam: 0.2 }),
      done('good', { surfaceMovedMm: 8, seam: 0.1 }),
    ];
    expect(paths(records)).toEqual(['bad in both', 'worst in one', 'middling', 'good']);
  });

  it('a failed check and a copy come before, what could not be measured after the measured', () => {
    const records = [
      done('unmeasured', { brainMl: 1200 }),
      done('measured', { faceKept: 0 }),
      done('copied', undefined, { role: 'copied' }),
      done('check', { faceKept: 0 }, { checks: { grid: { passed: false, value: 'x' } } }),
    ];
    expect(paths(records)).toEqual(['check', 'copied', 'measured', 'unmeasured']);
  });

  it('does not change what it was given', () => {
    const records = Object.freeze([done('b'), done('a')]);
    expect(paths(records)).toEqual(['a', 'b']);
    expect(records.map(({ path }) => path)).toEqual(['b', 'a']);
  });
});
