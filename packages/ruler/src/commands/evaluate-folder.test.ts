/** What an evaluation does to its output folder: only to what is its own, one run at a time, originals for their owner alone. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockFolder } from '../../../../src/node/lock.js';
import {
  at,
  brains,
  fakeWorker,
  makeCohort,
  put,
  removeCohort,
  results,
  run,
} from './testing/cohort-fixture.js';

beforeAll(makeCohort);
afterAll(removeCohort);

describe('the output folder of an evaluation', { timeout: 240_000 }, () => {
  it('touches no folder or report that is not its own, and forgets only when told', async () => {
    const quick = ['--methods', 'blank', '--sections', 'times', '--subjects', '1,2', '--json'];
    const tag = async (...more: string[]): Promise<string> =>
      JSON.parse((await run('own', [...quick, ...more])).out).reason ?? 'done';
    const own = (name: string): string => at('own', name);
    await put('own/private/thesis.txt', 'thesis');
    await put('own/private/README', 'mine');
    for (const more of [[], ['--force'], ['--forget']]) expect(await tag(...more)).toBe('output-exists');
    expect(await readFile(own('private/thesis.txt'), 'utf8')).toBe('thesis');
    expect(await readFile(own('private/README'), 'utf8')).toBe('mine');
    await rm(own('private'), { recursive: true });
    await put('own/report.html', 'my report');
    expect(await tag()).toBe('output-exists');
    expect(await tag('--force')).toBe('done');
    expect(await tag()).toBe('done');
    // Another command's report stays, and what was measured is not measured again when it is replaced.
    const other = ['--seed', 'another'];
    const report = await readFile(own('report.html'), 'utf8');
    expect(await tag(...other)).toBe('output-exists');
    expect(await readFile(own('report.html'), 'utf8')).toBe(report);
    brains.asked = 0;
    expect(await tag(...other, '--force')).toBe('done');
    expect(brains.asked).toBe(0);
    expect(await tag(...other, '--forget')).toBe('done');
    expect(brains.asked).toBe(2);
    const lock = lockFolder(at('own'));
    expect(await tag(...other)).toBe('output-in-use');
    lock.release();
    expect((await readdir(at('own'))).sort()).toEqual([
      'private',
      'report.html',
      'results.json',
      'results.tsv',
    ]);
  });

  it('keeps pictures of originals for their owner alone', async () => {
    const args = ['--methods', 'blank', '--sections', 'brain-age', '--subjects', '1,2', '--renderings'];
    expect((await run('pictures', [...args, '--show-heads', '1'])).code).toBe(0);
    const mode = async (name: string): Promise<number> => (await stat(at('pictures', name))).mode & 0o777;
    expect(await mode('renderings/original')).toBe(0o700);
    expect(await mode('renderings/original/sub-1.png')).toBe(0o600);
    expect(await mode('report.html')).toBe(0o600);
  });

  it('does pieces in workers, and what a worker could not do itself', async () => {
    const args = ['--methods', 'blank', '--sections', 'times', '--jobs', '2'];
    const told: string[] = [];
    expect((await run('workers', args, { startWorker: () => fakeWorker(told) })).code).toBe(0);
    expect(told.sort()).toEqual(['main 0', 'main 1', 'main 2', 'main 3', 'main 4']);
    expect((await results('workers')).cohort.n).toBe(5);
  });
});
