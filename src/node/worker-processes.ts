/**
 * Workers of a batch as processes: each is this very command again with `--worker`, so that options are read in one place, and is
 * told over its channel which piece is next. It ends itself when the process that started it is gone, even by SIGKILL.
 *
 * @example
 * const worker = startWorkerProcess();            // in the first process
 * const outcome = await worker.run({ id: 'head.nii.gz', again: false });
 * await serveTasks((task) => treat(task));        // in the worker
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import * as v from 'valibot';
import type { BatchTask, BatchWorker } from './batch.js';
import type { BatchOutcome } from './batch-state.js';

/** What the first process does alone, or prints. */
const NOT_REPEATED = new Set(['--json', '--quiet', '--forget']);

/** The arguments of a worker, from those of the command. */
export function workerArguments(argv: readonly string[]): string[] {
  return [...argv.filter((argument) => !NOT_REPEATED.has(argument)), '--quiet', '--worker'];
}

/** Threads for the networks of one of `workers` on this machine. */
export function threadsOf(workers: number): number {
  return Math.max(1, Math.floor(availableParallelism() / Math.max(1, workers)));
}

/** There is a worker a core: threads that collect garbage beside it only wait for one another (6 % of a head's CPU time). */
const WORKER_FLAGS = ['--single-threaded-gc'];

/** @param further arguments beside those of this process */
export function startWorkerProcess(further: readonly string[] = []): BatchWorker {
  const [, program = '', ...argv] = process.argv;
  return new ProcessWorker(
    spawn(
      process.execPath,
      [...process.execArgv, ...WORKER_FLAGS, program, ...workerArguments(argv), ...further],
      {
        // What it has to say comes over the channel.
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      },
    ),
  );
}

class ProcessWorker implements BatchWorker {
  readonly #child: ChildProcess;
  readonly #gone: Promise<'killed' | 'ended'>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#gone = new Promise((resolve) => {
      // V8 aborts where its own heap is full.
      child.once('exit', (_, signal) =>
        resolve(signal === 'SIGKILL' || signal === 'SIGABRT' ? 'killed' : 'ended'),
      );
      child.once('error', () => resolve('ended'));
    });
  }

  async run(task: BatchTask): Promise<BatchOutcome | 'killed' | 'ended'> {
    let onMessage: ((message: unknown) => void) | undefined;
    const answer = new Promise<BatchOutcome>((resolve) => {
      // Only a worker that this process started speaks here.
      onMessage = (message) => resolve(message as BatchOutcome);
      this.#child.once('message', onMessage);
    });
    // A worker that died before: its end says so.
    this.#child.send(task, () => undefined);
    const outcome = await Promise.race([answer, this.#gone]);
    if (onMessage !== undefined) this.#child.off('message', onMessage);
    return outcome;
  }

  async stop(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    await this.#gone;
    clearTimeout(late);
  }
}

/** A worker in the middle of a piece wipes its work folder and ends its networks first. */
const PATIENCE_MS = 5000;

const TaskSchema = v.object({ id: v.string(), again: v.boolean(), alone: v.boolean() });

/**
 * In the worker: does what it is told, until the channel closes.
 * @returns whether that was in the middle of a piece, which then has to be given up
 */
export function serveTasks(work: (task: BatchTask) => Promise<BatchOutcome>): Promise<'idle' | 'busy'> {
  return new Promise((resolve, reject) => {
    let turn: Promise<void> = Promise.resolve();
    let state: 'idle' | 'busy' = 'idle';
    process.on('disconnect', () => resolve(state));
    process.on('message', (message) => {
      const task = v.safeParse(TaskSchema, message);
      if (!task.success) return;
      turn = turn.then(async () => {
        state = 'busy';
        const outcome = await work(task.output);
        state = 'idle';
        if (process.connected) process.send?.(outcome);
      });
      turn.catch(reject);
    });
    if (!process.connected) resolve(state);
  });
}
