/**
 * Errors of networks on their way from the process or worker that runs them: ours arrive as what they were.
 *
 * @example
 * throw reviveError(reply.error, 'brain-extraction');
 */
import { FAILURES, Failure, type FailureTag, REFUSALS, Refusal, type RefusalTag } from '../errors/errors.js';

export interface WireError {
  readonly kind: string;
  readonly tag: string;
  readonly message: string;
}

export function wireError(error: unknown): WireError {
  if (error instanceof Refusal || error instanceof Failure)
    return { kind: error.kind, tag: error.tag, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { kind: 'failure', tag: 'network-failed', message };
}

/** @param name of the network, which the message will tell */
export function reviveError(error: WireError, name: string): Refusal | Failure {
  if (error.kind === 'refusal' && error.tag in REFUSALS)
    return new Refusal(error.tag as RefusalTag, error.message);
  const tag = error.tag in FAILURES ? (error.tag as FailureTag) : 'network-failed';
  return new Failure(tag, error.message.includes(name) ? error.message : `${name}: ${error.message}`);
}
