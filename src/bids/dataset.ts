/**
 * A BIDS data set as it lies in a file tree: subjects, sessions, images with their entities (run, acquisition, ...), what
 * participants.tsv says, derivatives. It reads names and tables, never an image.
 *
 * @example
 * const dataset = await readDataset(folderTree('bids'));
 * const { chosen, left } = firstScans(dataset, 'T1w');
 */
import { requireGiven } from '../errors/require-given.js';
import { type FileTree, joinPath } from './file-tree.js';
import { type BidsName, isEntityFolder, labelIn, parseBidsName } from './names.js';
import { parseTsv } from './tsv.js';

/** An image file of a data set, by what its name says. */
export interface BidsImage extends BidsName {
  /** From the data set's root. */
  readonly path: string;
  /** `sub-01`. */
  readonly subject: string;
  /** `ses-a`; absent where there are none. */
  readonly session?: string;
  /** Folder: `anat`, `func`, ... */
  readonly datatype: string;
}

/** A person: sessions and images in the order of their names. */
export interface BidsSubject {
  /** `sub-01`. */
  readonly id: string;
  /** `ses-a`, ...; empty where images lie in the subject's own folder. */
  readonly sessions: readonly string[];
  /** In the order of sessions, data types and names. */
  readonly images: readonly BidsImage[];
  /** Its line of participants.tsv. */
  readonly participant?: Readonly<Record<string, string>>;
}

/** A data set, or a derivative, which is one too. */
export interface BidsDataset {
  readonly subjects: readonly BidsSubject[];
  /** Names of the folders under `derivatives`. */
  readonly derivatives: readonly string[];
  /** Folders of subjects, and NIfTI files in them, whose names are none of BIDS, or another subject's or session's. */
  readonly unknown: readonly string[];
  readonly tree: FileTree;
}

const NIFTI = /^\.nii(\.gz)?$/i;

/**
 * Reads the names of all files and participants.tsv; no image is opened.
 * @param tree a folder (`folderTree`) or a list of files  @param root of the data set within the tree; a derivative is a data
 *   set of its own
 * @param options `only`: these subjects (`sub-01`), all when absent
 * @returns subjects in order of name; paths are from the tree's root, with `/`
 * @throws {Refusal} not-readable when a folder or participants.tsv cannot be read; a folder that is not there is empty
 */
export async function readDataset(
  tree: FileTree,
  root = '',
  { only }: { readonly only?: ReadonlySet<string> } = {},
): Promise<BidsDataset> {
  requireGiven(tree, 'a tree of files, as folderTree gives it', ['list']);
  const entries = await tree.list(root);
  const people = new Map(
    (await readTable(tree, joinPath(root, 'participants.tsv'))).map((row) => [row.participant_id, row]),
  );
  const subjects: BidsSubject[] = [];
  const unknown: string[] = [];
  for (const { name: id, kind } of entries) {
    if (kind !== 'folder' || !id.startsWith('sub-') || only?.has(id) === false) continue;
    if (!isEntityFolder(id, 'sub')) {
      unknown.push(joinPath(root, id));
      continue;
    }
    const participant = people.get(id);
    const { sessions, images } = await readSubject(tree, root, id, unknown);
    subjects.push({ id, sessions, images, ...(participant === undefined ? {} : { participant }) });
  }
  const derivatives = (await tree.list(joinPath(root, 'derivatives')))
    .filter(({ kind }) => kind === 'folder')
    .map(({ name }) => name);
  return { subjects, derivatives, unknown, tree };
}

async function readSubject(
  tree: FileTree,
  root: string,
  id: string,
  unknown: string[],
): Promise<Pick<BidsSubject, 'sessions' | 'images'>> {
  const folder = joinPath(root, id);
  const sessions = (await tree.list(folder))
    .filter(({ name, kind }) => kind === 'folder' && isEntityFolder(name, 'ses'))
    .map(({ name }) => name);
  const images: BidsImage[] = [];
  for (const session of [undefined, ...sessions]) {
    const within = joinPath(folder, session ?? '');
    for (const { name: datatype, kind } of await tree.list(within)) {
      if (kind !== 'folder' || isEntityFolder(datatype, 'ses')) continue;
      for (const file of await tree.list(joinPath(within, datatype))) {
        if (file.kind !== 'file' || !/\.nii(\.gz)?$/i.test(file.name)) continue;
        const path = joinPath(within, datatype, file.name);
        const name = parseBidsName(file.name);
        const inPlace =
          name !== undefined &&
          NIFTI.test(name.extension) &&
          `sub-${labelIn(name, 'sub')}` === id &&
          labelIn(name, 'ses') === session?.slice('ses-'.length);
        if (inPlace)
          images.push({
            ...name,
            path,
            subject: id,
            datatype,
            ...(session === undefined ? {} : { session }),
          });
        else unknown.push(path);
      }
    }
  }
  return { sessions, images };
}

/** A table of the tree; one that is not there has no rows. */
export async function readTable(tree: FileTree, path: string): Promise<Record<string, string>[]> {
  const [, folder = '', name = ''] = /^(?:(.*)\/)?([^/]*)$/.exec(path) ?? [];
  if (!(await tree.list(folder)).some((entry) => entry.name === name && entry.kind === 'file')) return [];
  return parseTsv(new TextDecoder().decode(await tree.read(path)));
}

