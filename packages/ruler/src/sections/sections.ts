/**
 * From numbers per subject to the sections of the report, in the order of `SECTIONS`.
 *
 * @example
 * const sections = sectionsOf(gathered, options, instruments, random);
 */

import type { Random } from 'prosopon/imaging';
import { SECTIONS, type SectionName } from 'prosopon/node';
import type { HeadShape, ShapeRegion } from '../privacy/geometry.js';
import { overUsable, vectorSimilarity } from '../privacy/similarity.js';
import { type Attack, type Attacked, attackBlocks } from '../report/report-identification.js';
import { measureTable } from '../report/report-measures.js';
import { absent, type Block, type Section } from '../report/results.js';
import { TRANSFER } from '../run/instruments.js';
import type { Measured } from '../run/measure.js';
import { isWanted, SECTION_TITLES } from '../run/plan.js';
import type { Gathered } from '../run/run.js';
import { AGAIN, ORIGINAL, type Variant } from '../run/variants.js';
import { mainVariants, refusalNote, type SectionInput, treatedIndices } from './section-input.js';
import { maskErrorBlocks } from './section-mask-errors.js';
import { agreementBlocks, referenceBlocks } from './section-segmentation.js';
import { averagingBlocks, closenessBlocks, memorisationBlocks } from './section-shapes.js';

const ABOUT: Readonly<Record<SectionName, string>> = {
  identification:
    'Who is it? Each untreated head (camera B) is looked for among treated heads (camera A). Rates are exact expectations over all choices of distractors; a control row that fails takes its table with it.',
  closeness:
    "Is the generated surface nearer to the subject's own than another person's, or the average of the others? (the bar of Gao 2025)",
  averaging:
    'An attacker who draws many faces for one brain and averages them sees what the brain gives away. The averaged faces are attacked as single ones are.',
  memorisation: 'Does the generator give away faces that it learnt from?',
  utility:
    'The same segmenter on the original and on the treated head. The brain voxels are identical; differences come from what stands round them. The reference row is the same head re-gridded by half a voxel and turned by one degree.',
  reference:
    'How far the segmenter itself can be trusted: its labels on originals against the reference labels.',
  'brain-age':
    "A network's reading of age: its own error on originals first, then what treatment does to it.",
  'mask-errors': 'What a wrong brain mask costs: the mask that the method is given is damaged on purpose.',
  times: 'Seconds per stage of the pipeline, the brain mask given; memory at the end of stages.',
};

export function sectionsOf(input: SectionInput): Section[] {
  return SECTIONS.filter((id) => isWanted(input.options, id)).map((id) => ({
    id,
    title: SECTION_TITLES[id],
    about: ABOUT[id],
    blocks: BUILDERS[id](input),
  }));
}

const BUILDERS: Readonly<Record<SectionName, (input: SectionInput) => Block[]>> = {
  identification: identificationBlocks,
  closeness: closenessBlocks,
  averaging: averagingBlocks,
  memorisation: memorisationBlocks,
  utility: agreementBlocks,
  reference: referenceBlocks,
  'brain-age': ageBlocks,
  'mask-errors': maskErrorBlocks,
  times: timeBlocks,
};

