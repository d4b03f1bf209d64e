/**
 * `prosopon demo`: treat the bundled head that is nobody.
 *
 * @example
 * prosopon demo DIR
 */
import { Command } from 'commander';
import { Refusal } from '../errors/errors.js';
import { addCommonOptions } from './options.js';
import type { CommonOptions, Session } from './session.js';

export function demoCommand(session: Session): Command {
  const command = new Command('demo')
    .description('treat the bundled head that is nobody')
    .argument('[dir]', 'where the results go', 'prosopon-demo')
    .action(() => {
      session.begin(command.opts<CommonOptions>());
      throw new Refusal('model-unavailable', 'expected a build with "demo", found one without');
    });
  return addCommonOptions(command, { writes: true });
}
