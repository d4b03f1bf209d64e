/**
 * A JSON file that an option names.
 *
 * @example
 * const sidecar = await readJson(options.acquisition, 'acquisition-invalid');
 */
import { Refusal, type RefusalTag } from '../errors/errors.js';
import { readRegularFile } from '../node/image-files.js';

/**
 * @param tag of the refusal of a file that is no JSON  @param where which file, for its sentence
 * @throws {Refusal} `tag`, not-readable, too-large
 */
export async function readJson(path: string, tag: RefusalTag, where = ''): Promise<unknown> {
  const bytes = await readRegularFile(path);
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new Refusal(tag, `expected a JSON file${where}, found one that is none`, { cause });
  }
}