/** One scan a person, and what takes no part. */
export interface FirstScans {
  /** One a subject: of its first session, its first by name. */
  readonly chosen: readonly { readonly subject: BidsSubject; readonly image: BidsImage }[];
  /** Further scans of these subjects: other sessions, runs, acquisitions. */
  readonly left: readonly BidsImage[];
  /** As `BidsDataset.unknown`. */
  readonly unknown: readonly string[];
}

/** For whoever wants one head a person, such as a comparison between people. */
export function firstScans(
  { subjects, unknown }: Pick<BidsDataset, 'subjects' | 'unknown'>,
  suffix: string,
): FirstScans {
  const chosen: FirstScans['chosen'][number][] = [];
  const left: BidsImage[] = [];
  for (const subject of subjects) {
    const [image, ...others] = subject.images.filter((i) => i.datatype === 'anat' && i.suffix === suffix);
    if (image === undefined) continue;
    chosen.push({ subject, image });
    left.push(...others);
  }
  return { chosen, left, unknown };
}

/** How much was left out, for a person; undefined when nothing was. Names no file. */
export function sayLeft({ left, unknown }: Pick<FirstScans, 'left' | 'unknown'>): string | undefined {
  const many = (n: number, one: string, more = `${one}s`): string => `${n} ${n === 1 ? one : more}`;
  const people = new Set(left.map(({ subject }) => subject)).size;
  const parts = [
    ...(left.length === 0
      ? []
      : [
          `one scan a subject is taken, the first of the first session: ${many(left.length, 'further scan')} of ${many(people, 'subject')} left out`,
        ]),
    ...(unknown.length === 0
      ? []
      : [
          `${many(unknown.length, 'file or folder', 'files or folders')} left out by names that are none of BIDS, or in the wrong place`,
        ]),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** What says which scan it is of; `space`, `desc`, `label` and the like say what was made of it. */
const OF_THE_SCAN = ['task', 'acq', 'ce', 'rec', 'dir', 'run', 'echo', 'part', 'inv', 'mod'];

/** Of files in one folder, the one that is about this scan: nothing in its name is another scan's, and most is this one's. */
function aboutScan(
  files: readonly { readonly path: string; readonly name: BidsName }[],
  image: BidsImage,
): { readonly path: string; readonly shared: number } | undefined {
  let best: { path: string; shared: number } | undefined;
  for (const { path, name } of files) {
    const pairs = OF_THE_SCAN.map((key) => [labelIn(name, key), labelIn(image, key)] as const);
    if (pairs.some(([theirs, ours]) => theirs !== undefined && theirs !== ours)) continue;
    const shared = pairs.filter(([theirs, ours]) => theirs !== undefined && theirs === ours).length;
    if (best === undefined || shared > best.shared) best = { path, shared };
  }
  return best;
}

async function imagesNamed(
  tree: FileTree,
  folder: string,
  accept: (name: BidsName) => boolean,
): Promise<{ path: string; name: BidsName }[]> {
  return (await tree.list(folder)).flatMap(({ name: file, kind }) => {
    const name = kind === 'file' ? parseBidsName(file) : undefined;
    return name !== undefined && NIFTI.test(name.extension) && accept(name)
      ? [{ path: joinPath(folder, file), name }]
      : [];
  });
}

/**
 * What derivatives hold with this suffix of a scan: same subject and session, nothing in its name that is another scan's. Of
 * several the one that has most in common, then the first by derivative and name.
 */
export async function derivativeOf(
  { tree, derivatives }: Pick<BidsDataset, 'tree' | 'derivatives'>,
  image: BidsImage,
  suffix: string,
): Promise<string | undefined> {
  let best: { path: string; shared: number } | undefined;
  for (const derivative of derivatives) {
    const folder = joinPath('derivatives', derivative, image.subject, image.session ?? '', image.datatype);
    const found = aboutScan(await imagesNamed(tree, folder, (name) => name.suffix === suffix), image);
    if (found !== undefined && (best === undefined || found.shared > best.shared)) best = found;
  }
  return best?.path;
}

/**
 * The mask of a scan's brain (`desc-brain_mask`) in a derivative. Where it names
 * its kind (`mod-T2w`) it is of that; where it does not, of T1-weighted scans, as anatomical pipelines write it.
 * @param tree of the derivative
 */
export async function brainMaskOf(tree: FileTree, image: BidsImage): Promise<string | undefined> {
  const folder = joinPath(image.subject, image.session ?? '', image.datatype);
  const masks = await imagesNamed(
    tree,
    folder,
    (name) =>
      name.suffix === 'mask' &&
      labelIn(name, 'desc') === 'brain' &&
      labelIn(name, 'space') === undefined &&
      (labelIn(name, 'mod') ?? 'T1w') === image.suffix,
  );
  const own = masks.map(({ path, name }) => ({
    path,
    name: { ...name, entities: name.entities.filter(([key]) => key !== 'mod') },
  }));
  return aboutScan(own, image)?.path;
}
