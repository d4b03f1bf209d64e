/**
 * What an evaluation was asked for, checked before any work: sections, counts, subjects.
 *
 * @example
 * const sections = parseSections('identification,utility'); // throws Refusal for names that are none
 */
import { type Method, Refusal } from 'prosopon';
import { type ModelFolders, SECTIONS, type SectionName } from 'prosopon/node';

export const SECTION_TITLES: Readonly<Record<SectionName, string>> = {
  identification: 'Identification',
  closeness: 'Closeness to the subject',
  averaging: 'Many seeds averaged',
  memorisation: 'Memorisation',
  utility: 'Segmentation: original against treated',
  reference: 'Segmentation: against reference labels',
  'brain-age': 'Brain age',
  'mask-errors': 'Errors of the brain mask',
  times: 'Times and memory',
};

/** Those that treat further heads or seeds, and so are measured only when they are given some. */
const FIVE_WAY: readonly SectionName[] = ['identification', 'averaging', 'mask-errors'];

export interface EvaluateOptions {
  readonly dataset: string;
  readonly out: string;
  readonly methods: readonly Method[];
  /** Rows beside the methods that warn of what an attacker could do (the conditional mean head); no methods for use. */
  readonly warnings?: readonly Method[];
  readonly splits?: readonly string[];
  readonly subjects?: readonly string[];
  readonly resolution: 128 | 256;
  /** All when absent. What is named must be measurable; otherwise it is listed as not measured. */
  readonly sections?: readonly SectionName[];
  readonly seed: string;
  /** Draws of each remodelling method for `averaging`; 1: not measured. */
  readonly seedsPerHead: number;
  readonly averagingHeads: number;
  /** Heads for `mask-errors`; 0: not measured. */
  readonly maskErrorHeads: number;
  readonly maskErrorMm: readonly number[];
  /** Training heads whose treated versions are attacked too; 0: none. */
  readonly trainHeads: number;
  /** By method: a folder with the adaptive network. */
  readonly adaptive: ReadonlyMap<string, string>;
  readonly segmenter?: readonly string[];
  readonly segmenterLabels?: string;
  readonly faceApi?: string;
  /** Folders of networks: the product's, then the ruler's. Those that came with the packages when absent. */
  readonly models?: ModelFolders;
  readonly renderings: boolean;
  readonly keepTreated?: string;
  readonly showHeads: readonly string[];
  readonly jobs: number;
  /** Replace the report of another evaluation. */
  readonly force: boolean;
  /** Remove what earlier runs remembered, and measure all of it again. */
  readonly forget: boolean;
  /** The labels' grids were looked at already, by the process that this one works for. */
  readonly checked?: boolean;
  /** For the report: what was typed, without paths. */
  readonly command: string;
}

/** @throws {Refusal} option-invalid for a name that is no section */
export function parseSections(text: string): SectionName[] | undefined {
  if (text === 'all') return undefined;
  return text.split(',').map((part) => {
    const name = SECTIONS.find((section) => section === part.trim());
    if (name === undefined)
      throw new Refusal(
        'option-invalid',
        `expected sections out of ${SECTIONS.join(', ')} (or all), found "${part.trim()}"`,
      );
    return name;
  });
}

export function isWanted(options: Pick<EvaluateOptions, 'sections'>, section: SectionName): boolean {
  return options.sections === undefined || options.sections.includes(section);
}

/** @throws {Refusal} dataset-invalid when a section with a five-way choice has too few subjects */
export function requireEnough(options: Pick<EvaluateOptions, 'sections'>, subjects: number): void {
  const needing = FIVE_WAY.filter((section) => isWanted(options, section));
  if (subjects < 5 && needing.length > 0)
    throw new Refusal(
      'dataset-invalid',
      `expected at least 5 subjects for a five-way choice (${needing.join(', ')}), found ${subjects}; name other --sections, or more subjects`,
    );
  if (subjects < 2) throw new Refusal('dataset-invalid', `expected at least 2 subjects, found ${subjects}`);
}
