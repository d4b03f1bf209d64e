/**
 * `prosopon verify ORIGINAL RESULT --brain-mask MASK`: the checks that `deid` makes, again, from files.
 *
 * @example
 * prosopon verify head.nii.gz out.nii.gz --brain-mask mask.nii.gz --json
 */
import { Command } from 'commander';
import { checkResult } from '../deidentify/checks.js';
import { readMask } from '../deidentify/given-mask.js';
import { trace } from '../deidentify/traces.js';
import { Refusal } from '../errors/errors.js';
import { loadImage } from '../node/image-files.js';
import { addCommonOptions } from './options.js';
import type { CommonOptions, Session } from './session.js';

interface VerifyOptions extends CommonOptions {
  readonly brainMask: string;
}

export function verifyCommand(session: Session): Command {
  const command = new Command('verify')
    .description('check a result against its original: brain bits, geometry, header, what came through')
    .argument('<original>', 'the image before')
    .argument('<result>', 'the image after')
    .requiredOption('--brain-mask <file>', 'the mask of the voxels that must be the same')
    .action((original: string, result: string, options: VerifyOptions) =>
      verify(session, original, result, options),
    );
  return addCommonOptions(command, { writes: false });
}

async function verify(
  session: Session,
  originalPath: string,
  resultPath: string,
  options: VerifyOptions,
): Promise<void> {
  session.begin(options);
  session.stage('read');
  const original = await loadImage(originalPath);
  const result = await loadImage(resultPath);
  const { mask } = readMask(await loadImage(options.brainMask, { allowConstant: true }), original.grid);
  session.stage('verify');
  const before = trace(original.stored, original.grid.shape, original.frames, mask.data);
  const checks = checkResult({ before, original, result, keep: mask.data, remodelled: true });
  session.facts.checks = checks;
  session.timer.end();
  const rows = Object.entries(checks);
  for (const [name, { passed, value }] of rows) session.say(`${passed ? 'ok  ' : 'FAIL'}  ${name}: ${value}`);
  const failed = rows.filter(([, { passed }]) => !passed).map(([name]) => name);
  if (failed.length > 0)
    throw new Refusal(
      'dataset-invalid',
      `expected a result that passes all checks, found failing: ${failed.join(', ')}`,
    );
}
