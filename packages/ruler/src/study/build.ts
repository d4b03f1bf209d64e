/**
 * From renderings to a human study: one offline page for each worker, and the key that scores them. The pages hold
 * pictures under random names and nothing else; subjects, methods and answers stand in the key alone.
 *
 * @example
 * const { key, pages } = buildStudy(renderings, { questions: 40, workers: 5, answersPerQuestion: 1 }, seed);
 */
import { Refusal } from 'prosopon';
import { hex, Random, sha256 } from 'prosopon/imaging';
import { CHOICES, designStudy, type StudyDesign, type StudyPlan } from './design.js';
import type { StudyKey } from './key.js';
import { studyPage } from './page.js';
import { type CleanPng, cleanPng } from './png-clean.js';

/** PNG files by subject; the names are the user's and stay in the key. */
export type Pictures = ReadonlyMap<string, Uint8Array>;

export interface Renderings {
  /** The untreated heads, from another view than the treated ones. */
  readonly queries: Pictures;
  readonly methods: ReadonlyMap<string, Pictures>;
}

export interface Study {
  readonly key: StudyKey;
  readonly pages: readonly { readonly worker: number; readonly html: string }[];
}

/**
 * Same renderings, options and seed: same bytes.
 * @throws {Refusal} dataset-invalid: fewer than five subjects, a picture that is missing, no PNG, of another size,
 * or the very picture of its query; option-invalid: as `designStudy`
 */
export function buildStudy(
  renderings: Renderings,
  options: Omit<StudyPlan, 'subjects' | 'methods'>,
  seed: Uint32Array,
): Study {
  const random = new Random(seed).fork('human study');
  const subjects = [...renderings.queries.keys()].sort();
  const methods = [...renderings.methods.keys()].sort();
  checkComplete(renderings, subjects);
  const design = designStudy({ subjects, methods, ...options }, random.fork('design'));
  const queries = cleanAll(renderings.queries);
  const treated = new Map([...renderings.methods].map(([method, of]) => [method, cleanAll(of)]));
  checkPictures(queries, treated);

  const id = idOf(design, queries, treated);
  const names = new PictureNames(random.fork('pictures'));
  const byId = new Map(design.questions.map((question) => [question.id, question]));
  const pages = design.pages.map(({ worker, questions }) => {
    const pictures = new Map<string, Uint8Array>();
    const name = (set: string, of: ReadonlyMap<string, CleanPng> | undefined, subject: string): string => {
      const picture = names.of(set, subject);
      const png = of?.get(subject);
      if (png !== undefined) pictures.set(picture, png.bytes);
      return picture;
    };
    const shown = questions.map((questionId) => {
      const { method = '', query = '', candidates = [] } = byId.get(questionId) ?? {};
      return {
        id: questionId,
        query: name('query', queries, query),
        candidates: candidates.map((subject) => name(`method ${method}`, treated.get(method), subject)),
      };
    });
    return { worker, html: studyPage({ study: id, worker, questions: shown, pictures }) };
  });
  const key: StudyKey = {
    format: 'prosopon-study-key',
    version: 1,
    study: id,
    methods,
    subjects,
    questions: design.questions.map((question) => ({ ...question, candidates: [...question.candidates] })),
    pages: design.pages.map(({ worker, questions }) => ({ worker, questions: [...questions] })),
  };
  return { key, pages };
}

function checkComplete({ queries, methods }: Renderings, subjects: readonly string[]): void {
  if (subjects.length < CHOICES)
    throw new Refusal(
      'dataset-invalid',
      `a question shows ${CHOICES} subjects; expected originals of at least ${CHOICES}, found ${subjects.length}`,
    );
  for (const [method, of] of methods) {
    const missing = subjects.filter((subject) => !of.has(subject)).length;
    if (missing > 0)
      throw new Refusal(
        'dataset-invalid',
        `expected a rendering of each of the ${subjects.length} subjects by ${method}, found ${missing} missing`,
      );
    const strange = [...of.keys()].filter((subject) => !queries.has(subject)).length;
    if (strange > 0)
      throw new Refusal(
        'dataset-invalid',
        `expected the original of every subject, found ${strange} renderings by ${method} without one`,
      );
  }
}

function cleanAll(pictures: Pictures): Map<string, CleanPng> {
  return new Map([...pictures].map(([subject, bytes]) => [subject, cleanPng(bytes)]));
}

function checkPictures(
  queries: ReadonlyMap<string, CleanPng>,
  treated: ReadonlyMap<string, ReadonlyMap<string, CleanPng>>,
): void {
  // A picture of a size of its own is known again by its size.
  const sizes = new Set(
    [queries, ...treated.values()].flatMap((of) => [...of.values()].map((p) => `${p.width} x ${p.height}`)),
  );
  if (sizes.size > 1)
    throw new Refusal(
      'dataset-invalid',
      `expected renderings of one size, found ${sizes.size}: ${[...sizes].sort().slice(0, 3).join(', ')} pixels`,
    );
  for (const [method, of] of treated) {
    const same = [...of].filter(([subject, png]) => equal(png.bytes, queries.get(subject)?.bytes)).length;
    if (same > 0)
      throw new Refusal(
        'dataset-invalid',
        `expected originals from another view than the candidates, found ${same} pictures of ${method} that are the original itself`,
      );
  }
}

function equal(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** What ties answers to their key: a hash of all questions and pictures. */
function idOf(
  design: StudyDesign,
  queries: ReadonlyMap<string, CleanPng>,
  treated: ReadonlyMap<string, ReadonlyMap<string, CleanPng>>,
): string {
  const digest = (of: ReadonlyMap<string, CleanPng>): string[] =>
    [...of].sort(([a], [b]) => (a < b ? -1 : 1)).map(([subject, png]) => subject + hex(sha256(png.bytes)));
  const text = JSON.stringify([
    design,
    digest(queries),
    [...treated].sort(([a], [b]) => (a < b ? -1 : 1)).map(([method, of]) => [method, digest(of)]),
  ]);
  return hex(sha256(new TextEncoder().encode(text))).slice(0, 16);
}

/** Random names, the same for the same picture. */
class PictureNames {
  readonly #random: Random;
  readonly #names = new Map<string, string>();
  readonly #taken = new Set<string>();

  constructor(random: Random) {
    this.#random = random;
  }

  of(set: string, subject: string): string {
    const key = JSON.stringify([set, subject]);
    let name = this.#names.get(key);
    while (name === undefined || (!this.#names.has(key) && this.#taken.has(name)))
      name = this.#random.word().toString(16).padStart(8, '0');
    this.#names.set(key, name);
    this.#taken.add(name);
    return name;
  }
}
