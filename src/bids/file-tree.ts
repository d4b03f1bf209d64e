/**
 * Files in folders, wherever they are: a folder on disk (`node/folder-tree`) or the list that a browser gives of one.
 * Paths are relative to the tree's root, with `/` between names; '' is the root.
 *
 * @example
 * const tree = listedTree([...input.files].map((file) => ({ path: file.webkitRelativePath, file })), ({ file }) => file.arrayBuffer());
 */
export interface TreeEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder';
}

/** Folders and files, wherever they are: on disk, or in the list that a browser gives. */
export interface FileTree {
  /** What a folder holds, sorted by name (by code units: the same order everywhere); none for a folder that is not there. */
  list(folder: string): Promise<readonly TreeEntry[]>;
  /** @throws when the file is not there or cannot be read */
  read(path: string): Promise<Uint8Array>;
}

/** Parts of a path of a tree; empty ones are left out. */
export function joinPath(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('/');
}

export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

export interface ListedFile {
  /** As a browser gives it, the chosen folder first. */
  readonly path: string;
  bytes(): Promise<ArrayBuffer | Uint8Array>;
}

/** The tree of a list of files; the folder that all of them lie in is its root. */
export function listedTree(files: readonly ListedFile[]): FileTree {
  const folders = new Map<string, Map<string, TreeEntry>>([['', new Map()]]);
  const byPath = new Map<string, ListedFile>();
  for (const file of files) {
    const [, ...names] = file.path.split('/').filter((name) => name !== '');
    byPath.set(names.join('/'), file);
    for (const [i, name] of names.entries()) {
      const kind = i === names.length - 1 ? 'file' : 'folder';
      const parent = names.slice(0, i).join('/');
      const entries = folders.get(parent) ?? new Map<string, TreeEntry>();
      entries.set(name, { name, kind });
      folders.set(parent, entries);
    }
  }
  return {
    list: async (folder) => [...(folders.get(folder)?.values() ?? [])].sort(byName),
    async read(path) {
      const file = byPath.get(path);
      if (file === undefined) throw new Error('no such file in the list');
      return new Uint8Array(await file.bytes());
    },
  };
}
