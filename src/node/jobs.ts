/**
 * How many scans at a time, by cores and by memory, whichever is less.
 *
 * @example
 * const jobs = usualJobs({ pieces: 149 });
 */
import { availableParallelism, freemem } from 'node:os';

/** A scan of 256 x 256 x 190 at 256^3 took 1.6 GB with its networks; a worker is not started without this much. */
const BYTES_A_JOB = 2 * 2 ** 30;
/** Networks gain little from more. */
const THREADS_A_JOB = 2;

export interface Capacity {
  /** Pieces of work: more workers than these are not started. */
  readonly pieces: number;
  /** Cores that may be used; all of the machine when absent. */
  readonly cores?: number;
  /** Memory that may be used, bytes; what is free when absent. */
  readonly bytes?: number;
  /** Threads that one worker makes use of; 1 where there are many pieces, as two of them in two workers take less time than in one. */
  readonly threads?: number;
}

export function usualJobs({ pieces, cores, bytes, threads = THREADS_A_JOB }: Capacity): number {
  const free = typeof process.availableMemory === 'function' ? process.availableMemory() : freemem();
  const fit = Math.min(
    Math.ceil(Math.min(cores ?? Number.POSITIVE_INFINITY, availableParallelism()) / threads),
    Math.floor(Math.min(bytes ?? Number.POSITIVE_INFINITY, free) / BYTES_A_JOB),
    pieces,
  );
  return Math.max(1, fit);
}