function identificationBlocks(input: SectionInput): Block[] {
  const { instruments, random, gathered } = input;
  const blocks: Block[] = [];
  const own = random.fork('identification');
  for (const [name, sqn] of instruments.sqn) {
    const id = `sqn-${name}`;
    const title =
      name === TRANSFER
        ? 'SQN, trained on originals (transfer)'
        : `SQN, trained on the output of ${name} (adaptive)`;
    if (!sqn.ready) {
      blocks.push(absent(id, title, sqn.reason));
      continue;
    }
    // An adaptive network is asked about its own method; the controls stay.
    const variants = mainVariants(input).filter(
      (v) => name === TRANSFER || v.kind === 'control' || v.name === name,
    );
    blocks.push(
      ...attackBlocks(
        {
          id,
          title,
          note: 'A siamese ResNet-18 on front and side renderings.',
          rows: attacked(gathered, variants, 'sqn', (queries, candidates) =>
            vectorSimilarity(
              queries.map((m) => m.sqn[name]),
              candidates.map((m) => m.sqn[name]),
              'dot',
            ),
          ),
          control: { id: AGAIN.name, atLeast: 0.9 },
        },
        own,
      ),
    );
  }
  if (!instruments.sqn.has('adaptive') && instruments.sqn.size === 1)
    blocks.push(
      absent(
        'sqn-adaptive',
        'SQN, adaptive',
        'no network trained on the output of a method was given (--sqn METHOD=FOLDER); an attacker who has one does better',
      ),
    );
  blocks.push(...faceBlocks(input, own));
  for (const region of ['face', 'head'] as const)
    blocks.push(...attackBlocks(geometryAttack(input, region), own));
  return blocks;
}

function faceBlocks(input: SectionInput, random: Random): Block[] {
  const { faces } = input.instruments;
  const title = 'Face recognition';
  if (!faces.ready) return [absent('faces', title, faces.reason)];
  return attackBlocks(
    {
      id: 'faces',
      title,
      note: `${faces.key}, made for photographs: a detector, then distances of descriptors, on front renderings. Where no face is found there is nothing to recognise. Its control need only be recognised in half of the choices.`,
      rows: attacked(
        input.gathered,
        mainVariants(input),
        'faces',
        (queries, candidates) =>
          vectorSimilarity(
            queries.map((m) => m.faces?.descriptor),
            candidates.map((m) => m.faces?.descriptor),
            'distance',
          ),
        (measured) => (measured.faces?.detected === true ? 1 : 0),
      ),
      control: { id: AGAIN.name, atLeast: 0.5 },
    },
    random,
  );
}

function geometryAttack(input: SectionInput, region: ShapeRegion): Attack {
  return {
    id: `geometry-${region}`,
    title: region === 'face' ? 'Geometry, face (brow to chin)' : 'Geometry, whole head',
    note:
      region === 'face'
        ? 'Depth maps from the front and both sides, posed by the brain; no learning. BLURRED acts on pictures and has no row here.'
        : 'As above, with the vault, which follows the brain whatever a method does.',
    rows: attacked(input.gathered, mainVariants(input), 'shape', (queries, candidates) =>
      overUsable<HeadShape>(
        queries.map((m) => m.shape),
        candidates.map((m) => m.shape),
        (a, b) => input.scores.similarity(a, b, region),
      ),
    ),
    control: { id: AGAIN.name, atLeast: 0.9 },
  };
}

/** Rows of an attack: each over the subjects whom the method did not refuse. */
export function attacked(
  gathered: Gathered,
  variants: readonly Variant[],
  part: Variant['parts'][number],
  similarity: (queries: readonly Measured[], candidates: readonly Measured[]) => Float64Array,
  found?: (measured: Measured) => number,
): Attacked[] {
  const queries = gathered.results.get(ORIGINAL.name) ?? [];
  return variants
    .filter(({ parts }) => parts.includes(part))
    .map(({ name, title, kind }): Attacked => {
      const indices = treatedIndices(gathered, name);
      const pick = (row: readonly (Measured | undefined)[]): Measured[] =>
        indices.map((i) => row[i] ?? { sqn: {} });
      const candidates = pick(gathered.results.get(name) ?? []);
      return {
        id: name,
        title,
        kind,
        n: indices.length,
        similarity: similarity(pick(queries), candidates),
        ...(found === undefined ? {} : { found: candidates.map(found) }),
        ...refusalNote(gathered, name),
      };
    });
}

