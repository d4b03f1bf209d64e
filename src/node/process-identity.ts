/**
 * Who wrote something down: a process that may be gone by the time that it is read. A number alone is given again to
 * another process, and means nothing on another machine.
 *
 * @example
 * writeFileSync('owner', JSON.stringify(thisProcess()));
 * if (stateOf(parseIdentity(readFileSync('owner', 'utf8'))) === 'gone') rmSync('owner');
 */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import * as v from 'valibot';

const IdentitySchema = v.object({
  host: v.string(),
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** When it started, by the system's own count; empty where the system does not say. */
  started: v.string(),
});
export type ProcessIdentity = v.InferOutput<typeof IdentitySchema>;

/**
 * The machine and the boot, where there is such a thing: numbers of processes begin anew with each. Containers on one machine
 * share the boot and have names of their own.
 */
function thisHost(): string {
  let boot = '';
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Not Linux: the name alone has to do.
  }
  return `${hostname()} ${boot}`.trim();
}

/** State and start of a process; empty where the system does not say. */
function factsOf(pid: number): { readonly state: string; readonly started: string } {
  try {
    // The name of the program, in parentheses, may hold anything; the state is the first field behind it, the start the 20th.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', started: fields[19] ?? '' };
  } catch {
    return { state: '', started: '' };
  }
}

export function thisProcess(): ProcessIdentity {
  return { host: thisHost(), pid: process.pid, started: factsOf(process.pid).started };
}

/** Undefined for text that is none, as a process that was killed may leave it. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const parsed = v.safeParse(IdentitySchema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/** `elsewhere`: of another machine or another container, of which nothing can be said from here. */
export function stateOf({ host, pid, started }: ProcessIdentity): 'running' | 'gone' | 'elsewhere' {
  if (host !== thisHost()) return 'elsewhere';
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process is one all the same.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return 'gone';
  }
  const { state, started: now } = factsOf(pid);
  // Ended, and nobody has asked how: in a container whose first process collects no children it stays so for long.
  if (state === 'Z' || state === 'X') return 'gone';
  return started !== '' && now !== '' && now !== started ? 'gone' : 'running';
}
