import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../../../src/volume/random.js';
import { CHOICES, designStudy, type StudyPlan, type StudyQuestion } from './design.js';

const random = (seed: number): Random => new Random(Uint32Array.of(seed, 2, 3, 4, 5, 6, 7, 8));
const named = (letter: string, n: number): string[] => Array.from({ length: n }, (_, i) => `${letter}${i}`);

const plans = fc
  .record({
    subjects: fc.integer({ min: 5, max: 20 }).map((n) => named('p', n)),
    methods: fc.integer({ min: 1, max: 8 }).map((n) => named('m', n)),
    questions: fc.integer({ min: 1, max: 60 }),
    groups: fc.integer({ min: 1, max: 5 }),
    answersPerQuestion: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ groups, ...plan }): StudyPlan => ({ ...plan, workers: groups * plan.answersPerQuestion }));

/** Most minus least often, over all that could occur. */
function unevenness<T>(items: readonly T[], of: readonly T[]): number {
  const counts = of.map((value) => items.filter((item) => item === value).length);
  return Math.max(...counts) - Math.min(...counts);
}

const anyStudy = (check: (plan: StudyPlan, study: ReturnType<typeof designStudy>) => void): void =>
  fc.assert(
    fc.property(plans, fc.nat(), (plan, seed) => {
      check(plan, designStudy(plan, random(seed)));
    }),
    { numRuns: 40 },
  );

describe('designStudy', () => {
  it('asks real questions: five different subjects, the query among them where the answer says', () => {
    anyStudy((plan, { questions }) => {
      expect(questions).toHaveLength((plan.questions * plan.workers) / plan.answersPerQuestion);
      expect(new Set(questions.map(({ id }) => id)).size).toBe(questions.length);
      const real = ({ query, candidates, answer, method }: StudyQuestion): boolean =>
        new Set(candidates).size === CHOICES &&
        candidates[answer - 1] === query &&
        candidates.every((p) => plan.subjects.includes(p)) &&
        plan.methods.includes(method);
      expect(questions.filter((question) => !real(question))).toEqual([]);
    });
  });

  it('is balanced to one question: methods, queries and places, overall and within each method', () => {
    anyStudy((plan, { questions }) => {
      const places = [1, 2, 3, 4, 5];
      const balanced = (of: readonly StudyQuestion[]): void => {
        expect(
          unevenness(
            of.map((q) => q.query),
            plan.subjects,
          ),
        ).toBeLessThanOrEqual(1);
        expect(
          unevenness(
            of.map((q) => q.answer),
            places,
          ),
        ).toBeLessThanOrEqual(1);
      };
      expect(
        unevenness(
          questions.map((q) => q.method),
          plan.methods,
        ),
      ).toBeLessThanOrEqual(1);
      balanced(questions);
      for (const method of plan.methods) balanced(questions.filter((q) => q.method === method));
    });
  });

  it('gives every worker each method equally often, and every question to as many workers as asked', () => {
    anyStudy((plan, { questions, pages }) => {
      const byId = new Map(questions.map((q) => [q.id, q]));
      expect(pages.map(({ worker }) => worker)).toEqual(
        Array.from({ length: plan.workers }, (_, i) => i + 1),
      );
      for (const page of pages) {
        expect(new Set(page.questions).size).toBe(plan.questions);
        const methods = page.questions.map((id) => byId.get(id)?.method ?? '');
        expect(unevenness(methods, plan.methods)).toBeLessThanOrEqual(1);
      }
      const asked = pages.flatMap((page) => page.questions);
      const times = questions.map(({ id }) => asked.filter((other) => other === id).length);
      expect(times.every((n) => n === plan.answersPerQuestion)).toBe(true);
    });
  });

  it('shows no subject much more often than another, so that being shown tells nothing', () => {
    const plan = {
      subjects: named('p', 18),
      methods: named('m', 8),
      questions: 40,
      workers: 5,
      answersPerQuestion: 1,
    };
    const { questions, pages } = designStudy(plan, random(1));
    for (const method of plan.methods) {
      const shown = questions.filter((q) => q.method === method).flatMap((q) => q.candidates);
      expect(unevenness(shown, plan.subjects)).toBeLessThanOrEqual(2);
    }
    const byId = new Map(questions.map((q) => [q.id, q.query]));
    for (const page of pages) {
      const queries = page.questions.map((id) => byId.get(id));
      expect(unevenness(queries, plan.subjects)).toBeLessThanOrEqual(2);
      expect(queries.some((query, i) => query === queries[i + 1])).toBe(false);
    }
  });

  it('repeats with a seed and differs with another', () => {
    const plan = {
      subjects: named('p', 9),
      methods: named('m', 2),
      questions: 10,
      workers: 2,
      answersPerQuestion: 1,
    };
    expect(designStudy(plan, random(1))).toEqual(designStudy(plan, random(1)));
    expect(designStudy(plan, random(1))).not.toEqual(designStudy(plan, random(2)));
  });

  it.each([
    [{ subjects: named('p', 4) }, 'at least 5, found 4'],
    [{ methods: [] }, 'at least one method, found none'],
    [{ workers: 4, answersPerQuestion: 3 }, 'found 4'],
  ])('refuses what cannot be asked: %o', (change, message) => {
    const plan = { subjects: named('p', 5), methods: ['m'], questions: 1, workers: 1, answersPerQuestion: 1 };
    expect(() => designStudy({ ...plan, ...change }, random(1))).toThrow(message);
  });
});
