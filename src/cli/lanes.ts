/**
 * Further processes for a long command: each is the same command again with `--lane K/N`, does every N-th piece of the work
 * and leaves it where this process will find it. One process computes on one core whatever is left to networks.
 *
 * A lane that fails leaves its work undone; the first process does it itself, and meets the same error with words.
 *
 * @example
 * const lanes = startLanes(2); // one further process: --lane 1/2
 * await lanes.finished;
 */
import { type ChildProcess, spawn } from 'node:child_process';

export interface Lanes {
  /** When all have ended, however they ended. */
  readonly finished: Promise<void>;
  /** Ends those that still run. */
  stop(): void;
}

/** What the first process does alone, or prints. */
const NOT_REPEATED = new Set(['--force', '--json', '--quiet']);

/** The arguments of lane `index` of `count`, from those of this process. */
export function laneArguments(argv: readonly string[], index: number, count: number): string[] {
  return [
    ...argv.filter((argument) => !NOT_REPEATED.has(argument)),
    '--quiet',
    '--lane',
    `${index}/${count}`,
  ];
}

/** Lanes 1 to `count` - 1 of this very command. */
export function startLanes(count: number): Lanes {
  const [, program = '', ...argv] = process.argv;
  const children = Array.from({ length: count - 1 }, (_, i) =>
    // Its input is a pipe that closes when this process ends, even by SIGKILL: `endWithParent`.
    spawn(process.execPath, [...process.execArgv, program, ...laneArguments(argv, i + 1, count)], {
      stdio: ['pipe', 'ignore', 'ignore'],
    }),
  );
  return {
    finished: Promise.all(children.map(ended)).then(() => undefined),
    stop: () => {
      for (const child of children) child.kill('SIGTERM');
    },
  };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
}

/** For a lane: ends when the process that started it is gone. */
export function endWithParent(abort: () => void): void {
  process.stdin.on('end', abort).on('error', abort).resume();
  process.stdin.unref?.();
}
