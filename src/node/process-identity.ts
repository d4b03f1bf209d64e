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

function startOf(pid: number): string {
  try {
    // The name of the program, in parentheses, may hold anything; the start is the 20th field behind it.
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

export function thisProcess(): ProcessIdentity {
  return { host: thisHost(), pid: process.pid, started: startOf(process.pid) };
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
  const now = startOf(pid);
  return started !== '' && now !== '' && now !== started ? 'gone' : 'running';
}
