/**
 * Parsing of option values, and the options that all commands share. A value that cannot be parsed is wrong usage
 * (exit 2); one that can but does not fit the input is a Refusal (exit 1).
 *
 * @example
 * addCommonOptions(new Command('deid')).option('--brain-margin-mm <x>', 'keep more', numberIn(0, 20));
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { IMAGE_ENDINGS } from '../formats/codecs.js';

export function wholeNumberIn(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < low || value > high)
      throw new InvalidArgumentError(`Expected a whole number from ${low} to ${high}.`);
    return value;
  };
}

export function numberIn(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value >= low && value <= high))
      throw new InvalidArgumentError(`Expected a number from ${low} to ${high}.`);
    return value;
  };
}

/** What images are read, for the help. */
export const IMAGE_HELP = `image (${IMAGE_ENDINGS})`;

/** A path that ends in one of `endings`: a picture under the name of a scan is taken for a scan. */
export function fileEndingIn(...endings: readonly string[]): (text: string) => string {
  return (text) => {
    if (!endings.some((ending) => text.toLowerCase().endsWith(ending)))
      throw new InvalidArgumentError(`Expected a file name that ends in ${endings.join(' or ')}.`);
    return text;
  };
}

export interface Pair {
  readonly input: string;
  readonly output: string;
}

/** IMG=OUT, collected. The last `=` divides, as a path may hold one. */
export function inputOutputPair(text: string, before: readonly Pair[] = []): Pair[] {
  const at = text.lastIndexOf('=');
  if (at <= 0 || at === text.length - 1) throw new InvalidArgumentError('Expected IMG=OUT.');
  return [...before, { input: text.slice(0, at), output: text.slice(at + 1) }];
}

export function addCommonOptions(command: Command, { writes }: { writes: boolean }): Command {
  command
    .option('--json', 'print one JSON object on stdout')
    .option('--quiet', 'print nothing but warnings and errors')
    .option('--threads <n>', 'threads of the networks, 1 to 256', wholeNumberIn(1, 256))
    .option('--models <dir>', 'networks to use instead of those that came with the program')
    .addOption(new Option('--device <name>', 'where networks run').choices(['cpu', 'webgpu']));
  if (writes) command.option('--force', 'replace what stands at the output path');
  return command;
}
