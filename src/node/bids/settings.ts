/**
 * What a run over a data set was asked for, as far as the plan depends on it, kept in the work folder: the group level, and every
 * later run on the same output, plan by it.
 *
 * @example
 * keepSettings(places.work, settings); // throws Refusal when the output was made with others
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { Refusal } from '../../errors/errors.js';
import { codeOf } from '../error-code.js';
import { putFile } from './disk.js';

const SettingsSchema = v.object({
  layout: v.picklist(['raw', 'derivative']),
  method: v.string(),
  copy: v.array(v.string()),
  columns: v.array(v.string()),
  keys: v.array(v.string()),
  filter: v.optional(v.unknown()),
  dates: v.picklist(['remove', 'shift']),
  defaceMask: v.boolean(),
  name: v.optional(v.string()),
  sourceUri: v.optional(v.string()),
});

export type Settings = v.InferOutput<typeof SettingsSchema>;

const NAME = 'settings.json';

/** Undefined where there are none, or damaged ones. */
export function readSettings(work: string): Settings | undefined {
  try {
    const parsed = v.safeParse(SettingsSchema, JSON.parse(readFileSync(join(work, NAME), 'utf8')));
    return parsed.success ? parsed.output : undefined;
  } catch (error) {
    if (['ENOENT', 'unknown error'].includes(codeOf(error))) return undefined;
    throw error;
  }
}

/** @throws {Refusal} option-invalid when earlier runs had another layout or method: a data set has one */
export function keepSettings(work: string, settings: Settings): void {
  const before = readSettings(work);
  for (const [key, name] of [
    ['layout', '--layout'],
    ['method', '--method'],
  ] as const)
    if (before !== undefined && before[key] !== settings[key])
      throw new Refusal(
        'option-invalid',
        `expected ${name} ${before[key]}, as this output was begun with it, found ${settings[key]}; a data set has one, take another output folder`,
      );
  putFile(join(work, NAME), JSON.stringify(settings));
}
