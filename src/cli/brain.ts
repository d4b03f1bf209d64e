/**
 * `prosopon brain IN MASK`: the brain mask that `deid` would use, for a person to look at or correct.
 *
 * @example
 * prosopon brain head.nii.gz mask.nii.gz
 */
import { Command } from 'commander';
import { outputNames } from '../formats/codecs.js';
import { finiteVolume } from '../formats/stored-image.js';
import { inputFiles, loadImage } from '../node/image-files.js';
import { claimImage, encodeMask, stageImage } from '../node/staged-images.js';
import { voxelMillilitres } from '../volume/volume.js';
import { addCommonOptions, IMAGE_HELP } from './options.js';
import type { CommonOptions, Session } from './session.js';

export function brainCommand(session: Session): Command {
  const command = new Command('brain')
    .description('find the brain and write its mask')
    .argument('<in>', IMAGE_HELP)
    .argument('<mask>', 'where the mask goes, in the format of the image')
    .action((input: string, output: string, options: CommonOptions) =>
      brain(session, input, output, options),
    );
  return addCommonOptions(command, { writes: true });
}

async function brain(session: Session, input: string, output: string, options: CommonOptions): Promise<void> {
  session.begin(options);
  const outputs = session.outputs({ force: options.force === true, inputs: inputFiles(input) });
  await claimImage(outputs, output);
  session.stage('read');
  const image = await loadImage(input);
  outputNames(output, image, 'a name of the mask');
  session.stage('brain');
  const volume = finiteVolume(image);
  const { signal } = session;
  const { mask } = await session.environment.extractBrain(volume, session.networks(), { signal });
  const millilitres = mask.data.reduce((sum, v) => sum + v, 0) * voxelMillilitres(mask.grid);
  session.stage('write');
  await stageImage(outputs, await encodeMask(image, mask, output));
  signal.throwIfAborted();
  await outputs.commit();
  session.facts.outputs = [output];
  session.timer.end();
  session.facts.results = { millilitres: Math.round(millilitres) };
  session.say(`done: a brain of ${millilitres.toFixed(0)} ml`);
}
