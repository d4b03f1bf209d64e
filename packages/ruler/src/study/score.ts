/**
 * How often people found the subject: identification rates of a study by method, chance 1 in 5.
 *
 * Three ways to count "uncertain", because the papers do not say which they took: as a guess (the default: 1 in 5,
 * drawn anew as right or wrong in every resample, so that the interval holds the luck of guessing), as wrong, or not
 * at all. Two intervals and more: by answer, as the papers do, which takes answers as independent; by subject,
 * the honest one, as answers about one face depend on each other; by worker where there are several.
 *
 * @example
 * const [first] = scoreStudy(answers);
 * first?.guess.bySubject.low; // 0.17
 */
import { Random, sha256 } from 'prosopon/imaging';
import { bootstrap, type Estimate, sd } from '../statistics/statistics.js';
import type { Answer } from './answers.js';
import { CHOICES } from './design.js';

export const CHANCE = 1 / CHOICES;

/** What an uncertain answer counts as. */
export type UncertainAs = 'guess' | 'wrong' | 'excluded';

/** Rates are 0 to 1; NaN where no answer counts. */
export interface Rate {
  readonly value: number;
  /** 95 % intervals; `n` is the number of subjects, answers, workers resampled. */
  readonly bySubject: Estimate;
  readonly byAnswer: Estimate;
  readonly byWorker: Estimate;
  /** Standard deviation over the resamples by answer: what the papers print beside their rates. */
  readonly sd: number;
}

export interface MethodScore {
  readonly method: string;
  readonly answers: number;
  readonly subjects: number;
  readonly workers: number;
  readonly right: number;
  readonly wrong: number;
  readonly uncertain: number;
  readonly guess: Rate;
  readonly zero: Rate;
  readonly excluded: Rate;
}

interface Tally {
  right: number;
  uncertain: number;
  answers: number;
}

/**
 * One row for each method, in the order of `methods` or of the alphabet. The same answers give the same figures:
 * resampling is seeded by the method's name.
 */
export function scoreStudy(answers: readonly Answer[], methods?: readonly string[]): MethodScore[] {
  const names = methods ?? [...new Set(answers.map(({ method }) => method))].sort();
  return names.map((method) => {
    const own = answers.filter((answer) => answer.method === method);
    const count = (outcome: Answer['outcome']): number => own.filter((a) => a.outcome === outcome).length;
    const random = new Random(sha256(new TextEncoder().encode(`prosopon study score 1\n${method}`)));
    return {
      method,
      answers: own.length,
      subjects: new Set(own.map(({ subject }) => subject)).size,
      workers: new Set(own.map(({ worker }) => worker)).size,
      right: count('right'),
      wrong: count('wrong'),
      uncertain: count('uncertain'),
      guess: rate(own, 'guess', random),
      zero: rate(own, 'wrong', random),
      excluded: rate(own, 'excluded', random),
    };
  });
}

function rate(answers: readonly Answer[], as: UncertainAs, random: Random): Rate {
  const draws: number[] = [];
  const fork = random.fork(as);
  const byAnswer = interval(answers, (_, i) => String(i), as, fork.fork('answer'), draws);
  return {
    value: byAnswer.value,
    bySubject: interval(answers, ({ subject }) => subject, as, fork.fork('subject')),
    byAnswer,
    byWorker: interval(answers, ({ worker }) => String(worker), as, fork.fork('worker')),
    // The first is the rate itself.
    sd: draws.length > 1 ? sd(draws.slice(1)) : Number.NaN,
  };
}

/** Resamples units (a subject's, a worker's or single answers) with all answers that belong to each. */
function interval(
  answers: readonly Answer[],
  unitOf: (answer: Answer, index: number) => string,
  as: UncertainAs,
  random: Random,
  draws: number[] = [],
): Estimate {
  const tallies = new Map<string, Tally>();
  for (const [i, answer] of answers.entries()) {
    const unit = unitOf(answer, i);
    const tally = tallies.get(unit) ?? { right: 0, uncertain: 0, answers: 0 };
    tally.answers++;
    if (answer.outcome === 'right') tally.right++;
    if (answer.outcome === 'uncertain') tally.uncertain++;
    tallies.set(unit, tally);
  }
  const units = [...tallies.values()];
  const guesses = random.fork('guesses');
  let resampled = false;
  const statistic = (sample: Int32Array): number => {
    let [right, uncertain, total] = [0, 0, 0];
    for (const u of sample) {
      const unit = units[u] as Tally;
      right += unit.right;
      uncertain += unit.uncertain;
      total += unit.answers;
    }
    let value: number;
    if (as === 'excluded') value = right / (total - uncertain);
    else if (as === 'wrong') value = right / total;
    else {
      // The rate itself takes the expectation; each resample draws.
      let lucky = 0;
      if (resampled) for (let k = 0; k < uncertain; k++) lucky += guesses.below(CHOICES) === 0 ? 1 : 0;
      else lucky = uncertain / CHOICES;
      value = (right + lucky) / total;
    }
    resampled = true;
    draws.push(value);
    return value;
  };
  return bootstrap(units.length, statistic, random);
}
