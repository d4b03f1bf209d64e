/**
 * Filter files as fMRIPrep takes them (`--bids-filter-file`): a query a kind of image, each with the entities that it must have.
 *
 * @example
 * const filter = parseFilter({ t1w: { datatype: 'anat', session: '02', acquisition: null, suffix: 'T1w' } });
 * passes(filter, image); // an image that no query is about passes
 */
import * as v from 'valibot';
import { Refusal } from '../errors/errors.js';
import type { BidsImage } from './dataset.js';
import { labelIn } from './names.js';

/** Long names of entities, as PyBIDS has them, and their keys in file names. */
const KEYS: Readonly<Record<string, string>> = {
  subject: 'sub',
  session: 'ses',
  sample: 'sample',
  task: 'task',
  acquisition: 'acq',
  ceagent: 'ce',
  reconstruction: 'rec',
  direction: 'dir',
  run: 'run',
  modality: 'mod',
  echo: 'echo',
  flip: 'flip',
  inv: 'inv',
  inversion: 'inv',
  mt: 'mt',
  part: 'part',
  space: 'space',
  staining: 'stain',
  tracer: 'trc',
};

/** What a query is about when it does not say so, by its name. */
const USUAL: Readonly<Record<string, { readonly datatype: string; readonly suffix: string }>> = {
  t1w: { datatype: 'anat', suffix: 'T1w' },
  t2w: { datatype: 'anat', suffix: 'T2w' },
  flair: { datatype: 'anat', suffix: 'FLAIR' },
  bold: { datatype: 'func', suffix: 'bold' },
  sbref: { datatype: 'func', suffix: 'sbref' },
  dwi: { datatype: 'dwi', suffix: 'dwi' },
  asl: { datatype: 'perf', suffix: 'asl' },
};

const Value = v.union([v.string(), v.number(), v.null(), v.array(v.union([v.string(), v.number()]))]);
const Schema = v.record(v.string(), v.record(v.string(), Value));
type Query = Readonly<Record<string, v.InferOutput<typeof Value>>>;

export type BidsFilter = readonly Query[];

/** @throws {Refusal} option-invalid for what is no filter, or asks for an entity that is not known */
export function parseFilter(json: unknown): BidsFilter {
  const parsed = v.safeParse(Schema, json);
  if (!parsed.success || Array.isArray(json))
    throw new Refusal(
      'option-invalid',
      'expected a filter file with an object of entities for each query ({"t1w": {"session": "01"}}), found another shape',
    );
  return Object.entries(parsed.output).map(([name, query]) => {
    for (const key of Object.keys(query))
      if (!['datatype', 'suffix', 'extension'].includes(key) && !Object.hasOwn(KEYS, key))
        throw new Refusal(
          'option-invalid',
          'expected entities of BIDS in the filter file, found one that is not known',
        );
    return { ...USUAL[name], ...query };
  });
}

/** Whether an image is taken: no query is about its kind, or one of those that are holds. */
export function passes(filter: BidsFilter, image: BidsImage): boolean {
  const about = filter.filter(
    ({ datatype, suffix }) => holds(datatype, image.datatype) && holds(suffix, image.suffix),
  );
  return (
    about.length === 0 ||
    about.some((query) =>
      Object.entries(query).every(([key, value]) => {
        if (key === 'datatype' || key === 'suffix') return true;
        if (key === 'extension') return holds(value, image.extension);
        return holds(value, labelIn(image, KEYS[key] ?? key), true);
      }),
    )
  );
}

function holds(wanted: Query[string] | undefined, found: string | undefined, entity = false): boolean {
  if (wanted === undefined) return true;
  if (wanted === null || wanted === 'Query.NONE') return found === undefined;
  if (wanted === '*' || wanted === 'Query.ANY') return found !== undefined;
  const any = Array.isArray(wanted) ? wanted : [wanted];
  return any.some((one) => {
    if (found === undefined) return false;
    const text = String(one);
    // 1 and '01' are one run for PyBIDS.
    return (
      text === found ||
      (entity && /^\d+$/.test(text) && /^\d+$/.test(found) && Number(text) === Number(found))
    );
  });
}
