/**
 * What the ruler gets of a session, and what a session makes of the ruler's answer.
 *
 * @example
 * const ruler = await session.environment.loadRuler();
 * tellResult(session, await ruler.scoreStudy(request, rulerHost(session, options)));
 */
import type { RulerHost, RulerResult } from '../node/ruler.js';
import { progressOf } from './progress-of.js';
import type { CommonOptions, Session } from './session.js';

export function rulerHost(
  session: Session,
  options: CommonOptions & { readonly worker?: boolean },
): RulerHost {
  const { environment, signal } = session;
  const { methods, makeHead, extractBrain, startWorker } = environment;
  return {
    signal,
    methods,
    models: session.models,
    makeHead,
    extractBrain,
    networks: (threads, further) => session.networks(threads, further),
    outputs: (outputs) => session.outputs(outputs),
    ...(startWorker === undefined ? {} : { startWorker }),
    stage: session.stage,
    progress: progressOf(session, options.quiet === true),
    // A worker has no words of its own: the process that started it says the same.
    warn: (line) => {
      if (options.worker !== true) session.warn(line);
    },
  };
}

export function tellResult(session: Session, { outputs, checks, results, lines }: RulerResult): void {
  session.facts.outputs.push(...outputs);
  if (checks !== undefined) session.facts.checks = checks;
  if (results !== undefined) session.facts.results = results;
  session.timer.end();
  for (const line of lines) session.say(line);
}
