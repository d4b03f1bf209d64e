/**
 * A folder on disk as a file tree.
 *
 * @example
 * const dataset = await readDataset(folderTree('bids'));
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { byName, type FileTree, type TreeEntry } from '../bids/file-tree.js';
import { Refusal } from '../errors/errors.js';
import { codeOf } from './error-code.js';

/** Links are what they lead to: data sets in annex are made of them. */
export function folderTree(root: string): FileTree {
  return {
    async list(folder) {
      let names: string[];
      try {
        names = await readdir(join(root, folder));
      } catch (cause) {
        if (['ENOENT', 'ENOTDIR'].includes(codeOf(cause))) return [];
        throw new Refusal('not-readable', `a folder of the data set cannot be read (${codeOf(cause)})`, {
          cause,
        });
      }
      const entries = await Promise.all(
        names.map(async (name): Promise<TreeEntry | undefined> => {
          const found = await stat(join(root, folder, name)).catch(() => undefined);
          if (found?.isFile() === true) return { name, kind: 'file' };
          return found?.isDirectory() === true ? { name, kind: 'folder' } : undefined;
        }),
      );
      return entries.filter((entry): entry is TreeEntry => entry !== undefined).sort(byName);
    },
    async read(path) {
      try {
        return await readFile(join(root, path));
      } catch (cause) {
        throw new Refusal('not-readable', `a file of the data set cannot be read (${codeOf(cause)})`, {
          cause,
        });
      }
    },
  };
}
