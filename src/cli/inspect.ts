/**
 * `prosopon inspect FILE`: what a scan is and what would be done with it; writes nothing.
 *
 * @example
 * prosopon inspect head.nii.gz --json
 */
import { Command } from 'commander';
import { type Inspection, inspectImage } from '../deidentify/inspect.js';
import { whoTakesAnyContrast } from '../methods/options.js';
import type { Method } from '../methods/registry.js';
import { loadImage } from '../node/image-files.js';
import { addCommonOptions, IMAGE_HELP } from './options.js';
import type { CommonOptions, Session } from './session.js';

export function inspectCommand(session: Session): Command {
  const command = new Command('inspect')
    .description(
      'say what a scan is: orientation, brain, contrast, whether there is a face, and what would be done',
    )
    .argument('<file>', IMAGE_HELP)
    .action((file: string, options: CommonOptions) => inspect(session, file, options));
  return addCommonOptions(command, { writes: false });
}

async function inspect(session: Session, file: string, options: CommonOptions): Promise<void> {
  session.begin(options);
  session.stage('read');
  const image = await loadImage(file);
  session.stage('brain');
  const networks = session.networks();
  const { signal, environment } = session;
  const seen = await inspectImage(image, {
    findBrain: (volume) => environment.extractBrain(volume, networks, { signal }),
  });
  session.timer.end();
  session.facts.results = seen;
  for (const line of describe(seen, environment.methods.all)) session.say(line);
}

const CONTRAST_NAMES = {
  t1w: 'T1-weighted',
  t2w: 'T2-weighted',
  flair: 'FLAIR',
  pdw: 'proton-density-weighted',
  unknown: 'of no contrast that is known here',
} as const;

const FACES = {
  present: 'there is a face',
  removed: 'there is no face: it seems to have been removed',
  'not in view': 'the field of view ends above the face',
  'brain only': 'there is a brain and nothing round it',
  unknown: 'unknown: it is looked for about the brain',
} as const;

function describe(seen: Inspection, methods: readonly Method[]): string[] {
  const { brain } = seen;
  const sizes = seen.voxelMm.map((mm) => mm.toFixed(2)).join(' x ');
  return [
    `image:    ${seen.format}, ${seen.shape.join(' x ')} voxels of ${sizes} mm, ${seen.datatype}${seen.volumes > 1 ? `, ${seen.volumes} volumes` : ''}`,
    `axes:     ${seen.axes} by the header`,
    brain === undefined
      ? 'brain:    not found'
      : `brain:    ${brain.millilitres.toFixed(0)} ml, ${brain.degreesTurned.toFixed(0)} degrees from upright, ${CONTRAST_NAMES[brain.contrast]}`,
    `face:     ${FACES[seen.face]}`,
    ...seen.notes.map((note) => `note:     ${note}`),
    `deid:     ${seen.problem === undefined ? whatWouldBeDone(seen, methods) : `would be refused: ${seen.problem}`}`,
  ];
}

/** Of the method that is taken when none is named, the first. */
function whatWouldBeDone({ brain, face }: Inspection, methods: readonly Method[]): string {
  const [first] = methods;
  if (first === undefined) return 'no method is installed';
  if (first.contrast !== undefined && brain?.contrast !== first.contrast) {
    const others = whoTakesAnyContrast(methods);
    return `${first.name} would refuse it by its contrast; ${others.length === 0 ? 'no method takes' : `${others.join(', ')} take`} any`;
  }
  if (first.kind === 'remove') return `${first.name} would remove the face`;
  if (face === 'removed' || face === 'brain only') return 'would draw a whole head round the brain';
  return 'would draw another head round the brain';
}
