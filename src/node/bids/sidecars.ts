/**
 * The files that go with a result: its JSON sidecar, made anew by allow-list, and of copied diffusion and perfusion images the
 * tables of numbers and words without which they are of no use.
 *
 * @example
 * const { files, sequence, left } = await sidecarsOf(tree, planned, options);
 */
import { join } from 'node:path';
import type { BidsImage } from '../../bids/dataset.js';
import { deidentificationKeys, derivativeKeys } from '../../bids/describe.js';
import type { FileTree } from '../../bids/file-tree.js';
import { inheritedFiles, inheritedSidecar } from '../../bids/inheritance.js';
import { labelIn } from '../../bids/names.js';
import { aslContextOf, beside, defaceMaskOf, type Layout, type PlannedImage } from '../../bids/plan.js';
import { safeSidecar, sayable } from '../../bids/sidecar.js';
import { readAcquisition } from '../../deidentify/acquisition.js';
import type { ScanContrast } from '../../deidentify/paint.js';
import { VERSION } from '../../deidentify/version.js';
import { isRefusal } from '../../errors/errors.js';

export interface SidecarOptions {
  readonly layout: Layout;
  readonly method: string;
  readonly removes: boolean;
  /** Further keys that the user wants. */
  readonly keys: readonly string[];
  /** The output data set. */
  readonly output: string;
}

export interface Sidecars {
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  /** How the image was made, where its sidecars say it. */
  readonly scan: ScanContrast;
  readonly warnings: readonly string[];
}

/** Suffixes that say what an image's contrast is. */
const CONTRASTS: Readonly<Record<string, ScanContrast['contrast']>> = {
  T1w: 't1w',
  T2w: 't2w',
  FLAIR: 'flair',
  PDw: 'pdw',
  T2starw: 't2w',
};

const TREATED = 'Head MRI in which everything but the brain was replaced or removed';
const COPIED = 'Voxels as they were; the header was made anew';

export async function sidecarsOf(
  tree: FileTree,
  planned: PlannedImage,
  options: SidecarOptions,
  copied = false,
): Promise<Sidecars> {
  const { image, output } = planned;
  const { values, unreadable } = await inheritedSidecar(tree, image);
  // The name of a task is in the name of the file, and comes from there.
  const { TaskName: _, ...others } = values;
  const { kept, left } = safeSidecar(others, options.keys);
  const warnings: string[] = [];
  if (unreadable > 0)
    warnings.push(`${unreadable} of its sidecars ${unreadable === 1 ? 'is' : 'are'} no JSON and left out`);
  if (left.length > 0) {
    const named = sayable(left);
    const more = left.length - named.length;
    warnings.push(`left out of the sidecar: ${[...named, ...(more > 0 ? [`${more} more`] : [])].join(', ')}`);
  }
  const task = labelIn(image, 'task');
  const sidecar = {
    ...kept,
    ...(task === undefined ? {} : { TaskName: task }),
    ...(options.layout === 'raw' ? {} : derivativeKeys(image.path, copied ? COPIED : TREATED)),
    ...(copied ? {} : deidentificationKeys({ ...options, version: VERSION })),
  };
  const json = (content: object): Uint8Array =>
    new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`);
  const files = [{ path: join(options.output, beside(output, '.json')), bytes: json(sidecar) }];
  if (copied) files.push(...(await tablesOf(tree, planned, options.output)));
  return { files, scan: scanOf(image, values), warnings };
}

/** The sidecar of a `_defacemask`. */
export function defaceMaskSidecar(
  planned: PlannedImage,
  options: SidecarOptions,
): { readonly path: string; readonly image: string; readonly bytes: Uint8Array } {
  const image = defaceMaskOf(planned, options.layout, options.removes);
  const description = '1 where voxels are new, 0 where they hold the stored values of the original';
  const content = {
    ...(options.layout === 'raw'
      ? { Description: description }
      : derivativeKeys(planned.image.path, description)),
    ...deidentificationKeys({ ...options, version: VERSION }),
  };
  return {
    image: join(options.output, image),
    path: join(options.output, beside(image, '.json')),
    bytes: new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`),
  };
}

/** What `ce-` says where nothing was given, or not yet. */
const NO_AGENT = /^(none|no|pre|without)$/i;

function scanOf(image: BidsImage, values: Readonly<Record<string, unknown>>): ScanContrast {
  const contrast = CONTRASTS[image.suffix];
  const agent = labelIn(image, 'ce');
  const known: ScanContrast = {
    ...(contrast === undefined ? {} : { contrast }),
    ...(agent === undefined || NO_AGENT.test(agent) ? {} : { contrastAgent: true }),
  };
  try {
    return { ...known, sequence: readAcquisition(values) };
  } catch (error) {
    // A sidecar that does not say enough, or in other units: the brain has to.
    if (isRefusal(error, 'acquisition-invalid')) return known;
    throw error;
  }
}

const NUMBERS = /^[\s\d.eE+-]*$/;
const ASL_WORDS = new Set(['volume_type', 'control', 'label', 'm0scan', 'deltam', 'cbf', 'noRF', 'n/a']);

/** b-values, gradient directions and what each volume of a perfusion series is. */
async function tablesOf(
  tree: FileTree,
  { image, output }: PlannedImage,
  root: string,
): Promise<Sidecars['files'][number][]> {
  const files: Sidecars['files'][number][] = [];
  const add = async (found: string | undefined, ending: string, safe: (text: string) => boolean) => {
    if (found === undefined) return;
    const text = new TextDecoder().decode(await tree.read(found));
    if (safe(text))
      files.push({ path: join(root, beside(output, ending)), bytes: new TextEncoder().encode(text) });
  };
  for (const ending of ['.bval', '.bvec'])
    await add((await inheritedFiles(tree, image, ending)).at(-1), ending, (text) => NUMBERS.test(text));
  if (image.suffix === 'asl') {
    const [context] = await inheritedFiles(tree, { ...image, suffix: 'aslcontext' }, '.tsv');
    if (context !== undefined) {
      const text = new TextDecoder().decode(await tree.read(context));
      if (text.split(/\s+/).every((word) => word === '' || ASL_WORDS.has(word)))
        files.push({ path: join(root, aslContextOf(output)), bytes: new TextEncoder().encode(text) });
    }
  }
  return files;
}
