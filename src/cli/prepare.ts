/**
 * `prosopon prepare`: write model-grid volumes of a BIDS data set for training.
 *
 * @example
 * prosopon prepare BIDS_DIR OUT_DIR
 */
import { Command, Option } from 'commander';
import { type PreparedGrid, prepareDataset } from '../node/prepare-dataset.js';
import { addCommonOptions, wholeNumberIn } from './options.js';
import type { CommonOptions, Session } from './session.js';

/** The methods whose gamma holds the hull, by the registry. */
function knownToHull({ environment: { methods } }: Session): string {
  const names = methods.all.flatMap((method) =>
    method.kind === 'remodel' && method.conditioning === 'brain and convex hull' ? [method.name] : [],
  );
  return names.length === 0 ? '' : ` (${names.join(', ')})`;
}

export function prepareCommand(session: Session): Command {
  const command = new Command('prepare')
    .description('write model-grid volumes of a BIDS data set for training')
    .argument(
      '<bids-dir>',
      'data set: sub-ID/[ses-ID/]anat/*_T1w.nii.gz, participants.tsv with age, sex and split',
    )
    .argument('<out-dir>', 'where the volumes go; heads that are there already are kept')
    .addOption(new Option('--resolution <n>', 'voxels along 256 mm').choices(['128', '256']).default('128'))
    .addOption(
      new Option(
        '--grid <grid>',
        'the posed model cube, or the scan as it stands at 2 mm (for the segmentation network)',
      )
        .choices(['model', 'native'])
        .default('model'),
    )
    .option(
      '--hulls <n>',
      `also n draws (0 to 8) of the head's convex hull, for methods that are conditioned on it${knownToHull(session)}`,
      wholeNumberIn(0, 8),
      0,
    )
    .action(async (dataset: string, out: string) => {
      session.begin(command.opts<CommonOptions>());
      const { signal, extractBrain } = session.environment;
      const networks = session.networks();
      let [done, refused] = [0, 0];
      const events = prepareDataset(dataset, out, {
        signal,
        resolution: Number(command.opts<{ resolution: string }>().resolution) as 128 | 256,
        grid: command.opts<{ grid: PreparedGrid }>().grid,
        hulls: command.opts<{ hulls: number }>().hulls,
        force: command.opts<CommonOptions>().force === true,
        extractBrain: (volume) => extractBrain(volume, networks, { signal }),
      });
      for await (const event of events) {
        if (event.kind === 'note') {
          session.warn(event.text);
          continue;
        }
        if (event.kind === 'done') done++;
        else refused++;
        session.log(
          event.kind === 'done' ? `${done} ${event.row.id}` : `refused ${event.id}: ${event.reason}`,
        );
      }
      session.facts.checks = {
        prepared: { passed: done > 0, value: done },
        refused: { passed: true, value: refused },
      };
      session.facts.outputs.push(out);
    });
  return addCommonOptions(command, { writes: true });
}
