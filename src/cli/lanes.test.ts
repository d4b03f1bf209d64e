import { describe, expect, it } from 'vitest';
import { laneArguments } from './lanes.js';

describe('lanes', () => {
  it('are the same command, quiet, and never forget what another lane has done', () => {
    const argv = ['evaluate', 'bids', 'out', '--methods', 'a,b', '--force', '--json', '--jobs', '2'];
    expect(laneArguments(argv, 1, 2)).toEqual([
      'evaluate',
      'bids',
      'out',
      '--methods',
      'a,b',
      '--jobs',
      '2',
      '--quiet',
      '--lane',
      '1/2',
    ]);
  });
});
