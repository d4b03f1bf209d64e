/**
 * File names of BIDS: `sub-01_ses-a_run-1_T1w.nii.gz` is entities in their order, a suffix and an extension.
 *
 * @example
 * parseBidsName('sub-01_T1w.nii.gz'); // { entities: [['sub', '01']], suffix: 'T1w', extension: '.nii.gz' }
 */
export interface BidsName {
  /** Key and label, in the order of the name. */
  readonly entities: readonly (readonly [key: string, label: string])[];
  readonly suffix: string;
  /** From the first full stop on; '' when there is none. */
  readonly extension: string;
}

/** BIDS allows letters, digits and plus; labels with hyphens are common all the same, and tell no lies. */
const LABEL = /^[A-Za-z0-9+][A-Za-z0-9+-]*$/;
const KEY = /^[a-z][a-z0-9]*$/i;
const SUFFIX = /^[A-Za-z0-9]+$/;

/** Undefined for a name that is none of BIDS, such as one with a key twice. */
export function parseBidsName(file: string): BidsName | undefined {
  const dot = file.indexOf('.');
  const [stem, extension] = dot < 0 ? [file, ''] : [file.slice(0, dot), file.slice(dot)];
  const parts = stem.split('_');
  const suffix = parts.pop() ?? '';
  const entities: (readonly [string, string])[] = [];
  for (const part of parts) {
    const hyphen = part.indexOf('-');
    const [key, label] = [part.slice(0, Math.max(0, hyphen)), part.slice(hyphen + 1)];
    if (!KEY.test(key) || !LABEL.test(label) || entities.some(([other]) => other === key)) return undefined;
    entities.push([key, label]);
  }
  return SUFFIX.test(suffix) ? { entities, suffix, extension } : undefined;
}

export function formatBidsName({ entities, suffix, extension }: BidsName): string {
  return `${[...entities.map(([key, label]) => `${key}-${label}`), suffix].join('_')}${extension}`;
}

export function labelIn({ entities }: Pick<BidsName, 'entities'>, key: string): string | undefined {
  return entities.find(([other]) => other === key)?.[1];
}

/** `sub-01` of a folder that is a subject's; undefined for any other. */
export function isEntityFolder(name: string, key: 'sub' | 'ses'): boolean {
  return name.startsWith(`${key}-`) && LABEL.test(name.slice(key.length + 1));
}