function ageBlocks(input: SectionInput): Block[] {
  const { gathered, instruments, random } = input;
  if (!instruments.age.ready) return [absent('brain-age', 'Brain age', instruments.age.reason)];
  const read = (m: Measured | undefined): number => m?.age ?? Number.NaN;
  const originals = (gathered.results.get(ORIGINAL.name) ?? []).map(read);
  const errors = originals.map((age, i) => age - (gathered.subjects[i]?.age ?? Number.NaN));
  const blocks: Block[] = [];
  const columns = [
    { id: 'bias', title: 'bias', unit: 'years', statistic: 'mean' },
    { id: 'sd', title: 'spread (s.d.)', unit: 'years', statistic: 'sd' },
    { id: 'absolute', title: 'mean absolute', unit: 'years', statistic: 'mean of absolutes' },
  ] as const;
  const valuesOf = (values: readonly number[]) => ({ bias: values, sd: values, absolute: values });
  blocks.push(
    errors.every(Number.isNaN)
      ? absent('age-error', 'Its own error on originals', 'participants.tsv has no ages')
      : measureTable(
          {
            id: 'age-error',
            title: 'Its own error on originals: read minus true age',
            note: 'A network that says the same age for everybody would pass the next table: this one comes first.',
            columns,
            rows: [{ id: 'original', title: 'original', kind: 'control', values: valuesOf(errors) }],
          },
          random,
        ),
  );
  const differences = mainVariants(input)
    .filter(({ parts }) => parts.includes('age'))
    .map((variant) => ({
      variant,
      values: (gathered.results.get(variant.name) ?? []).map(
        (m, i) => read(m) - (originals[i] ?? Number.NaN),
      ),
    }));
  blocks.push(
    measureTable(
      {
        id: 'age-difference',
        title: 'Age of the treated head minus age of the original',
        note: "The original's brain mask gives pose and scale in both.",
        columns,
        rows: differences.map(({ variant, values }) => ({
          id: variant.name,
          title: variant === AGAIN || variant.name === AGAIN.name ? 'same head, re-gridded' : variant.title,
          kind: variant.kind === 'control' ? 'reference' : variant.kind,
          values: valuesOf(values),
          ...refusalNote(gathered, variant.name),
        })),
      },
      random,
    ),
    {
      kind: 'box',
      id: 'age-box',
      title: 'Age of the treated head minus age of the original',
      unit: 'years',
      groups: differences.map(({ variant, values }) => ({
        name: variant.name === AGAIN.name ? 're-gridded' : variant.title,
        values: values.filter((v) => !Number.isNaN(v)),
      })),
      marks: [0],
    },
  );
  return blocks;
}

function timeBlocks({ gathered, options, random }: SectionInput): Block[] {
  const names = options.methods.map(({ name }) => name);
  const treatments = names.map((name) => ({
    name,
    all: (gathered.results.get(name) ?? []).flatMap((m) => (m?.treatment === undefined ? [] : [m.treatment])),
  }));
  const stages = [...new Set(treatments.flatMap(({ all }) => all.flatMap((t) => Object.keys(t.stages))))];
  const column = (id: string) => ({ id, title: id, unit: 'seconds', statistic: 'median' }) as const;
  return [
    measureTable(
      {
        id: 'times',
        title: 'Seconds for a head, by stage (median)',
        note: `The brain mask is given, the result is encoded without compression; ${options.jobs} subject${options.jobs === 1 ? '' : 's'} at a time on this machine, so that times are upper bounds. Memory: the highest seen where a stage ended, this process with what the evaluation holds, and the inference process' own peak.`,
        columns: [
          column('total'),
          ...stages.map(column),
          { id: 'memory', title: 'peak memory', unit: 'MB', statistic: 'highest' },
        ],
        rows: treatments.map(({ name, all }) => ({
          id: name,
          title: name,
          kind: 'method',
          values: {
            total: all.map((t) => Object.values(t.stages).reduce((sum, s) => sum + s, 0)),
            memory: all.map((t) => t.peakMb),
            ...Object.fromEntries(
              stages.map((stage) => [stage, all.map((t) => t.stages[stage] ?? Number.NaN)]),
            ),
          },
        })),
      },
      random,
    ),
  ];
}
