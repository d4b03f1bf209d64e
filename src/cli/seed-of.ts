/**
 * The seed of a run over a folder: from the command line, or from a file, where it is to be in no list of processes.
 *
 * @example
 * const seed = await seedOf({ seedFile: 'site.seed' }); // { seed: 'words of the site' }
 */
import { parseSeed } from '../deidentify/seed.js';
import { Refusal } from '../errors/errors.js';
import { readRegularFile } from '../node/image-files.js';

export interface SeedOptions {
  readonly seed?: string;
  readonly seedFile?: string;
}

/** @throws {Refusal} option-invalid, not-readable */
export async function seedOf({ seed, seedFile }: SeedOptions): Promise<{ seed: string } | undefined> {
  if (seedFile === undefined) return seed === undefined ? undefined : { seed };
  if (seed !== undefined) throw new Refusal('option-invalid', 'expected --seed or --seed-file, found both');
  const text = new TextDecoder().decode(await readRegularFile(seedFile)).trim();
  parseSeed(text);
  return { seed: text };
}
