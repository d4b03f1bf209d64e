import { describe, expect, it } from 'vitest';
import { peakMemoryMb, progressLine, StageTimer } from './progress.js';

describe('StageTimer', () => {
  it('adds up the seconds of each stage in order', () => {
    let now = 0;
    const timer = new StageTimer(undefined, () => now);
    timer.begin('read');
    now = 1500;
    timer.begin('write');
    now = 2000;
    timer.begin('read');
    now = 2250;
    timer.end();
    now = 9000;
    timer.end();
    expect(timer.seconds).toEqual({ read: 1.75, write: 0.5 });
  });
});

describe('progressLine', () => {
  const written = (isTTY: boolean, quiet: boolean): string => {
    let text = '';
    const show = progressLine({ isTTY, write: (t) => (text += t) }, quiet);
    show('brain');
    show(undefined);
    return text;
  };
  it('writes on a terminal only, and never when quiet', () => {
    expect(written(true, false)).toContain('brain');
    expect(written(false, false)).toBe('');
    expect(written(true, true)).toBe('');
  });
});

it('knows the peak memory', () => {
  expect(peakMemoryMb()).toBeGreaterThan(10);
});
