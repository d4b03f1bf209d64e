/**
 * How a command ends: exit code, the sentence on stderr, the object of `--json`. Nothing here prints a file name, a
 * path or the message of an error that is not ours: any of them may name the subject (promise P4).
 *
 * @example
 * const outcome = outcomeOf(error); // { code: 1, status: 'refused', reason: 'mask-mismatch', message: '...' }
 */
import { CommanderError } from 'commander';
import { Failure, isRefusal, Refusal } from '../errors/errors.js';
import { codeOf } from '../node/error-code.js';

export type Status = 'done' | 'refused' | 'usage' | 'failed' | 'interrupted';

export interface Outcome {
  readonly code: 0 | 1 | 2 | 3 | 130;
  readonly status: Status;
  /** Tag of the refusal or failure. */
  readonly reason?: string;
  readonly message?: string;
  /** For stderr after the message: where it happened, for a report of the defect. */
  readonly trace?: string;
}

/** Thrown through the abort signal on SIGINT and SIGTERM. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

export const DONE: Outcome = { code: 0, status: 'done' };

export function outcomeOf(error: unknown, interrupted: boolean): Outcome {
  // Whatever an abort makes fail on its way, the reason is the interruption.
  if (interrupted || error instanceof Interrupted)
    return { code: 130, status: 'interrupted', message: 'interrupted; nothing was written' };
  // The same as what the parser finds: whoever wrote the command line has to change it.
  if (isRefusal(error, 'option-invalid'))
    return { code: 2, status: 'usage', reason: error.tag, message: error.message };
  if (error instanceof Refusal)
    return { code: 1, status: 'refused', reason: error.tag, message: error.message };
  // Commander has said on stderr what is wrong; asking for help or the version is no error.
  if (error instanceof CommanderError)
    return error.exitCode === 0 ? DONE : { code: 2, status: 'usage', reason: error.code };
  if (error instanceof Failure)
    return { code: 3, status: 'failed', reason: error.tag, message: error.message, trace: traceOf(error) };
  return {
    code: 3,
    status: 'failed',
    reason: 'internal',
    message: `an unexpected error (${nameOf(error)}); please report it with the lines below`,
    trace: traceOf(error),
  };
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = codeOf(error);
  return code === 'unknown error' ? error.constructor.name : `${error.constructor.name} ${code}`;
}

/** Deep chains of causes are defects of their own. */
const MOST_CAUSES = 5;

/**
 * The frames of an error and its causes, by allow-list: function, file within the package, line. Messages are left
 * out, and so is every path outside the package (a frame of Node's own is `node:...`).
 */
export function traceOf(error: unknown): string {
  const lines: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current instanceof Error && depth < MOST_CAUSES; depth++) {
    lines.push(depth === 0 ? nameOf(current) : `caused by ${nameOf(current)}`);
    for (const line of (current.stack ?? '').split('\n')) {
      const frame = /^\s+at (?:(async )?([\w.#<>[\] $]+) \()?(\S*?)(:\d+:\d+)\)?$/.exec(line);
      if (frame === null) continue;
      const [, , name = '', file = '', position = ''] = frame;
      const within = /(?:^|\/)((?:dist|src|bin|node_modules)\/[\w./@-]+)$/.exec(file)?.[1];
      const place = file.startsWith('node:') ? file : within;
      if (place !== undefined) lines.push(`    at ${name === '' ? '' : `${name} `}${place}${position}`);
    }
    current = current.cause;
  }
  return lines.join('\n');
}
