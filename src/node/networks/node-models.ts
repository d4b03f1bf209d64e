/**
 * Where models stand on disk, and their descriptions (Node).
 *
 * The folder is `models/` beside the program's own package.json, both in a clone (`src/node/networks/`) and in an
 * installed package (`dist/node/networks/`): three levels up in each. Who brings networks of their own (the ruler) names several
 * folders; the first that has a model is the one it comes from.
 *
 * @example
 * for (const name of await listModels()) console.log((await readModel(name)).description);
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, Refusal } from '../../errors/errors.js';
import { isModelName, type ModelDescription, parseModelDescription } from '../../networks/catalogue.js';

/** One folder of models, or several of which the first that has a model gives it. */
export type ModelFolders = string | readonly string[];

/** The folder of the models that came with this package. */
export function packagedModels(): string {
  return fileURLToPath(new URL('../../../models', import.meta.url));
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function listOf(folders: ModelFolders): readonly string[] {
  return typeof folders === 'string' ? [folders] : folders;
}

/**
 * Names of the models installed, sorted: of folders with a description, as all names are said in messages and another
 * folder's may be a subject's. An absent folder holds none.
 */
export async function listModels(folders: ModelFolders = packagedModels()): Promise<string[]> {
  const names = new Set<string>();
  for (const folder of listOf(folders)) {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return [];
      throw new Failure('model-corrupt', 'the models folder cannot be read', { cause: error });
    });
    for (const { name } of entries.filter((entry) => entry.isDirectory() && isModelName(entry.name)))
      if (existsSync(join(folder, name, 'model.json'))) names.add(name);
  }
  return [...names].sort();
}

/** Folder of a model, whether or not it is there. @throws {Refusal} model-unavailable for a bad name. */
export function modelFolder(name: string, folders: ModelFolders = packagedModels()): string {
  if (!isModelName(name)) {
    throw new Refusal('model-unavailable', 'expected the name of a model, found something else');
  }
  const places = listOf(folders).map((folder) => join(folder, name));
  return places.find((place) => existsSync(join(place, 'model.json'))) ?? places[0] ?? name;
}

/** Path of a model's weights, whether or not they are there. @throws {Refusal} model-unavailable for a bad name. */
export function weightsPath(name: string, folders: ModelFolders = packagedModels()): string {
  return join(modelFolder(name, folders), 'model.onnx');
}

/**
 * Reads and checks `models/NAME/model.json`.
 * @throws {Refusal} model-unavailable when it is not there. @throws {Failure} model-corrupt when it is not valid.
 */
export async function readModel(
  name: string,
  folders: ModelFolders = packagedModels(),
): Promise<ModelDescription> {
  const folder = modelFolder(name, folders);
  let text: string;
  try {
    text = await readFile(join(folder, 'model.json'), 'utf8');
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT', 'ENOTDIR')) {
      throw new Failure('model-corrupt', `models/${name}/model.json cannot be read`, { cause });
    }
    const installed = await listModels(folders);
    const found = installed.length === 0 ? 'none is installed' : `installed are ${installed.join(', ')}`;
    throw new Refusal('model-unavailable', `expected the model ${name}; ${found}`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Failure('model-corrupt', `models/${name}/model.json is not JSON`, { cause });
  }
  return parseModelDescription(json, name);
}

/**
 * Checks that the weights of a model are those that its description names.
 * @throws {Failure} model-corrupt. @throws {Refusal} model-unavailable.
 */
export async function verifyModel(
  name: string,
  folders: ModelFolders = packagedModels(),
): Promise<ModelDescription> {
  const description = await readModel(name, folders);
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(weightsPath(name, folders))) hash.update(chunk as Uint8Array);
  } catch (cause) {
    throw new Refusal('model-unavailable', `the weights of the model ${name} cannot be read`, { cause });
  }
  const found = hash.digest('hex');
  if (found !== description.sha256) throw wrongHash(name, description.sha256, found);
  return description;
}

/** The one sentence for weights that are not those described. */
export function wrongHash(name: string, expected: string, found: string): Failure {
  return new Failure(
    'model-corrupt',
    `the weights of ${name} have SHA-256 ${found.slice(0, 12)}...; model.json names ${expected.slice(0, 12)}...`,
  );
}
