/**
 * What the builders of the report's sections share: the numbers gathered, and which rows a table has.
 *
 * @example
 * for (const variant of mainVariants(input)) rows.push(...treatedIndices(input.gathered, variant.name));
 */
import type { Random } from 'prosopon/imaging';
import type { Instruments } from '../run/instruments.js';
import type { EvaluateOptions } from '../run/plan.js';
import type { Gathered } from '../run/run.js';
import type { ShapeScores } from '../run/shape-scores.js';
import { ORIGINAL, type Variant } from '../run/variants.js';

/** What every section builder gets. */
export interface SectionInput {
  readonly gathered: Gathered;
  readonly options: EvaluateOptions;
  readonly instruments: Instruments;
  readonly random: Random;
  readonly scores: ShapeScores;
}

/** Subjects of a row: those whom the method did not refuse. */
export function treatedIndices(gathered: Gathered, variant: string): number[] {
  const row = gathered.results.get(variant) ?? [];
  return gathered.subjects
    .map((_, i) => i)
    .filter((i) => row[i] !== undefined && row[i]?.refused === undefined);
}

export function refusalNote(gathered: Gathered, variant: string): { note?: string } {
  const refused = (gathered.results.get(variant) ?? []).filter((m) => m?.refused !== undefined).length;
  return refused === 0 ? {} : { note: `${refused} heads refused by the method, in no rate` };
}

/** Rows of the main tables: controls and the methods' first draws. */
export function mainVariants({ gathered, options }: Pick<SectionInput, 'gathered' | 'options'>): Variant[] {
  const methods = options.methods.map(({ name }) => name);
  return gathered.variants.filter(
    ({ kind, name }) => name !== ORIGINAL.name && (kind !== 'method' || methods.includes(name)),
  );
}
