/**
 * Which questions a human study asks: one original head (the query) and five treated heads of ONE method, one of
 * which is the query's; drawn so that neither a method, a subject nor a position is favoured.
 *
 * Balance, exact to the last question that does not divide: every method is asked equally often, overall and by
 * each group of workers; every subject is the query equally often, overall and within each method; the true answer
 * stands equally often in each of the five places, overall and within each method. Distractors are dealt by least
 * use within their method, so that being shown often tells nothing.
 *
 * @example
 * const { questions, pages } = designStudy({
 *   subjects, methods: ['quickshear', 'cp-mae'], questions: 40, workers: 5, answersPerQuestion: 1,
 * }, new Random(seed));
 */
import { Failure, Refusal } from 'prosopon';
import type { Random } from 'prosopon/imaging';

/** Candidates of a question; chance is one in five. */
export const CHOICES = 5;

export interface StudyPlan {
  /** At least five, each with a picture of the original and of every method. */
  readonly subjects: readonly string[];
  readonly methods: readonly string[];
  /** How many each worker answers. */
  readonly questions: number;
  readonly workers: number;
  /** How many workers get the same question (the papers: 5); divides `workers`. */
  readonly answersPerQuestion: number;
}

export interface StudyQuestion {
  /** Eight hexadecimal digits, drawn at random: they tell neither order nor method. */
  readonly id: string;
  readonly method: string;
  /** The subject to be found. */
  readonly query: string;
  /** Five subjects in the order shown. */
  readonly candidates: readonly string[];
  /** Place of the query among the candidates, 1 to 5. */
  readonly answer: number;
}

export interface StudyPageOrder {
  /** From 1. */
  readonly worker: number;
  /** Ids of questions, in the order shown. */
  readonly questions: readonly string[];
}

export interface StudyDesign {
  readonly questions: readonly StudyQuestion[];
  readonly pages: readonly StudyPageOrder[];
}

/**
 * @throws {Refusal} dataset-invalid with fewer than five subjects or without a method; option-invalid when workers
 * cannot be put in groups of `answersPerQuestion`
 */
export function designStudy(plan: StudyPlan, random: Random): StudyDesign {
  checkPlan(plan);
  const groups = plan.workers / plan.answersPerQuestion;
  const methods = shuffled(plan.methods, random);
  const subjects = shuffled(plan.subjects, random);

  // How often each group is asked each method; what does not divide goes round, so that sums stay even as well.
  const nextMethod = roundRobin(methods);
  const counts = Array.from({ length: groups }, () => spread(methods, plan.questions, nextMethod));

  const ids = new Set<string>();
  const usedByGroup = counts.map(() => new Map<string, number>());
  const byGroup: StudyQuestion[][] = counts.map(() => []);
  const nextSubject = roundRobin(subjects);
  const nextPlace = roundRobin(shuffled([1, 2, 3, 4, 5], random));
  for (const method of methods) {
    const total = counts.reduce((sum, count) => sum + (count.get(method) ?? 0), 0);
    const queries = spread(subjects, total, nextSubject);
    const places = shuffled(expand(spread([1, 2, 3, 4, 5], total, nextPlace)), random);
    // Each will be shown as a query in any case; distractors are dealt so that the sums come out even.
    const shown = new Map(queries);
    // In turns, so that no group is left with what the others did not take.
    const turns = counts.flatMap((count, g) =>
      Array.from({ length: count.get(method) ?? 0 }, (_, k) => ({ g, k })),
    );
    for (const { g } of shuffled(turns, random).sort((a, b) => a.k - b.k)) {
      const used = usedByGroup[g] ?? new Map<string, number>();
      const left = subjects.filter((p) => (queries.get(p) ?? 0) > 0);
      const [query] = leastUsed(left, used, 1, random);
      const answer = places.pop();
      if (query === undefined || answer === undefined)
        throw new Failure('internal', 'the study ran out of queries or places before its questions');
      bump(queries, query, -1);
      bump(used, query, 1);
      const others = subjects.filter((p) => p !== query);
      const candidates = leastUsed(others, shown, CHOICES - 1, random);
      for (const p of candidates) bump(shown, p, 1);
      candidates.splice(answer - 1, 0, query);
      byGroup[g]?.push({ id: freshId(ids, random), method, query, candidates, answer });
    }
  }

  const pages = Array.from({ length: plan.workers }, (_, w) => {
    const questions = inOrder(byGroup[Math.floor(w / plan.answersPerQuestion)] ?? [], random);
    return { worker: w + 1, questions: questions.map(({ id }) => id) };
  });
  return { questions: shuffled(byGroup.flat(), random), pages };
}

