/**
 * Options of how heads are treated, the same for every command that treats whole folders.
 *
 * @example
 * addMethodOptions(new Command('dicom'), session.environment.methods);
 */
import { type Command, Option } from 'commander';
import { FOUND_MARGIN_MM } from '../deidentify/pipeline.js';
import { KEEP, type Keep } from '../methods/options.js';
import type { MethodRegistry } from '../methods/registry.js';
import { numberIn } from './options.js';

export interface MethodOptions {
  readonly method?: string;
  readonly resolution: '128' | '256';
  readonly keep: Keep;
  readonly brainMarginMm?: number;
}

export function addMethodOptions(command: Command, methods: MethodRegistry): Command {
  return command
    .addOption(
      new Option('--method <name>', `how (default: ${methods.names[0] ?? 'none'})`).choices([
        ...methods.names,
      ]),
    )
    .addOption(
      new Option('--resolution <n>', 'voxels along the model cube').choices(['128', '256']).default('256'),
    )
    .addOption(new Option('--keep <what>', 'what keeps its bits').choices([...KEEP]).default(KEEP[0]))
    .option(
      '--brain-margin-mm <x>',
      `keep also what is this near the brain, 0 to 20 (default: ${FOUND_MARGIN_MM})`,
      numberIn(0, 20),
    );
}
