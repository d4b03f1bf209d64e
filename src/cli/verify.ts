/**
 * `prosopon verify ORIGINAL [RESULT]`: whether a result of any tool keeps the brain and has lost the face; of one file
 * alone, whether there is a face in it.
 *
 * @example
 * prosopon verify head.nii.gz out.nii.gz --json
 * prosopon verify released.nii.gz
 */
import { Command } from 'commander';
import { compareImages, whatToKeep } from '../deidentify/compare.js';
import { inspectImage } from '../deidentify/inspect.js';
import { Refusal } from '../errors/errors.js';
import type { StoredImage } from '../formats/stored-image.js';
import { loadImage } from '../node/image-files.js';
import { addCommonOptions, IMAGE_HELP } from './options.js';
import type { CommonOptions, Session } from './session.js';

interface VerifyOptions extends CommonOptions {
  readonly brainMask?: string;
  readonly altered?: string;
}

export function verifyCommand(session: Session): Command {
  const command = new Command('verify')
    .description('check a result of any tool: is the brain the same, is the face gone, what else changed')
    .argument('<original>', `${IMAGE_HELP} before; alone: a result, in which a face is looked for`)
    .argument('[result]', 'the image after, of any tool')
    .option('--brain-mask <file>', 'the brain; without it, it is looked for in the original')
    .option(
      '--altered <file>',
      'what `deid --save-altered` wrote: then all else must be the same, to the bit',
    )
    .action((original: string, result: string | undefined, options: VerifyOptions) =>
      verify(session, original, result, options),
    );
  return addCommonOptions(command, { writes: false });
}

async function verify(
  session: Session,
  originalPath: string,
  resultPath: string | undefined,
  options: VerifyOptions,
): Promise<void> {
  session.begin(options);
  session.stage('read');
  const original = await loadImage(originalPath);
  if (resultPath === undefined) return verifyAlone(session, original, options);
  const result = await loadImage(resultPath);
  session.stage('brain');
  const read = (path: string | undefined) =>
    path === undefined ? undefined : loadImage(path, { allowConstant: true });
  const brainMask = await read(options.brainMask);
  const altered = await read(options.altered);
  const { environment, signal } = session;
  const what = await whatToKeep(
    original,
    { ...(brainMask === undefined ? {} : { brainMask }), ...(altered === undefined ? {} : { altered }) },
    {
      findBrain: (volume) => environment.extractBrain(volume, session.networks(), { signal }),
      makeHead: environment.makeHead,
    },
  );
  session.stage('verify');
  const { checks, kept, result: after } = compareImages(original, result, what);
  session.facts.checks = checks;
  const face = after?.state === 'found' || after?.state === 'hidden';
  const whose = !face
    ? 'none'
    : checks.faceGone?.passed === true
      ? 'not that of the original'
      : 'the original';
  session.facts.results = { faceInResult: face, whose, faceKept: kept };
  session.timer.end();
  const rows = Object.entries(checks);
  for (const [name, { passed, value }] of rows) session.say(`${passed ? 'ok  ' : 'FAIL'}  ${name}: ${value}`);
  session.say(`      face in the result: ${face ? whose : 'none is seen'}`);
  const failed = rows.filter(([, { passed }]) => !passed).map(([name]) => name);
  if (failed.length > 0)
    throw new Refusal(
      'verification-refused',
      `expected a result that passes all checks, found failing: ${failed.join(', ')}`,
    );
}

/** One file: a face in it is what a release must not have, unless it was drawn; that no one can tell from it alone. */
async function verifyAlone(session: Session, image: StoredImage, options: VerifyOptions): Promise<void> {
  if (options.brainMask !== undefined || options.altered !== undefined)
    throw new Refusal(
      'option-invalid',
      'expected --brain-mask and --altered with an original and a result, found one file',
    );
  session.stage('brain');
  const { environment, signal } = session;
  const networks = session.networks();
  const seen = await inspectImage(image, {
    findBrain: (volume) => environment.extractBrain(volume, networks, { signal }),
  });
  session.facts.results = { face: seen.face, notes: seen.notes };
  session.timer.end();
  session.say(
    seen.face === 'present'
      ? "a face is there: whether it is the subject's or a drawn one cannot be told from the result alone (give the original too)"
      : seen.problem === undefined
        ? `no face is there (${seen.face})`
        : `no brain was found, so no face was looked for: ${seen.problem}`,
  );
}
