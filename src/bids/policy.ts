/**
 * What is done with each kind of image of a data set, by data type and suffix: what shows a head in a contrast that can be drawn is
 * treated; what shows none to speak of is copied on the user's word alone; everything else, and whatever is not known here, is left out.
 *
 * @example
 * policyOf('anat', 'T1w'); // { action: 'treat', why: '...' }
 * policyOf('func', 'bold'); // { action: 'ask', why: '...' }: left out without --copy bold
 */

/** `ask`: left out unless the user names the suffix or the data type. */
export type PolicyAction = 'treat' | 'ask' | 'leave out';

export interface Policy {
  readonly action: PolicyAction;
  /** For the table of `--dry-run` and the list of what was left out. */
  readonly why: string;
}

interface Row extends Policy {
  readonly datatypes: readonly string[];
  /** All that are not named in another row of the data type, when absent. */
  readonly suffixes?: readonly string[];
}

/** In the order in which one of a person's images is looked for that shows the brain best: its head is drawn for that one. */
export const ANCHOR_SUFFIXES: readonly string[] = [
  'T1w',
  'UNIT1',
  'T2w',
  'FLAIR',
  'PDw',
  'T2starw',
  'MP2RAGE',
  'MPM',
  'VFA',
  'MEGRE',
  'MESE',
  'IRT1',
  'MTS',
  'MTR',
  'inplaneT1',
  'inplaneT2',
];

const TABLE: readonly Row[] = [
  {
    datatypes: ['anat'],
    suffixes: ANCHOR_SUFFIXES,
    action: 'treat',
    why: 'shows the head',
  },
  {
    datatypes: ['anat'],
    suffixes: [
      'T1map',
      'T2map',
      'T2starmap',
      'R1map',
      'R2map',
      'R2starmap',
      'T1rho',
      'PDmap',
      'PDT2map',
      'MTRmap',
      'MTVmap',
      'MTsat',
      'MWFmap',
      'M0map',
      'S0map',
      'Chimap',
    ],
    action: 'leave out',
    why: 'a map of values shows the face, and a head of such values cannot be drawn yet',
  },
  {
    datatypes: ['anat'],
    suffixes: ['angio'],
    action: 'leave out',
    why: 'angiography shows the face, and its vessels cannot be drawn',
  },
  {
    datatypes: ['anat'],
    suffixes: ['defacemask'],
    action: 'leave out',
    why: 'a mask shows the outline of the face that another tool removed; --defacemask writes one of the new',
  },
  { datatypes: ['anat'], action: 'leave out', why: 'of this suffix nothing is known here' },
  {
    datatypes: ['func'],
    suffixes: ['bold', 'cbv', 'sbref'],
    action: 'ask',
    why: 'shows little of a face, but is not treated',
  },
  {
    datatypes: ['dwi'],
    suffixes: ['dwi', 'sbref'],
    action: 'ask',
    why: 'shows little of a face, but is not treated',
  },
  {
    datatypes: ['perf'],
    suffixes: ['asl', 'm0scan'],
    action: 'ask',
    why: 'shows some of a face, and is not treated',
  },
  {
    datatypes: ['fmap'],
    suffixes: [
      'phasediff',
      'phase1',
      'phase2',
      'magnitude',
      'magnitude1',
      'magnitude2',
      'fieldmap',
      'epi',
      'm0scan',
      'sbref',
    ],
    action: 'ask',
    why: 'shows some of a face, and is not treated',
  },
  { datatypes: ['pet'], action: 'leave out', why: 'PET shows the face, and cannot be drawn' },
];

const UNKNOWN: Policy = { action: 'leave out', why: 'of this kind of data nothing is known here' };

export function policyOf(datatype: string, suffix: string): Policy {
  const rows = TABLE.filter(({ datatypes }) => datatypes.includes(datatype));
  return (
    rows.find(({ suffixes }) => suffixes?.includes(suffix)) ??
    rows.find(({ suffixes }) => suffixes === undefined) ??
    UNKNOWN
  );
}

/** What `--copy` takes: data types and suffixes that may be copied on the user's word. */
export function copyable(): readonly string[] {
  const asked = TABLE.filter(({ action }) => action === 'ask');
  return [...new Set(asked.flatMap(({ datatypes, suffixes = [] }) => [...datatypes, ...suffixes]))];
}
