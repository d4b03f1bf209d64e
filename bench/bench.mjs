/**
 * How fast: GFLOP and wall time of each installed network beside a plain matrix product of the same arithmetic, in the
 * same inference process; then `prosopon deid` on a head of 256^3 at 1 mm, each run a fresh process, start-up included:
 * the fastest and the median of --commands runs.
 *
 * Machines differ and are shared: compare ratios. Tables go to stdout; --json FILE writes the same as JSON.
 *
 * @example
 * npm run bench -- [--models DIR] [--threads N] [--runs 5] [--commands 5] [--method cp-mae] [--head FILE] [--networks-only] [--json FILE]
 */
import '../scripts/lib/help.mjs';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createMethods } from '../dist/methods/registry.js';
import { listModels, packagedModels, readModel, weightsPath } from '../dist/node/networks/node-models.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { Random } from '../dist/volume/random.js';
import { rulerModels } from '../packages/ruler/dist/run/models.js';
import { writeBenchHead } from './lib/bench-head.mjs';
import { runMeasured } from './lib/process-tree.mjs';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string' },
    threads: { type: 'string', default: String(Math.min(4, availableParallelism())) },
    runs: { type: 'string', default: '5' },
    commands: { type: 'string', default: '5' },
    method: { type: 'string', default: 'cp-mae' },
    head: { type: 'string' },
    'networks-only': { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const threads = Number(options.threads);
const runs = Math.max(1, Number(options.runs));
const commands = Math.max(1, Number(options.commands));
/** The product's networks and the ruler's, unless a folder is named. */
const models = options.models ?? [packagedModels(), rulerModels()];
/** Edge of the product's matrices: 2 GFLOP a time, the size at which a product is as fast as it gets here. */
const EDGE = 1024;
const PRODUCT_GFLOP = (2 * EDGE ** 3) / 1e9;

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const random = new Random(Uint32Array.of(9, 8, 7, 6, 5, 4, 3, 2));

/** Median seconds of `count` runs after one that is not counted. */
async function time(models, name, feeds, count) {
  const seconds = [];
  let loadSeconds = 0;
  const runner = new NodeNetworkRunner({
    models,
    threads,
    onRun: (record) => {
      loadSeconds = Math.max(loadSeconds, record.loadSeconds);
      seconds.push(record.runSeconds);
    },
  });
  try {
    for (let i = 0; i <= count; i++) await runner.run(name, feeds);
    return { seconds: median(seconds.slice(1)), loadSeconds, peakMb: Math.round(runner.peakMemoryMb) };
  } finally {
    await runner.close();
  }
}

function feedsOf(description) {
  return Object.fromEntries(
    description.inputs.map(({ name, shape, type }) => {
      if (shape.some((n) => typeof n !== 'number')) throw new Error(`${name}: model.json gives no size`);
      const count = shape.reduce((a, b) => a * b, 1);
      const data = Float32Array.from({ length: count }, () => random.uniform());
      return [name, { data: type === 'float32' ? data : Uint8Array.from(data, (v) => 255 * v), shape }];
    }),
  );
}

/** Processor time so far, in ticks: all, and what the host gave to others (Linux alone); a shared host cannot be told otherwise. */
async function processorTime() {
  const text = await readFile('/proc/stat', 'utf8').catch(() => '');
  const ticks = /^cpu +(.*)$/m.exec(text)?.[1]?.split(' ').map(Number);
  return ticks === undefined ? null : { all: ticks.slice(0, 8).reduce((a, b) => a + b, 0), stolen: ticks[7] };
}

/** From model.json, where export wrote it, else counted with Python, else unknown. */
function gflopOf(description, models) {
  const { gflop } = description.settings;
  if (typeof gflop === 'number') return gflop;
  const file = weightsPath(description.name, models);
  const counted = spawnSync('python3', [here('../scripts/count-flops.py'), file], { encoding: 'utf8' });
  return counted.status === 0 ? JSON.parse(counted.stdout)[file] : null;
}

/** Seconds of plain matrix products with that much arithmetic, in an inference process of their own kind. */
async function productSeconds(gflop) {
  const steps = Math.max(1, Math.round(gflop / PRODUCT_GFLOP));
  // a reflection: lengths stay, so that no step meets infinities or denormals
  const axis = Float32Array.from({ length: EDGE }, () => random.normal());
  const square = axis.reduce((sum, v) => sum + v * v, 0);
  const a = Float32Array.from({ length: EDGE ** 2 }, (_, o) => {
    const [row, column] = [(o / EDGE) | 0, o % EDGE];
    return (row === column ? 1 : 0) - (2 * axis[row] * axis[column]) / square;
  });
  const b = Float32Array.from({ length: EDGE ** 2 }, () => random.normal());
  const shape = [EDGE, EDGE];
  const feeds = {
    a: { data: a, shape },
    b: { data: b, shape },
    steps: { data: Int32Array.of(steps), shape: [] },
  };
  const { seconds } = await time(here('models'), 'product', feeds, Math.min(runs, 5));
  return (seconds * gflop) / (steps * PRODUCT_GFLOP);
}

async function benchNetworks() {
  const rows = [];
  for (const name of await listModels(models)) {
    const description = await readModel(name, models);
    const gflop = gflopOf(description, models);
    const { seconds, loadSeconds, peakMb } = await time(models, name, feedsOf(description), runs);
    const plain = gflop === null || gflop < 0.05 ? null : await productSeconds(gflop);
    rows.push({
      name,
      gflop,
      ms: 1000 * seconds,
      loadMs: 1000 * loadSeconds,
      gflopPerSecond: gflop === null ? null : gflop / seconds,
      timesPlainProduct: plain === null ? null : seconds / plain,
      peakMb,
    });
  }
  return rows;
}

async function benchCommand() {
  const folder = await mkdtemp(join(tmpdir(), 'prosopon-bench-'));
  try {
    const rows = [];
    // The model's own two grids, and the fast setting on a fine scan.
    for (const { edge, resolution } of [
      { edge: 256, resolution: '256' },
      { edge: 128, resolution: '128' },
      { edge: 256, resolution: '128' },
    ]) {
      const { head, mask } = await writeBenchHead(folder, options.head, edge);
      const args = [
        here('../bin/prosopon.mjs'),
        ...['deid', head, join(folder, `out-${edge}-${resolution}.nii.gz`), '--json', '--seed', '1'],
        ...['--resolution', resolution, '--threads', String(threads), '--method', options.method],
        ...(mask === undefined ? [] : ['--brain-mask', mask]),
      ];
      const measured = [];
      for (let i = 0; i < commands; i++) {
        const before = await processorTime();
        const run = await runMeasured(process.execPath, [...args, '--force']);
        const after = await processorTime();
        const stolen =
          before && after ? (100 * (after.stolen - before.stolen)) / (after.all - before.all) : null;
        measured.push({ ...run, stolen });
      }
      measured.sort((one, other) => one.seconds - other.seconds);
      // The fastest says what the program needs; the median what this machine made of it.
      const [run] = measured;
      const said = run.stdout.trim() === '' ? {} : JSON.parse(run.stdout);
      const { status = 'failed', message: reason = run.stderr.trim(), stages = {} } = said;
      const { code, seconds, stolen, boundMb } = run;
      rows.push({
        input: `${edge}^3`,
        resolution,
        code,
        status,
        reason,
        seconds,
        stolenPercent: stolen,
        medianSeconds: measured[measured.length >> 1].seconds,
        runs: measured.map((one) => ({ seconds: one.seconds, stolenPercent: one.stolen })),
        peakMb: Math.max(...measured.map((one) => one.peakMb)),
        boundMb,
        stages,
        maskGiven: !!mask,
      });
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function table(rows, columns) {
  const cell = (value) =>
    value === null || value === undefined
      ? '-'
      : typeof value === 'number'
        ? value.toFixed(Math.abs(value) < 10 ? 2 : 0)
        : String(value);
  const lines = [columns, ...rows.map((row) => columns.map((key) => cell(row[key])))];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  const text = (line) => `| ${line.map((c, i) => c.padEnd(widths[i])).join(' | ')} |`;
  console.log(
    [text(lines[0]), text(widths.map((w) => '-'.repeat(w))), ...lines.slice(1).map(text)].join('\n'),
  );
}

const result = {
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  threads,
  networks: [],
  command: [],
};
result.networks = await benchNetworks();
console.log(`${result.cpu}, ${threads} threads, Node ${result.node}; median of ${runs} runs\n`);
if (result.networks.length === 0) console.log('no network is installed in the models folder');
else
  table(result.networks, ['name', 'gflop', 'ms', 'gflopPerSecond', 'timesPlainProduct', 'loadMs', 'peakMb']);

const installed = result.networks.map(({ name }) => name);
const [method] = createMethods().all;
const missing = (method?.models ?? []).filter((name) => !installed.includes(name));
if (options['networks-only'] || options.models !== undefined)
  console.log('\nprosopon deid: not run (it uses the networks of the package)');
else if (missing.length > 0) console.log(`\nprosopon deid: not run, not installed: ${missing.join(', ')}`);
else {
  result.command = await benchCommand();
  console.log(
    `\nprosopon deid, a fresh process each (256^3: 1 mm, 128^3: 2 mm); the fastest of ${commands}, and how much of the machine its host gave to others meanwhile:`,
  );
  table(result.command, [
    ...['input', 'resolution', 'status', 'seconds', 'stolenPercent', 'medianSeconds'],
    ...['peakMb', 'boundMb', 'maskGiven'],
  ]);
  for (const { input, resolution, status, stages, reason } of result.command) {
    const parts = Object.entries(stages).map(([stage, s]) => `${stage} ${s.toFixed(2)}`);
    console.log(`${input} at ${resolution}: ${status === 'done' ? parts.join(', ') : reason}`);
  }
}
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
if (result.command.some(({ code }) => code !== 0)) process.exitCode = 1;
