/**
 * How a piece of a batch ended whose work threw: in the words and tags of the program, for the batch's state.
 *
 * @example
 * try { await treat(scan); } catch (error) { return badEnd(session, error); }
 */
import type { BadEnd } from '../node/batch-state.js';
import { wasKilled } from '../node/networks/node-runner.js';
import { outcomeOf } from './outcome.js';
import type { Session } from './session.js';

/** @throws the reason of an interruption, which ends the batch and not the piece */
export function badEnd(session: Session, error: unknown): BadEnd {
  session.signal.throwIfAborted();
  const { status, reason = 'internal', message = '', trace } = outcomeOf(error, false);
  if (status !== 'failed') return { status: 'refused', reason, message };
  return {
    status,
    reason,
    message,
    ...(wasKilled(error) ? { killed: true } : {}),
    ...(trace === undefined ? {} : { trace }),
  };
}
