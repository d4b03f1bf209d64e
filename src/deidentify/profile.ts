/**
 * A profile of a protocol: how bright the tissues outside the brain are in heads of one site, medians over at least five people,
 * so that a new head looks like its site's while nothing of its owner's complement is read (promise P1: gamma may hold what
 * was measured over at least five heads).
 *
 * @example
 * const profile = profileOf('T1w', levelsOfHeads);          // refuses fewer than five
 * const levels = parseProfile(JSON.parse(text)).levels;
 */
import * as v from 'valibot';
import type { TissueLevels } from '../brain/protocol.js';
import { BODY_TISSUES, type BodyTissue } from '../brain/relaxation.js';
import { Refusal } from '../errors/errors.js';
import { quantile } from '../volume/statistics.js';

/** Fewer, and the median is nearly one person's. */
export const LEAST_HEADS = 5;
/** Two significant digits after the point: more would be somebody's. */
const DIGITS = 2;

const KIND = 'prosopon protocol profile';
const Level = v.pipe(v.number(), v.minValue(0), v.maxValue(20));
const ProfileSchema = v.object({
  kind: v.literal(KIND),
  version: v.literal(1),
  /** BIDS suffix of the images that it was measured on. */
  suffix: v.pipe(v.string(), v.regex(/^[A-Za-z0-9]+$/)),
  /** People. */
  heads: v.pipe(v.number(), v.integer(), v.minValue(LEAST_HEADS)),
  /** In brain levels: 0 air, 1 the brain's median. */
  levels: v.object(
    Object.fromEntries(BODY_TISSUES.map((tissue) => [tissue, Level])) as Record<BodyTissue, typeof Level>,
  ),
});

export type ProtocolProfile = v.InferOutput<typeof ProfileSchema>;

/** @param heads one a person @throws {Refusal} profile-invalid for fewer than {@link LEAST_HEADS} */
export function profileOf(suffix: string, heads: readonly TissueLevels[]): ProtocolProfile {
  if (heads.length < LEAST_HEADS)
    throw new Refusal(
      'profile-invalid',
      `expected at least ${LEAST_HEADS} people whose heads could be measured, found ${heads.length}: a profile of fewer would be of somebody`,
    );
  const levels = {} as Record<BodyTissue, number>;
  for (const tissue of BODY_TISSUES)
    levels[tissue] = Number(
      quantile(
        Float32Array.from(heads, (head) => head[tissue]),
        0.5,
      ).toFixed(DIGITS),
    );
  return { kind: KIND, version: 1, suffix, heads: heads.length, levels };
}

/** @throws {Refusal} profile-invalid */
export function parseProfile(json: unknown): ProtocolProfile {
  const parsed = v.safeParse(ProfileSchema, json);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  throw new Refusal(
    'profile-invalid',
    `expected a profile that prosopon profile wrote, over at least ${LEAST_HEADS} heads; found ${v.getDotPath(issue) ?? 'the file'} without ${issue.expected ?? 'a value of its kind'}`,
  );
}
