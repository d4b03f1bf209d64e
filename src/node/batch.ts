/**
 * Many pieces of work over worker processes: one bad piece never stops the rest, a worker that dies is replaced, and the piece that
 * it died of is tried once more with nothing beside it, as memory is what workers die of. Dead again, it is refused.
 *
 * What is done stands on disk (`batch-state.ts`) before it is told, so that a run that was killed goes on where it was.
 *
 * @example
 * await runBatch(tasks, { workers: 2, startWorker, signal, onOutcome: (id, outcome) => table.add(id, outcome) });
 */
import type { BatchOutcome, BatchState } from './batch-state.js';

/** A process that does one piece at a time. */
export interface BatchWorker {
  /** @returns how the worker has ended, when it did: by the system, as it does when memory runs out, or by itself */
  run(task: BatchTask): Promise<BatchOutcome | 'killed' | 'ended'>;
  /** Ends it. */
  stop(): Promise<void>;
}

/** A worker in this very process, for where no further ones can be started. */
export function workerHere(work: (task: BatchTask) => Promise<BatchOutcome>): BatchWorker {
  return { run: work, stop: async () => undefined };
}

/** One piece of a batch. */
export interface BatchTask {
  readonly id: string;
  /** A run before this one began it and was killed: what stands at its outputs is ours to replace. */
  readonly again: boolean;
  /** Nothing runs beside it, as its process was ended by the system when something did. */
  readonly alone?: boolean;
}

/** How a batch is run. */
export interface BatchOptions {
  /** Pieces at a time. */
  readonly workers: number;
  startWorker(): BatchWorker;
  readonly signal: AbortSignal;
  /** What the outcome of a piece depends on besides its name; asked for just before it is done. */
  key?(id: string): Promise<string>;
  /** Where it is remembered; without it every piece is done. */
  readonly state?: BatchState;
  /** Whether a piece that is remembered as done still stands; true when absent. */
  stands?(id: string): Promise<boolean>;
  onOutcome?(id: string, outcome: BatchOutcome, remembered: boolean): void;
}

const ENDED: BatchOutcome = {
  status: 'failed',
  reason: 'internal',
  message: 'the process that treated it ended by itself; please report it',
};
/** Of what was tried again with nothing beside it. */
export const OUT_OF_MEMORY = {
  status: 'refused',
  reason: 'out-of-memory',
  message:
    'expected enough memory to treat it, found that its process was ended twice, the second time with nothing beside it, as the system does when memory runs out',
} as const satisfies BatchOutcome;

/**
 * @param ids names of the pieces, each once; they are begun in this order
 * @returns outcomes by id, of all pieces; what was refused or failed is an outcome and not an error
 * @throws the reason of an abort; whatever `key`, `stands`, `startWorker` or the state throw (`Refusal` output-unwritable, `Failure` write-failed)
 * @example
 * const worker = { run: async ({ id }) => ({ status: 'done', value: await treat(id) }), stop: async () => undefined };
 * const outcomes = await runBatch(['a', 'b'], { workers: 1, startWorker: () => worker, signal, state: BatchState.open('out') });
 */
export async function runBatch(
  ids: readonly string[],
  options: BatchOptions,
): Promise<ReadonlyMap<string, BatchOutcome>> {
  const outcomes = new Map<string, BatchOutcome>();
  const again: string[] = [];
  const waiting = [...ids];
  await all(Math.max(1, Math.min(options.workers, ids.length)), () =>
    lane(waiting, false, options, outcomes, (id) => again.push(id)),
  );
  // One at a time, and only now: whatever ran beside them is over.
  await lane(again, true, options, outcomes, (id) => settle(id, undefined, OUT_OF_MEMORY, options, outcomes));
  return outcomes;
}

/** Waits for all of them also when one fails: nothing may be at work any more when this is over. */
async function all(count: number, work: () => Promise<void>): Promise<void> {
  const ended = await Promise.allSettled(Array.from({ length: count }, work));
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}

/** Does pieces until none waits, with a worker of its own that is started for the first. */
async function lane(
  waiting: string[],
  alone: boolean,
  options: BatchOptions,
  outcomes: Map<string, BatchOutcome>,
  onDeath: (id: string) => void,
): Promise<void> {
  let worker: BatchWorker | undefined;
  // A piece that is being done is given up.
  const onAbort = (): void => void worker?.stop();
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      options.signal.throwIfAborted();
      const key = (await options.key?.(id)) ?? '';
      const known = options.state?.get(id, key);
      if (known?.outcome !== undefined && known.outcome.status !== 'failed') {
        const stands = known.outcome.status !== 'done' || ((await options.stands?.(id)) ?? true);
        if (stands) {
          outcomes.set(id, known.outcome);
          options.onOutcome?.(id, known.outcome, true);
          continue;
        }
      }
      options.state?.begin(id, key);
      worker ??= options.startWorker();
      const outcome = await worker.run({ id, again: known?.begun === true, alone });
      options.signal.throwIfAborted();
      const killed =
        outcome === 'killed' ||
        (outcome !== 'ended' && outcome.status === 'failed' && outcome.killed === true);
      if (killed || outcome === 'ended') {
        await worker.stop();
        worker = undefined;
      }
      if (killed) onDeath(id);
      else settle(id, key, outcome === 'ended' ? ENDED : outcome, options, outcomes);
    }
  } finally {
    options.signal.removeEventListener('abort', onAbort);
    await worker?.stop();
  }
}

function settle(
  id: string,
  key: string | undefined,
  outcome: BatchOutcome,
  { state, onOutcome }: BatchOptions,
  outcomes: Map<string, BatchOutcome>,
): void {
  // Without a key it is not remembered: the next run may have more memory.
  if (key !== undefined) state?.end(id, key, outcome);
  outcomes.set(id, outcome);
  onOutcome?.(id, outcome, false);
}
