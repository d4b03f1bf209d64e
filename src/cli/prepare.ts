/**
 * `prosopon prepare`: write model-grid volumes of a BIDS data set for training.
 *
 * @example
 * prosopon prepare BIDS_DIR OUT_DIR
 */
import { Command } from 'commander';
import { Refusal } from '../errors/errors.js';
import { addCommonOptions } from './options.js';
import type { CommonOptions, Session } from './session.js';

export function prepareCommand(session: Session): Command {
  const command = new Command('prepare')
    .description('write model-grid volumes of a BIDS data set for training')
    .argument('<bids-dir>', 'data set')
    .argument('<out-dir>', 'where the volumes go')
    .action(() => {
      session.begin(command.opts<CommonOptions>());
      throw new Refusal('model-unavailable', 'expected a build with "prepare", found one without');
    });
  return addCommonOptions(command, { writes: true });
}
