/** Batches with workers that die, pieces that are bad, and runs that were killed: nothing is lost, nothing done twice. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BatchOptions, type BatchTask, type BatchWorker, runBatch } from './batch.js';
import { type BatchOutcome, BatchState, STATE_NAME } from './batch-state.js';
import { threadsOf, workerArguments } from './worker-processes.js';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'batch-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const DONE: BatchOutcome = { status: 'done', value: null };
const REFUSED: BatchOutcome = { status: 'refused', reason: 'no-signal', message: 'expected a signal' };
type Behaviour = 'ends' | 'done' | 'refused' | 'failed' | 'dies' | 'dies once' | 'killed network';

/** Workers that behave as told, and what they saw. */
function workshop(behaviour: (id: string) => Behaviour) {
  const tried: BatchTask[] = [];
  const beside = new Map<string, number>();
  let running = 0;
  let started = 0;
  const startWorker = (): BatchWorker => {
    started++;
    let dead = false;
    return {
      async run(task) {
        if (dead) throw new Error('asked of a dead worker');
        tried.push(task);
        running++;
        await new Promise((resolve) => setTimeout(resolve, 1));
        beside.set(task.id, running - 1);
        running--;
        const how = behaviour(task.id);
        const before = tried.filter(({ id }) => id === task.id).length - 1;
        if (how === 'dies' || (how === 'dies once' && before === 0)) {
          dead = true;
          return 'killed';
        }
        if (how === 'ends') {
          dead = true;
          return 'ended';
        }
        if (how === 'killed network') return { status: 'failed', reason: 'x', message: 'y', killed: true };
        if (how === 'refused') return REFUSED;
        return how === 'failed' ? { status: 'failed', reason: 'internal', message: 'z' } : DONE;
      },
      stop: async () => undefined,
    };
  };
  return { startWorker, tried, beside, started: () => started };
}
const signal = new AbortController().signal;
const options = (more: Partial<BatchOptions> & Pick<BatchOptions, 'startWorker'>): BatchOptions => ({
  workers: 2,
  signal,
  ...more,
});

describe('a batch', () => {
  it('ends each piece by what it is, whatever became of the others', async () => {
    const kinds = ['ends', 'done', 'refused', 'failed', 'dies', 'dies once', 'killed network'] as const;
    const expected: Readonly<Record<Behaviour, string>> = {
      ends: 'internal',
      done: 'done',
      refused: 'no-signal',
      failed: 'internal',
      dies: 'out-of-memory',
      'dies once': 'done',
      'killed network': 'out-of-memory',
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (list, workers) => {
          const shop = workshop((id) => list[Number(id)] as Behaviour);
          const ids = list.map((_, i) => String(i));
          const outcomes = await runBatch(ids, options({ ...shop, workers }));
          expect(ids.map((id) => outcomes.get(id))).toEqual(
            list.map((kind) =>
              expect.objectContaining(
                expected[kind] === 'done' ? { status: 'done' } : { reason: expected[kind] },
              ),
            ),
          );
          // A second try has the machine to itself.
          for (const [i, kind] of list.entries())
            if (['dies', 'dies once', 'killed network'].includes(kind)) {
              expect(shop.beside.get(String(i))).toBe(0);
              expect(shop.tried.filter(({ id }) => id === String(i))).toHaveLength(2);
            }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('goes on where it was: what ended is told, what was begun is done again as ours, the rest is done', async () => {
    const first = BatchState.open(dir);
    first.begin('a', 'k');
    first.end('a', 'k', DONE);
    first.begin('b', 'k');
    first.begin('c', 'k');
    first.end('c', 'k', REFUSED);
    first.begin('d', 'k');
    first.end('d', 'k', { status: 'failed', reason: 'internal', message: 'x' });
    first.begin('gone', 'k');
    first.end('gone', 'k', DONE);
    first.begin('changed', 'other');
    first.end('changed', 'other', DONE);
    // Killed in the middle of a line.
    appendFileSync(join(dir, STATE_NAME), '{"id":"e","key":"k","outc');
    const shop = workshop(() => 'done');
    const told: [string, boolean][] = [];
    const outcomes = await runBatch(
      ['a', 'b', 'c', 'd', 'e', 'gone', 'changed'],
      options({
        ...shop,
        workers: 1,
        key: async () => 'k',
        state: BatchState.open(dir),
        stands: async (id) => id !== 'gone',
        onOutcome: (id, _, remembered) => told.push([id, remembered]),
      }),
    );
    expect(shop.tried).toEqual([
      { id: 'b', again: true, alone: false },
      { id: 'd', again: false, alone: false },
      { id: 'e', again: false, alone: false },
      { id: 'gone', again: false, alone: false },
      { id: 'changed', again: false, alone: false },
    ]);
    expect(told.filter(([, remembered]) => remembered).map(([id]) => id)).toEqual(['a', 'c']);
    expect(outcomes.get('c')).toEqual(REFUSED);
    const after = BatchState.open(dir);
    for (const id of ['a', 'b', 'd', 'e', 'gone', 'changed'])
      expect(after.get(id, 'k')).toEqual({ begun: false, outcome: DONE });
    expect(BatchState.open(dir, { forget: true }).get('a', 'k')).toBeUndefined();
  });

  it('reads no file of others as its state', () => {
    writeFileSync(join(dir, STATE_NAME), 'my notes\nof the week\n');
    expect(() => BatchState.open(dir)).toThrow(expect.objectContaining({ tag: 'output-exists' }));
    expect(readFileSync(join(dir, STATE_NAME), 'utf8')).toBe('my notes\nof the week\n');
  });

  it('stops when told, and what was done stays known', async () => {
    const controller = new AbortController();
    const shop = workshop(() => 'done');
    const run = runBatch(
      ['a', 'b', 'c'],
      options({
        ...shop,
        workers: 1,
        signal: controller.signal,
        state: BatchState.open(dir),
        onOutcome: () => controller.abort(new Error('enough')),
      }),
    );
    await expect(run).rejects.toThrow('enough');
    expect(shop.tried.map(({ id }) => id)).toEqual(['a']);
    expect(BatchState.open(dir).get('a', '')).toEqual({ begun: false, outcome: DONE });
  });
});

describe('a worker process', () => {
  it('is the same command, quiet, and forgets nothing', () => {
    const argv = ['evaluate', 'bids', 'out', '--methods', 'a,b', '--forget', '--json', '--jobs', '2'];
    expect(workerArguments(argv)).toEqual([
      ...['evaluate', 'bids', 'out', '--methods', 'a,b', '--jobs', '2', '--quiet', '--worker'],
    ]);
  });

  it('has its share of the cores, and one at least', () => {
    expect(threadsOf(1000)).toBe(1);
    expect(threadsOf(1)).toBeGreaterThanOrEqual(1);
  });
});
