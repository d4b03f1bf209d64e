/**
 * Which share of the people a run has: `--shard 3/8`, or the place of a Slurm job in its array.
 *
 * @example
 * const share = parseShare('slurm', process.env); // { index: 3, count: 8 }
 */
import { Refusal } from '../../errors/errors.js';
import type { Share } from '../lock.js';

const MOST = 100_000;

/** @throws {Refusal} option-invalid */
export function parseShare(text: string, environment: Readonly<Record<string, string | undefined>>): Share {
  if (text === 'slurm') return shareOfArray(environment);
  const match = /^(\d{1,6})\/(\d{1,6})$/.exec(text);
  const [index, count] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || index < 1 || index > count || count > MOST)
    throw new Refusal(
      'option-invalid',
      `expected --shard I/N with I from 1 to N, or --shard slurm; found something else`,
    );
  return { index, count };
}

function shareOfArray(environment: Readonly<Record<string, string | undefined>>): Share {
  const read = (name: string): number => {
    const value = Number(environment[name]);
    if (environment[name] === undefined || !Number.isInteger(value))
      throw new Refusal(
        'option-invalid',
        `expected the variables of a Slurm array with --shard slurm, found no ${name}`,
      );
    return value;
  };
  const [id, first, last, count] = [
    read('SLURM_ARRAY_TASK_ID'),
    read('SLURM_ARRAY_TASK_MIN'),
    read('SLURM_ARRAY_TASK_MAX'),
    read('SLURM_ARRAY_TASK_COUNT'),
  ];
  const step = environment.SLURM_ARRAY_TASK_STEP === undefined ? 1 : read('SLURM_ARRAY_TASK_STEP');
  if (count > MOST || last - first !== step * (count - 1) || (id - first) % step !== 0)
    throw new Refusal(
      'option-invalid',
      'expected an array without gaps (--array=1-8) with --shard slurm, found one with gaps; say which share it is (--shard 3/8)',
    );
  return { index: (id - first) / step + 1, count };
}

/** Every count-th of them, beginning with the index-th: which they are does not depend on how far others are. */
export function shareOf<T>(all: readonly T[], share: Share | undefined): T[] {
  return share === undefined ? [...all] : all.filter((_, i) => i % share.count === share.index - 1);
}

/** Cores and bytes that Slurm has given this job, where it says so. */
export function slurmCapacity(environment: Readonly<Record<string, string | undefined>>): {
  cores?: number;
  bytes?: number;
} {
  const cores = Number(environment.SLURM_CPUS_PER_TASK);
  const megabytes = Number(environment.SLURM_MEM_PER_NODE);
  return {
    ...(cores >= 1 ? { cores } : {}),
    ...(megabytes >= 1 ? { bytes: megabytes * 2 ** 20 } : {}),
  };
}
