/**
 * Memory of a program and all that it starts, from /proc (Linux): the inference process is a child.
 *
 * @example
 * const { code, stdout, seconds, peakMb } = await runMeasured(process.execPath, ['bin/prosopon.mjs', 'deid', ...]);
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** A field of /proc/PID/status in MiB; 0 for a process that has ended. */
export function statusMb(pid, field) {
  try {
    const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(
      readFileSync(`/proc/${pid}/status`, 'utf8'),
    );
    return found === null ? 0 : Number(found[1]) / 1024;
  } catch {
    return 0;
  }
}

function childrenOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** A process and all that it started, itself first. */
export function tree(pid) {
  return [pid, ...childrenOf(pid).flatMap(tree)];
}

/**
 * @returns `peakMb`: the most that the tree held at one moment (looked at every 20 ms); `boundMb`: the sum of each
 * process' own peak (VmHWM), which it cannot have passed. Both null where there is no /proc.
 */
export async function runMeasured(command, args, options = {}) {
  const began = performance.now();
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr, peak] = ['', '', 0];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const highest = new Map();
  const timer = setInterval(() => {
    let sum = 0;
    for (const pid of tree(child.pid)) {
      sum += statusMb(pid, 'VmRSS');
      highest.set(pid, Math.max(highest.get(pid) ?? 0, statusMb(pid, 'VmHWM')));
    }
    peak = Math.max(peak, sum);
  }, 20);
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).finally(() => clearInterval(timer));
  const seconds = (performance.now() - began) / 1000;
  const bound = [...highest.values()].reduce((a, b) => a + b, 0);
  const known = peak > 0;
  return {
    code,
    stdout,
    stderr,
    seconds,
    peakMb: known ? Math.round(peak) : null,
    boundMb: known ? Math.round(bound) : null,
  };
}
