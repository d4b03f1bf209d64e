/**
 * A method that draws a person's head once: the same conditioning and seed again give the head that is there already.
 *
 * @example
 * const method = rememberingHead(methods.get('cp-mae')); // one for each person
 */
import type { RemodellingMethod, Seed } from '../../methods/method.js';
import type { DrawnHead, DrawnTissues } from '../../methods/tissues.js';

type Remodelling = RemodellingMethod<unknown>;

/** Heads are read and never changed, so one may stand in several images. */
export function rememberingHead(method: Remodelling): Remodelling {
  let last: { readonly gamma: unknown; readonly seed: string; readonly head: DrawnHead } | undefined;
  const synthesize: Remodelling['synthesize'] = async (gamma, seed, context) => {
    const words = textOf(seed);
    if (last !== undefined && last.gamma === gamma && last.seed === words) return last.head;
    const head = withTissuesOnce(await method.synthesize(gamma, seed, context));
    last = { gamma, seed: words, head };
    return head;
  };
  return Object.assign(Object.create(method) as Remodelling, { synthesize });
}

function textOf(seed: Seed): string {
  return [...seed].join(' ');
}

function withTissuesOnce(head: DrawnHead): DrawnHead {
  if (head.tissues === undefined) return head;
  let tissues: Promise<DrawnTissues> | undefined;
  return { ...head, tissues: () => (tissues ??= head.tissues?.() as Promise<DrawnTissues>) };
}
