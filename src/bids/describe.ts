/**
 * The files at the root of a data set of results: dataset_description.json, README, CHANGES, .bidsignore. In our words; of the
 * original's description only what has a fixed form is taken over.
 *
 * @example
 * const files = rootFiles({ layout: 'raw', method: 'cp-mae', removes: false, version: VERSION, today }, original);
 */
import { personalIn } from './personal.js';
import type { Layout } from './plan.js';

export const BIDS_VERSION = '1.10.0';

export interface Described {
  readonly layout: Layout;
  readonly method: string;
  readonly reference: string;
  readonly removes: boolean;
  readonly version: string;
  /** `2026-11-29`, of the release. */
  readonly today: string;
  /** Of the data set, as the user gives it. */
  readonly name?: string;
  /** Where the original can be asked for, as the user gives it. */
  readonly sourceUri?: string;
}

const LICENCES = new Set([
  'CC0',
  'CC0-1.0',
  'CC-BY-4.0',
  'CC-BY-3.0',
  'CC-BY-SA-4.0',
  'CC-BY-SA-3.0',
  'CC-BY-NC-4.0',
  'CC-BY-NC-SA-4.0',
  'CC BY 4.0',
  'CC BY 3.0',
  'CC BY-SA 4.0',
  'CC BY-SA 3.0',
  'CC BY-NC 4.0',
  'CC BY-NC-SA 4.0',
  'PDDL',
  'PDDL-1.0',
  'PD',
  'ODbL-1.0',
]);
const DOI =
  /^(?:doi:|https:\/\/doi\.org\/)(10\.\d{4,9}\/[a-z]{0,12}\.?[a-z]{0,3}\d{3,10}(?:\.v\d{1,3}\.\d{1,3}\.\d{1,3})?)$/i;

/** What goes under `DeidentificationMethodCodeSequence`: DICOM PS3.16, CID 7050. */
const CODES = [
  {
    CodeValue: '113102',
    CodeMeaning: 'Clean Recognizable Visual Features Option',
    CodingSchemeDesignator: 'DCM',
    CodingSchemeVersion: '01',
  },
];

/** Keys of every result's sidecar that say what was done to it. */
export function deidentificationKeys(
  made: Pick<Described, 'method' | 'removes' | 'version'>,
): Readonly<Record<string, unknown>> {
  const what = made.removes ? 'face removed' : 'everything but the brain replaced by a synthetic head';
  return {
    DeidentificationMethod: [`Prosopon ${made.version}, ${made.method}: ${what}`],
    DeidentificationMethodCodeSequence: CODES,
  };
}

/** Keys of a derivative's sidecar. @param path of the original in its own data set */
export function derivativeKeys(path: string, description: string): Readonly<Record<string, unknown>> {
  return { Description: description, SkullStripped: false, Sources: [`bids:raw:${path}`] };
}

/** File name and content. @param original its dataset_description.json */
export function rootFiles(
  made: Described,
  original: Readonly<Record<string, unknown>>,
): readonly (readonly [name: string, content: string])[] {
  const given = typeof original.DatasetDOI === 'string' ? original.DatasetDOI : '';
  const doi =
    personalIn(given.replace(/^https:\/\/doi\.org\//i, '').replace(/\d{6}/, '')) === undefined
      ? DOI.exec(given)?.[1]
      : undefined;
  const source = made.sourceUri ?? (doi === undefined ? undefined : `doi:${doi}`);
  const derivative = made.layout === 'derivative';
  const licence =
    typeof original.License === 'string' && LICENCES.has(original.License) ? original.License : undefined;
  const description = {
    Name: made.name ?? 'Head MRI without recognisable faces',
    BIDSVersion: BIDS_VERSION,
    DatasetType: made.layout,
    ...(licence === undefined ? {} : { License: licence }),
    GeneratedBy: [{ Name: 'Prosopon', Version: made.version, Description: made.method }],
    // A URI that leads nowhere, where nobody may know where the originals are: names in Sources refer to it.
    ...(derivative ? { DatasetLinks: { raw: source ?? 'urn:prosopon:unpublished-original' } } : {}),
    ...(source === undefined
      ? {}
      : { SourceDatasets: [source.startsWith('doi:') ? { DOI: source } : { URL: source }] }),
  };
  return [
    ['dataset_description.json', `${JSON.stringify(description, null, 2)}\n`],
    ['README', readme(made)],
    [
      'CHANGES',
      `1.0.0 ${made.today}\n  - Head MRI de-identified by Prosopon ${made.version} (${made.method})\n`,
    ],
  ];
}

function readme({ method, reference, removes, version, layout }: Described): string {
  return `Head MRI without recognisable faces

What was done. ${
    removes
      ? `The face was removed by Prosopon ${version}, method ${method} (${reference}).`
      : `Everything outside the brain (skull, scalp, face, neck, air) was replaced by a synthetic head, drawn by Prosopon ${version}, method ${method} (${reference}), from the brain alone. The heads are nobody's: do not measure skull, scalp, eyes, face or air. All images of one person show the same head.`
  }
The voxels of the brain, and 2 mm around it, hold the same stored values as in the original, on the same grid.

What was left out. Images that show a face and could not be treated, free text of sidecars, times of acquisition and everything
about the participants that is not known to be harmless. Ages over 89 are given as 89.${
    layout === 'derivative'
      ? '\n\nNames. "desc-remodelled" or "desc-defaced" says that an image was treated, "desc-headercleaned" that only its\nheader was.'
      : ''
  }

What it does not do. A brain is itself a fingerprint: whoever has another scan of the same person can match the brains. This is
de-identified, not anonymous, data.
`;
}
