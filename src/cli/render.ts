/**
 * `prosopon render IN PNG`: a picture of the head's surface, in the world's axes.
 *
 * @example
 * prosopon render out.nii.gz front.png --view front
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { isRefusal } from '../errors/errors.js';
import { finiteVolume } from '../formats/stored-image.js';
import { nodeDeflate } from '../node/deflate.js';
import { inputFiles, loadImage } from '../node/image-files.js';
import { encodePng } from '../render/png.js';
import { portrait } from '../render/portrait.js';
import { parseView, VIEWS, type View } from '../render/views.js';
import { addCommonOptions, fileEndingIn, IMAGE_HELP } from './options.js';
import type { CommonOptions, Session } from './session.js';

interface RenderOptions extends CommonOptions {
  readonly view: View;
}

function view(text: string): View {
  try {
    return parseView(text);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new InvalidArgumentError(`Expected ${Object.keys(VIEWS).join(', ')} or YAW,PITCH in degrees.`);
  }
}

export function renderCommand(session: Session): Command {
  const command = new Command('render')
    .description('draw the surface of a head; of an original, the picture identifies the person')
    .argument('<in>', IMAGE_HELP)
    .argument('<png>', 'where the picture goes, a name in .png', fileEndingIn('.png'))
    .addOption(
      new Option('--view <view>', `${Object.keys(VIEWS).join(', ')} or YAW,PITCH in degrees`)
        .argParser(view)
        .default(VIEWS.front, 'front'),
    )
    .action((input: string, output: string, options: RenderOptions) =>
      render(session, input, output, options),
    );
  return addCommonOptions(command, { writes: true });
}

async function render(
  session: Session,
  input: string,
  output: string,
  options: RenderOptions,
): Promise<void> {
  session.begin(options);
  await draw(session, input, output, options);
  session.facts.outputs = [output];
  session.timer.end();
  session.say('done');
}

/** The picture, in place and nothing said. */
export async function draw(
  session: Session,
  input: string,
  output: string,
  options: RenderOptions,
): Promise<void> {
  const outputs = session.outputs({ force: options.force === true, inputs: inputFiles(input) });
  await outputs.claim(output);
  session.stage('read');
  const image = await loadImage(input);
  session.stage('render');
  const { image: picture } = portrait(finiteVolume(image), { view: options.view });
  session.stage('write');
  await outputs.stage(output, encodePng(picture, nodeDeflate));
  session.signal.throwIfAborted();
  await outputs.commit();
}
