/**
 * What will be done with each image of a subject, and in which order: the anchor first, for which the person's head is drawn, then
 * every other image that gets the same head. It reads names, never an image.
 *
 * @example
 * const plan = planSubject(subject, { layout: 'raw', removes: false, copy: new Set() });
 */
import type { BidsImage, BidsSubject } from './dataset.js';
import { acquisitionOf, isComplexPart, withEntity, withoutParts } from './entities.js';
import { type BidsFilter, passes } from './filter.js';
import { formatBidsName, labelIn } from './names.js';
import { ANCHOR_SUFFIXES, policyOf } from './policy.js';

/** `raw`: the names of the input, for release in its place; `derivative`: names that say what was done. */
export type Layout = 'raw' | 'derivative';

export interface PlanOptions {
  readonly layout: Layout;
  /** A method that removes: every image is treated alone, and its result is `desc-defaced`. */
  readonly removes: boolean;
  /** Suffixes and data types that the user has asked to copy. */
  readonly copy: ReadonlySet<string>;
  readonly filter?: BidsFilter;
  /** Only these sessions, without `ses-`; all when absent. */
  readonly sessions?: ReadonlySet<string>;
}

/** An image and where its result goes. */
export interface PlannedImage {
  readonly image: BidsImage;
  /** From the root of the output data set. */
  readonly output: string;
}

/** One acquisition: images that are treated together and appear together, such as echoes. */
export type PlannedGroup = readonly [lead: PlannedImage, ...others: PlannedImage[]];

export interface LeftOut {
  readonly path: string;
  readonly why: string;
}

export interface SubjectPlan {
  readonly subject: string;
  /** In the order in which they are treated; the first that shows a brain is the anchor. */
  readonly treat: readonly PlannedGroup[];
  /** On the user's word: voxels as they are, headers cleaned. */
  readonly copy: readonly PlannedImage[];
  readonly left: readonly LeftOut[];
}

export function planSubject(subject: BidsSubject, options: PlanOptions): SubjectPlan {
  const groups = new Map<string, BidsImage[]>();
  const copy: PlannedImage[] = [];
  const left: LeftOut[] = [];
  for (const image of subject.images) {
    const { path } = image;
    const { action, why } = policyOf(image.datatype, image.suffix);
    const session = image.session?.slice('ses-'.length);
    if (options.sessions !== undefined && (session === undefined || !options.sessions.has(session)))
      left.push({ path, why: 'of a session that was not asked for' });
    else if (options.filter !== undefined && !passes(options.filter, image))
      left.push({ path, why: 'the filter file leaves it out' });
    else if (action === 'treat' && isComplexPart(image))
      left.push({ path, why: 'a phase, real or imaginary part shows the face, and cannot be drawn yet' });
    else if (action === 'treat') {
      const acquisition = acquisitionOf(image);
      const key =
        acquisition === undefined ? path : `${image.session ?? ''}/${image.datatype}/${acquisition}`;
      groups.set(key, [...(groups.get(key) ?? []), image]);
    } else if (action === 'ask' && (options.copy.has(image.suffix) || options.copy.has(image.datatype)))
      copy.push({ image, output: outputOf(image, options, 'copied') });
    else
      left.push({
        path,
        why: action === 'ask' ? `${why}; --copy ${image.suffix} copies it, with its header cleaned` : why,
      });
  }
  const sorted = [...groups.values()].map((images) => images.sort(byLead)).sort(byAnchor);
  const treat = sorted.map(
    (images) =>
      images.map((image) => ({
        image,
        output: outputOf(image, options, 'treated'),
      })) as unknown as PlannedGroup,
  );
  return { subject: subject.id, treat, copy, left };
}

/** Of an MP2RAGE the second inversion shows a brain, of echoes the first shows it best. */
function byLead(a: BidsImage, b: BidsImage): number {
  const rank = (image: BidsImage): number => (labelIn(image, 'inv') === '2' ? 0 : 1);
  return rank(a) - rank(b) || compare(a.path, b.path);
}

/** By kind; scans with contrast agent after those without; then by session and name. */
function byAnchor([a]: readonly BidsImage[], [b]: readonly BidsImage[]): number {
  if (a === undefined || b === undefined) return 0;
  const rank = (image: BidsImage): number => ANCHOR_SUFFIXES.indexOf(image.suffix);
  const agent = (image: BidsImage): number => (labelIn(image, 'ce') === undefined ? 0 : 1);
  return rank(a) - rank(b) || agent(a) - agent(b) || compare(a.path, b.path);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What a derivative's name says of an image. */
export function descriptionOf(removes: boolean, kind: 'treated' | 'copied'): string {
  return kind === 'copied' ? 'headercleaned' : removes ? 'defaced' : 'remodelled';
}

function outputOf(image: BidsImage, { layout, removes }: PlanOptions, kind: 'treated' | 'copied'): string {
  if (layout === 'raw') return image.path;
  const name = formatBidsName(withEntity(image, 'desc', descriptionOf(removes, kind)));
  return `${image.path.slice(0, image.path.lastIndexOf('/') + 1)}${name}`;
}

/** The path of an image with another ending: its sidecar's, say. */
export function beside(path: string, ending: string): string {
  return path.replace(/\.nii(\.gz)?$/i, ending);
}

/** Where the mask of new voxels of an acquisition goes (`_defacemask`): BIDS has no echo, inversion or part in its name, so one stands for all. */
export function defaceMaskOf({ image, output }: PlannedImage, layout: Layout, removes: boolean): string {
  const whole = { ...image, entities: withoutParts(image.entities), suffix: 'defacemask' };
  const named = withEntity(whole, 'mod', image.suffix);
  const name = layout === 'raw' ? named : withEntity(named, 'desc', descriptionOf(removes, 'treated'));
  return `${output.slice(0, output.lastIndexOf('/') + 1)}${formatBidsName(name)}`;
}

/** All files that an image's result may consist of, from the root of the output: the image, and what appears with it. */
export function resultFiles(planned: PlannedImage, layout: Layout, removes: boolean): readonly string[] {
  const { image, output } = planned;
  const mask = defaceMaskOf(planned, layout, removes);
  return [
    output,
    ...['.json', '.bval', '.bvec'].map((ending) => beside(output, ending)),
    ...(image.suffix === 'asl' ? [aslContextOf(output)] : []),
    mask,
    beside(mask, '.json'),
  ];
}

/** Of a perfusion series: the table that says what each volume is. */
export function aslContextOf(output: string): string {
  return output.replace(/_asl\.nii(\.gz)?$/i, '_aslcontext.tsv');
}
