/**
 * What has become of each piece of a batch, on disk: a line when it begins, a line when it ends, synced before anybody is told.
 * A run that is killed leaves at most half a line, which the next one does not read.
 *
 * @example
 * const state = BatchState.open('out');
 * state.begin('head.nii.gz', key); state.end('head.nii.gz', key, { status: 'done', value: report });
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { Failure, Refusal } from '../errors/errors.js';
import { codeOf } from './error-code.js';

const OutcomeSchema = v.variant('status', [
  /** `value`: what its worker told, for reports. */
  v.object({ status: v.literal('done'), value: v.unknown() }),
  v.object({ status: v.literal('refused'), reason: v.string(), message: v.string() }),
  v.object({
    status: v.literal('failed'),
    reason: v.string(),
    message: v.string(),
    /** By the system, as it does when memory runs out. */
    killed: v.optional(v.boolean()),
    trace: v.optional(v.string()),
  }),
]);

/** How a piece ended. */
export type BatchOutcome = v.InferOutput<typeof OutcomeSchema>;
/** How a piece ended that did not end well. */
export type BadEnd = Exclude<BatchOutcome, { status: 'done' }>;

const LineSchema = v.object({ id: v.string(), key: v.string(), outcome: v.optional(OutcomeSchema) });
type Line = v.InferOutput<typeof LineSchema>;

export const STATE_NAME = '.prosopon-state.jsonl';

export interface Known {
  /** It was begun under this key and nothing is known of its end. */
  readonly begun: boolean;
  readonly outcome?: BatchOutcome;
}

export class BatchState {
  readonly #file: string;
  readonly #lines = new Map<string, Line>();

  private constructor(file: string) {
    this.#file = file;
  }

  /**
   * @param folder of the results  @param options `forget`: begin anew
   * @throws {Refusal} output-exists when something else stands at the name of the state
   */
  static open(folder: string, { forget = false }: { readonly forget?: boolean } = {}): BatchState {
    const state = new BatchState(join(folder, STATE_NAME));
    if (!existsSync(state.#file)) return state;
    const text = readFileSync(state.#file, 'utf8').split('\n');
    for (const [i, line] of text.entries()) {
      const parsed = parseLine(line);
      if (parsed !== undefined) state.#lines.set(parsed.id, parsed);
      else if (i < text.length - 1 && i === 0)
        throw new Refusal(
          'output-exists',
          `expected ${STATE_NAME} in the output folder to be that of an earlier run, found another file`,
        );
    }
    // What follows half a line begins a line of its own.
    if (text.at(-1) !== '') state.#append('');
    if (forget) state.#lines.clear();
    return state;
  }

  get(id: string, key: string): Known | undefined {
    const line = this.#lines.get(id);
    if (line === undefined || line.key !== key) return undefined;
    return line.outcome === undefined ? { begun: true } : { begun: false, outcome: line.outcome };
  }

  /** @throws {Failure} write-failed */
  begin(id: string, key: string): void {
    this.#put({ id, key });
  }

  /** @throws {Failure} write-failed */
  end(id: string, key: string, outcome: BatchOutcome): void {
    this.#put({ id, key, outcome });
  }

  #put(line: Line): void {
    this.#append(JSON.stringify(line));
    this.#lines.set(line.id, line);
  }

  #append(line: string): void {
    try {
      const handle = openSync(this.#file, 'a', 0o600);
      try {
        writeSync(handle, `${line}\n`);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
    } catch (cause) {
      throw new Failure('write-failed', `the state of the run could not be written (${codeOf(cause)})`, {
        cause,
      });
    }
  }
}

function parseLine(line: string): Line | undefined {
  try {
    const parsed = v.safeParse(LineSchema, JSON.parse(line));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