function checkPlan({ subjects, methods, questions, workers, answersPerQuestion }: StudyPlan): void {
  if (new Set(subjects).size !== subjects.length || new Set(methods).size !== methods.length)
    throw new Failure('internal', 'a study names each subject and each method once');
  if (subjects.length < CHOICES)
    throw new Refusal(
      'dataset-invalid',
      `a question shows ${CHOICES} subjects; expected at least ${CHOICES}, found ${subjects.length}`,
    );
  if (methods.length === 0)
    throw new Refusal('dataset-invalid', 'expected renderings of at least one method, found none');
  if (questions < 1 || workers < 1 || answersPerQuestion < 1 || workers % answersPerQuestion !== 0)
    throw new Refusal(
      'option-invalid',
      `expected a number of workers that ${answersPerQuestion} answers to each question divide, found ${workers}`,
    );
}

/** Hands out the items in turn, for ever. */
function roundRobin<T>(items: readonly T[]): () => T {
  let at = 0;
  return () => items[at++ % items.length] as T;
}

/** `total` shared out evenly; the rest to the next few in turn, never twice to one. */
function spread<T>(items: readonly T[], total: number, next: () => T): Map<T, number> {
  const out = new Map(items.map((item) => [item, Math.floor(total / items.length)]));
  for (let k = 0; k < total % items.length; k++) bump(out, next(), 1);
  return out;
}

function expand<T>(counts: ReadonlyMap<T, number>): T[] {
  return [...counts].flatMap(([item, n]) => Array.from({ length: n }, () => item));
}

function bump<T>(counts: Map<T, number>, item: T, by: number): void {
  counts.set(item, (counts.get(item) ?? 0) + by);
}

/** The `n` items with the lowest counts, ties by lot, in random order. */
function leastUsed(
  items: readonly string[],
  counts: ReadonlyMap<string, number>,
  n: number,
  random: Random,
): string[] {
  // The sort is stable: what was shuffled stays so within one count.
  const sorted = shuffled(items, random).sort((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0));
  return shuffled(sorted.slice(0, n), random);
}

/** Fisher-Yates on a copy. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) swap(out, i, random.below(i + 1));
  return out;
}

function swap<T>(items: T[], i: number, j: number): void {
  [items[i], items[j]] = [items[j] as T, items[i] as T];
}

/** Random, and where possible without one subject as the query twice in a row: memory would answer the second. */
function inOrder(questions: readonly StudyQuestion[], random: Random): StudyQuestion[] {
  const out = shuffled(questions, random);
  const clash = (i: number): boolean =>
    i > 0 && out[i]?.query !== undefined && out[i]?.query === out[i - 1]?.query;
  const clashes = (i: number): number => Number(clash(i)) + Number(clash(i + 1));
  for (let i = 1; i < out.length; i++) {
    if (!clash(i)) continue;
    for (const j of shuffled([...out.keys()], random)) {
      const before = clashes(i) + clashes(j);
      swap(out, i, j);
      if (clashes(i) + clashes(j) < before) break;
      swap(out, i, j);
    }
  }
  return out;
}

function freshId(taken: Set<string>, random: Random): string {
  for (;;) {
    const id = random.word().toString(16).padStart(8, '0');
    if (taken.has(id)) continue;
    taken.add(id);
    return id;
  }
}
