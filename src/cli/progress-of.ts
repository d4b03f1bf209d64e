/**
 * How far a long command is: on a terminal one line in place; elsewhere a line now and then, so that a log says that it lives.
 *
 * @example
 * const progress = progressOf(session, quiet);
 * progress(3, 20, '3 done'); // 3 of 20: 3 done, about 5 min left
 */
import type { Session } from './session.js';
import { printable } from './terminal.js';

/** Between two lines of a log. */
const LOG_EVERY_MS = 30_000;
/** What was remembered from an earlier run goes by at once and says nothing about the rest. */
const REMEMBERED_MS = 2000;

export function progressOf(
  session: Session,
  quiet: boolean,
): (done: number, total: number, what: string) => void {
  const { stderr } = session.environment;
  const began = performance.now();
  let [first, last] = [Number.NaN, 0];
  return (done, total, what) => {
    if (quiet) return;
    const now = performance.now();
    if (Number.isNaN(first) && now - began > REMEMBERED_MS) first = done;
    const minutes = done > first ? (((now - began) / (done - first)) * (total - done)) / 60_000 : Number.NaN;
    const left =
      Number.isFinite(minutes) && done < total ? `, about ${Math.max(1, Math.round(minutes))} min left` : '';
    if (stderr.isTTY === true)
      stderr.write(`\r\u001b[K${done} of ${total}: ${printable(what)}${left}${done === total ? '\n' : ''}`);
    else if (done === total || now - last > LOG_EVERY_MS) {
      last = now;
      stderr.write(`${done} of ${total}${left}\n`);
    }
  };
}
