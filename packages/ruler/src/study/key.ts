/**
 * The key of a study: which method, subjects and answer stand behind each question. Whoever runs the study keeps it;
 * no page holds any of it.
 *
 * @example
 * const key = parseKey(await readFile('study/key.json', 'utf8'));
 */

import { Refusal } from 'prosopon';
import * as v from 'valibot';
import { CHOICES } from './design.js';

const Text = v.pipe(v.string(), v.minLength(1));
const Count = v.pipe(v.number(), v.integer(), v.minValue(1));

const StudyKeySchema = v.object({
  format: v.literal('prosopon-study-key'),
  version: v.literal(1),
  /** Hash of all questions and pictures; stands in every line of the answers. */
  study: Text,
  methods: v.pipe(v.array(Text), v.minLength(1)),
  subjects: v.pipe(v.array(Text), v.minLength(CHOICES)),
  questions: v.array(
    v.object({
      id: Text,
      method: Text,
      /** The subject to be found. */
      query: Text,
      candidates: v.pipe(v.array(Text), v.length(CHOICES)),
      /** Place of the query among the candidates, from 1. */
      answer: v.pipe(Count, v.maxValue(CHOICES)),
    }),
  ),
  pages: v.array(v.object({ worker: Count, questions: v.array(Text) })),
});

export type StudyKey = v.InferOutput<typeof StudyKeySchema>;

/** @throws {Refusal} dataset-invalid when the text is not a key, or one that contradicts itself */
export function parseKey(text: string): StudyKey {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Refusal('dataset-invalid', 'expected the key of a study, found a file that is not JSON', {
      cause,
    });
  }
  const result = v.safeParse(StudyKeySchema, json);
  if (!result.success)
    throw new Refusal(
      'dataset-invalid',
      `expected the key of a study, found one whose ${v.getDotPath(result.issues[0]) ?? 'content'} is not as it should be`,
    );
  const key = result.output;
  const ids = new Set(key.questions.map(({ id }) => id));
  const sound =
    ids.size === key.questions.length &&
    key.questions.every(({ query, candidates, answer }) => candidates[answer - 1] === query) &&
    key.pages.every(({ questions }) => questions.every((id) => ids.has(id)));
  if (!sound)
    throw new Refusal('dataset-invalid', 'expected the key of a study, found one that contradicts itself');
  return key;
}
