/**
 * How long the command takes to begin: `prosopon --version`, `prosopon --help`, and a whole `deid` of a head of 128^3 at 2 mm, each
 * run a fresh process. With --against, another built checkout takes its turn after each run of this one, so that both meet
 * the same load; ratios are of this one over the other. Processor time is the processes' own (Linux alone), which a busy
 * machine changes less than wall time.
 *
 * @example
 * npm run bench -- start-up [--against CHECKOUT] [--runs 20] [--deid 3] [--method cp-mae]
 */
import '../scripts/lib/help.mjs';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeBenchHead } from './lib/bench-head.mjs';

const { values: options } = parseArgs({
  allowPositionals: true,
  options: {
    against: { type: 'string' },
    runs: { type: 'string', default: '20' },
    deid: { type: 'string', default: '3' },
    method: { type: 'string', default: 'cp-mae' },
  },
});
const here = fileURLToPath(new URL('..', import.meta.url));
const roots = options.against === undefined ? [here] : [here, options.against];
const folder = mkdtempSync(join(tmpdir(), 'start-up-'));
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Seconds of processor time of all children that have ended. */
function childSeconds() {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1].split(' ');
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return Number.NaN;
  }
}

function once(root, args) {
  const [began, used] = [performance.now(), childSeconds()];
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin/prosopon.mjs'), ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`prosopon ${args[0]} ended with ${status}: ${stderr}`);
  return { wall: (performance.now() - began) / 1000, used: childSeconds() - used };
}

const head = (await writeBenchHead(folder, undefined, 128)).head;
const deid = [
  ...['deid', head, join(folder, 'out.nii.gz'), '--method', options.method, '--resolution', '128'],
  ...['--seed', '1', '--force', '--quiet'],
];
/** @type {[string, string[], number][]} */
const rows = [
  ['--version', ['--version'], Number(options.runs)],
  ['--help', ['--help'], Number(options.runs)],
  [`deid, 128^3, ${options.method}`, deid, Number(options.deid)],
];
console.log('| | N | wall s, least | median | processor s, mean |');
console.log('|---|---|---|---|---|');
for (const [title, args, count] of rows) {
  const seen = roots.map(() => []);
  for (const root of roots) if (count > 0) once(root, args);
  for (let i = 0; i < count; i++) for (const [r, root] of roots.entries()) seen[r].push(once(root, args));
  const figures = seen.map((runs) => {
    const walls = runs.map(({ wall }) => wall);
    return [Math.min(...walls), median(walls), runs.reduce((sum, { used }) => sum + used, 0) / runs.length];
  });
  if (count === 0) continue;
  for (const [r, row] of figures.entries())
    console.log(
      `| ${title}, ${r === 0 ? 'this' : 'against'} | ${count} | ${row.map((v) => v.toFixed(3)).join(' | ')} |`,
    );
  if (figures.length === 2)
    console.log(`| ratio | | ${figures[0].map((v, k) => (v / figures[1][k]).toFixed(2)).join(' | ')} |`);
}
rmSync(folder, { recursive: true, force: true });
