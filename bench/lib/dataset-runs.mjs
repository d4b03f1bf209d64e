/**
 * Runs of `prosopon bids` as benches need them: in a process group that can be killed whole, watched for memory and CPU time, and
 * what they left behind.
 *
 * @example
 * const run = startBids(['ds', 'out', 'participant', '--seed', '1']);
 * setTimeout(run.killGroup, 30_000);
 * const { json, seconds, cpuSeconds } = await run.ended;
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { statusMb, tree } from './process-tree.mjs';

const PROGRAM = fileURLToPath(new URL('../../bin/prosopon.mjs', import.meta.url));
/** Of the shell's own clock: what its children used, and theirs. */
const TIMED = 'TIMEFORMAT="cpu %U %S"; time "$@"';

/** Any command, timed. `cpuSeconds` is of all processes that had ended and were waited for; of a killed group it is unknown. */
export function startTimed(command, args) {
  const began = performance.now();
  const child = spawn('bash', ['-c', TIMED, '_', command, ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const [, user, system] = /cpu ([\d.]+) ([\d.]+)\s*$/.exec(stderr) ?? [];
      resolve({
        code,
        signal,
        stdout,
        stderr,
        seconds: (performance.now() - began) / 1000,
        cpuSeconds: user === undefined ? undefined : Number(user) + Number(system),
      });
    });
  });
  const killGroup = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  return { pid: child.pid, ended, killGroup };
}

/** `json`: what the command said of its end, undefined when it was killed. */
export function startBids(args) {
  const run = startTimed(process.execPath, [PROGRAM, 'bids', ...args, '--json', '--quiet']);
  const ended = run.ended.then((end) => {
    const line = end.stdout.trim();
    return { ...end, json: line === '' ? undefined : JSON.parse(line) };
  });
  return { ...run, ended };
}

function kindOf(pid) {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    if (command.includes('network-child')) return 'networks';
    if (command.includes('--worker')) return 'workers';
    return command.includes('prosopon.mjs') ? 'parent' : undefined;
  } catch {
    return undefined;
  }
}

/** Memory over time, MiB by kind of process; `stop()` gives the samples. */
export function watchMemory(pid, everyMs) {
  const began = performance.now();
  const samples = [];
  const timer = setInterval(() => {
    const sum = { parent: 0, workers: 0, networks: 0 };
    for (const each of tree(pid)) {
      const kind = kindOf(each);
      if (kind !== undefined) sum[kind] += statusMb(each, 'VmRSS');
    }
    samples.push({ seconds: (performance.now() - began) / 1000, ...sum });
  }, everyMs);
  return {
    stop() {
      clearInterval(timer);
      return samples;
    },
  };
}

/** Least squares: units of `y` a unit of `x`. */
export function slope(points) {
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const [mx, my] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const over = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return over / points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    .sort();
}

/** SHA-256 by path of every file; the dates of CHANGES, which are those of the run, count as one. */
export function digests(folder) {
  return Object.fromEntries(
    filesUnder(folder).map((path) => {
      const bytes = readFileSync(join(folder, path));
      const content = path === 'CHANGES' ? bytes.toString().replace(/\d{4}-\d\d-\d\d/g, 'DATE') : bytes;
      return [path, createHash('sha256').update(content).digest('hex')];
    }),
  );
}

/** Records of the work folder, by path of the image. */
export function recordsOf(work) {
  const folder = join(work, 'records');
  return filesUnder(folder)
    .filter((path) => path.endsWith('.json'))
    .map((path) => JSON.parse(readFileSync(join(folder, path), 'utf8')));
}
