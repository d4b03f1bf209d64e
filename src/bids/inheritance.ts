/**
 * What an image's JSON sidecars say together, by the inheritance principle of BIDS: a sidecar in the image's folder or one above it,
 * with the same suffix and no entity that the image has not, holds for it; the nearer one, and of one folder the one with more
 * entities, goes before.
 *
 * @example
 * const { values, unreadable } = await inheritedSidecar(tree, image); // values.RepetitionTime
 */
import type { BidsImage } from './dataset.js';
import { type FileTree, joinPath } from './file-tree.js';
import { type BidsName, labelIn, parseBidsName } from './names.js';

export interface InheritedSidecar {
  readonly values: Readonly<Record<string, unknown>>;
  /** How many of them are no JSON objects. */
  readonly unreadable: number;
}

export async function inheritedSidecar(tree: FileTree, image: BidsImage): Promise<InheritedSidecar> {
  const values: Record<string, unknown> = {};
  let unreadable = 0;
  for (const path of await inheritedFiles(tree, image, '.json')) {
    const parsed = parseObject(await tree.read(path));
    if (parsed === undefined) unreadable++;
    else Object.assign(values, parsed);
  }
  return { values, unreadable };
}

/** Files of an extension that hold for an image, the farthest first. */
export async function inheritedFiles(tree: FileTree, image: BidsImage, extension: string): Promise<string[]> {
  const found: string[] = [];
  const folders = ['', image.subject, image.session, image.datatype];
  let folder = '';
  for (const [depth, part] of folders.entries()) {
    if (part === undefined) continue;
    folder = joinPath(folder, part);
    // A whole data set's root may hold thousands of folders, and is listed once a tree (`cachedTree`).
    const names = (await tree.list(folder))
      .filter(({ kind, name }) => kind === 'file' && name.endsWith(extension))
      .map(({ name }) => ({ file: name, name: parseBidsName(name) }))
      .filter((each): each is { file: string; name: BidsName } => each.name !== undefined)
      .filter(({ name }) => name.extension === extension && holdsFor(name, image, depth === 0))
      .sort((a, b) => a.name.entities.length - b.name.entities.length);
    found.push(...names.map(({ file }) => joinPath(folder, file)));
  }
  return found;
}

function holdsFor(name: BidsName, image: BidsImage, atRoot: boolean): boolean {
  return (
    name.suffix === image.suffix &&
    name.entities.every(([key, label]) => labelIn(image, key) === label) &&
    !(atRoot && labelIn(name, 'sub') !== undefined)
  );
}

/** Undefined for what is no JSON object. */
export function parseObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes).replace(/^\ufeff/, ''));
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** A tree whose folders are listed once, and whose files at the root, which hold for everybody, are read once. */
export function cachedTree(tree: FileTree): FileTree {
  const list = once((folder) => tree.list(folder));
  const atRoot = once((path) => tree.read(path));
  return { list, read: (path) => (path.includes('/') ? tree.read(path) : atRoot(path)) };
}

function once<T>(find: (path: string) => Promise<T>): (path: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (path) => {
    const found = known.get(path) ?? find(path);
    known.set(path, found);
    return found;
  };
}
