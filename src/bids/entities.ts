/**
 * The order in which entities stand in a BIDS name, and names made of other names by it (BIDS 1.10, schema `rules/entities`).
 *
 * @example
 * withEntity(parseBidsName('sub-1_echo-2_MEGRE.nii.gz'), 'mod', 'MEGRE'); // sub-1_mod-MEGRE_echo-2_...
 */
import { type BidsName, labelIn } from './names.js';

const ORDER: readonly string[] = [
  'sub',
  'tpl',
  'ses',
  'cohort',
  'sample',
  'task',
  'tracksys',
  'acq',
  'nuc',
  'voi',
  'ce',
  'trc',
  'stain',
  'rec',
  'dir',
  'run',
  'mod',
  'echo',
  'flip',
  'inv',
  'mt',
  'part',
  'proc',
  'hemi',
  'space',
  'split',
  'recording',
  'chunk',
  'seg',
  'scale',
  'res',
  'den',
  'label',
  'desc',
];

/** The name with one more entity, in its place; one that it has already is replaced. */
export function withEntity(name: BidsName, key: string, label: string): BidsName {
  const rank = ORDER.indexOf(key);
  const others = name.entities.filter(([other]) => other !== key);
  const at = others.findIndex(([other]) => ORDER.indexOf(other) > rank);
  const entities = [...others];
  entities.splice(at < 0 ? entities.length : at, 0, [key, label]);
  return { ...name, entities };
}

/** What makes several images one acquisition: they differ in nothing else. */
const PARTS: readonly string[] = ['echo', 'flip', 'inv', 'mt', 'part'];

export function withoutParts(entities: BidsName['entities']): BidsName['entities'] {
  return entities.filter(([key]) => !PARTS.includes(key));
}

/** What images of one acquisition share: its name without echo, inversion and the like; undefined for an image that has none of these. */
export function acquisitionOf(name: BidsName): string | undefined {
  const rest = withoutParts(name.entities);
  if (rest.length === name.entities.length) return undefined;
  return [...rest.map(([key, label]) => `${key}-${label}`), name.suffix].join('_');
}

/** Phase, real and imaginary parts: what is no magnitude. */
export function isComplexPart(name: Pick<BidsName, 'entities'>): boolean {
  const part = labelIn(name, 'part');
  return part !== undefined && part !== 'mag';
}
