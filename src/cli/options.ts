/**
 * Parsing of option values, and the options that all commands share. A value that cannot be parsed is wrong usage
 * (exit 2); one that can but does not fit the input is a Refusal (exit 1).
 *
 * @example
 * addCommonOptions(new Command('deid')).option('--brain-margin-mm <x>', 'keep more', numberIn(0, 20));
 */
import { type Command, InvalidArgumentError, Option } from 'commander';

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
    .option('--quiet', 'print nothing but errors')
    .option('--threads <n>', 'threads of the networks', wholeNumberIn(1, 256))
    .option('--models <dir>', 'networks to use instead of those that came with the program')
    .addOption(new Option('--device <name>', 'where networks run').choices(['cpu', 'webgpu']));
  if (writes) command.option('--force', 'replace what stands at the output path');
  return command;
}
