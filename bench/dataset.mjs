/**
 * `prosopon bids` over a whole data set: flat memory, kills and a full disk survived, workers that pay, and scans an hour against a shell
 * loop of another build. Needs `npm run build`, Linux; --disturbed also needs root, for a small file system of its own.
 *
 * Usage: node bench/dataset.mjs MODE [MODE...] --work FOLDER
 *   --undisturbed   N scans of nobody, once; scans an hour, memory of parent, workers and networks over the time
 *   --disturbed     after it: the same with kill -9 of the process group every 30 s and a disk that is full for a while, until a run
 *                   ends by itself; compared with the undisturbed one byte for byte
 *   --workers       the first --subset scans with one and with two workers in turns
 *   --against DIR   heads of 1 and 2 mm (PROSOPON_DATA; real people: FOLDER is not for keeping): `bids --jobs 2` at 256 in turns
 *                   with a shell loop, two at a time, of the build in DIR
 * Options: --scans 1000 --jobs 2 --every 30 --subset 40 --rounds 1 --heads 12
 */
import '../scripts/lib/help.mjs';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cohort, dataFolder } from './lib/cohort.mjs';
import {
  digests,
  filesUnder,
  recordsOf,
  slope,
  startBids,
  startTimed,
  watchMemory,
} from './lib/dataset-runs.mjs';
import { makeSmallDataset } from './lib/small-dataset.mjs';

const { values: options } = parseArgs({
  options: {
    undisturbed: { type: 'boolean' },
    disturbed: { type: 'boolean' },
    workers: { type: 'boolean' },
    against: { type: 'string' },
    work: { type: 'string' },
    scans: { type: 'string', default: '1000' },
    jobs: { type: 'string', default: '2' },
    every: { type: 'string', default: '30' },
    subset: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '1' },
    heads: { type: 'string', default: '12' },
  },
});
if (options.work === undefined) {
  console.error('usage: node bench/dataset.mjs MODE --work FOLDER');
  process.exit(2);
}
const { work } = options;
mkdirSync(work, { recursive: true });
const scans = Number(options.scans);
const SMALL = ['participant', '--resolution', '128', '--seed', '1'];
const anHour = (count, seconds) => Math.round((3600 * count) / seconds);
const load = () => readFileSync('/proc/loadavg', 'utf8').split(' ')[0];
let missed = 0;

/** One line of the verdict. */
function require(holds, what) {
  console.log(`${holds ? 'holds ' : 'MISSED'} ${what}`);
  if (!holds) missed++;
}

/** @returns folder of a data set of `count` scans, made once */
async function small(count) {
  const folder = join(work, `small-${count}`);
  if (!existsSync(join(folder, 'dataset_description.json'))) {
    const { people } = await makeSmallDataset(folder, count);
    console.log(`made ${count} scans of ${people} people`);
  }
  return folder;
}

function fresh(name) {
  const out = join(work, name);
  for (const folder of [out, `${out}-work`]) rmSync(folder, { recursive: true, force: true });
  return out;
}

async function undisturbed() {
  const out = fresh('undisturbed');
  const run = startBids([await small(scans), out, ...SMALL, '--jobs', options.jobs]);
  const memory = watchMemory(run.pid, 1000);
  const { code, json, seconds, cpuSeconds, stderr } = await run.ended;
  const samples = memory.stop();
  console.log(`undisturbed: exit ${code}, ${JSON.stringify(json?.summary)}, load ${load()}`);
  if (json?.summary === undefined) throw new Error(`it did not end well: ${stderr}`);
  console.log(
    `${scans} scans in ${seconds.toFixed(0)} s (${anHour(scans, seconds)} an hour), ${(cpuSeconds / scans).toFixed(2)} s of CPU each`,
  );
  // The first fifth is warming up: code is compiled, networks are loaded.
  const warm = samples.filter(({ seconds: at }) => at > seconds / 5);
  for (const kind of ['parent', 'workers', 'networks']) {
    const peak = Math.max(...samples.map((sample) => sample[kind]));
    const growth = slope(warm.map((sample) => [(sample.seconds * scans) / seconds, sample[kind]]));
    console.log(
      `${kind}: peak ${peak.toFixed(0)} MiB, ${(1000 * growth).toFixed(0)} MiB more in 1,000 scans`,
    );
  }
  // By fifths of the run: a leak climbs, garbage goes up and down.
  const total = ({ parent, workers, networks }) => parent + workers + networks;
  const fifths = Array.from({ length: 5 }, (_, i) => {
    const part = samples.filter(({ seconds: at }) => Math.floor((5 * at) / (seconds + 1)) === i);
    return Math.round(part.reduce((sum, sample) => sum + total(sample), 0) / Math.max(1, part.length));
  });
  console.log(`all together by fifths of the run: ${fifths.join(', ')} MiB`);
  require(fifths[4] <= 1.1 * fifths[1], 'memory is flat: the last fifth at most 10 % over the second');
  writeFileSync(join(work, 'undisturbed.json'), JSON.stringify({ scans, digests: digests(out) }));
}

/** A file system of its own, so that it can be filled. */
function mountSmall(megabytes) {
  const folder = join(work, 'small-disk');
  mkdirSync(folder, { recursive: true });
  spawnSync('umount', [folder]);
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder]);
  if (status !== 0) throw new Error(`a file system could not be mounted: ${stderr}`);
  return folder;
}

async function disturbed() {
  const before = JSON.parse(readFileSync(join(work, 'undisturbed.json'), 'utf8'));
  if (before.scans !== scans) throw new Error('run --undisturbed with the same --scans first');
  const input = await small(scans);
  const disk = mountSmall(200 + scans);
  const ballast = join(disk, 'ballast');
  try {
    const out = join(disk, 'out');
    const ends = [];
    let [kills, fulls] = [0, 0];
    for (let turn = 1; ; turn++) {
      if (turn > 40 + scans) throw new Error('runs do not come to an end');
      // In the third turn the disk fills up in the middle of work, and stays full for the fourth to begin on.
      const filling = turn === 3;
      const run = startBids([input, out, ...SMALL, '--jobs', options.jobs]);
      const timers = [setTimeout(run.killGroup, 1000 * Number(options.every))];
      if (filling)
        timers.push(
          setTimeout(() => {
            fulls++;
            spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=1M'], { stdio: 'ignore' });
          }, 500 * Number(options.every)),
        );
      const { signal, code, json, stderr } = await run.ended;
      for (const timer of timers) clearTimeout(timer);
      const killed = signal === 'SIGKILL';
      if (killed) kills++;
      // What a killed group leaves to the system is gone.
      if (killed) await wait(300);
      const counts = {};
      for (const { status } of recordsOf(`${out}-work`)) counts[status] = (counts[status] ?? 0) + 1;
      const said = killed ? 'killed' : `exit ${code} ${json?.reason ?? ''}`;
      const full = existsSync(ballast) ? ', disk full' : '';
      console.log(`run ${turn}: ${said}${full}; records ${JSON.stringify(counts)}`);
      if (!killed && json === undefined) console.log(stderr.trim().slice(0, 500));
      ends.push(said);
      if (turn === 4) rmSync(ballast, { force: true });
      const whole = json?.summary !== undefined && json.summary.failed === 0 && turn > 4;
      if (whole) break;
    }
    console.log(
      `disturbed: ${ends.length} runs, ${kills} killed, disk full ${fulls} time, ends without a kill: ${ends.filter((end) => end !== 'killed').join(', ')}`,
    );
    judge(out, before.digests);
  } finally {
    spawnSync('umount', [disk]);
  }
}

/** What must hold at the end, whatever came in between. */
function judge(out, expected) {
  const records = recordsOf(`${out}-work`);
  const ended = records.filter(({ status }) => status === 'done' || status === 'refused');
  require(ended.length === scans &&
    records.length === scans, `every scan done or refused: ${ended.length} of ${scans}`);
  const found = digests(out);
  const differing = [...new Set([...Object.keys(expected), ...Object.keys(found)])].filter(
    (path) => expected[path] !== found[path],
  );
  require(differing.length ===
    0, `${Object.keys(expected).length} files byte for byte those of the undisturbed run; others: ${differing.slice(0, 5).join(' ') || 'none'}`);
  const done = new Set(
    records.flatMap(({ status, output }) =>
      status === 'done' ? [output, output.replace(/\.nii(\.gz)?$/, '.json')] : [],
    ),
  );
  const unverified = filesUnder(out).filter((path) => path.startsWith('sub-') && !done.has(path));
  require(unverified.length === 0, `files of a scan without a record that it is done: ${unverified.length}`);
  const left = [out, `${out}-work`].flatMap((folder) =>
    filesUnder(folder).filter((path) => /(^|\/)\.prosopon|\.part$/.test(path)),
  );
  require(left.length ===
    0, `leftovers in output and work folder: ${left.length} ${left.slice(0, 3).join(' ')}`);
}

async function workers() {
  const count = Number(options.subset);
  const input = await small(count);
  const seconds = { 1: 0, 2: 0 };
  for (let round = 0; round < Number(options.rounds); round++)
    for (const jobs of round % 2 === 0 ? [1, 2] : [2, 1]) {
      const { code, json, ...end } = await startBids([input, fresh('workers'), ...SMALL, '--jobs', `${jobs}`])
        .ended;
      seconds[jobs] += end.seconds;
      console.log(
        `--jobs ${jobs}: exit ${code}, ${json?.summary?.done} done, ${anHour(count, end.seconds)} scans an hour, ${(end.cpuSeconds / count).toFixed(2)} s of CPU each, load ${load()}`,
      );
    }
  const ratio = seconds[1] / seconds[2];
  require(ratio >=
    1.8, `two workers over one: ${ratio.toFixed(2)} times the scans an hour (${count} scans, target 1.8)`);
}

/** 1 mm heads that HEADS.md names as T1w and whose header it believes; half of what is asked for at most. */
function fineHeads(folder, most) {
  return readFileSync(join(folder, 'HEADS.md'), 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, file = '', , , , mm = '', axes = '', contrast = '']) => {
      const sizes = mm.split('x').map(Number);
      return (
        file.endsWith('.nii.gz') &&
        contrast.startsWith('T1w') &&
        !axes.includes('wrong') &&
        sizes.every((size) => size > 0.7 && size < 1.2)
      );
    })
    .map(([, file]) => join(folder, 'heads', file))
    .slice(0, most);
}

async function against(build) {
  const count = Number(options.heads);
  const data = dataFolder();
  const fine = fineHeads(data, Math.floor(count / 2));
  const coarse = (await cohort(data, 'test')).slice(0, count - fine.length).map(({ scan }) => scan);
  const input = join(work, 'heads');
  rmSync(input, { recursive: true, force: true });
  mkdirSync(input);
  writeFileSync(join(input, 'dataset_description.json'), '{"Name":"heads","BIDSVersion":"1.10.0"}');
  // In turns: both ways meet large and small ones evenly.
  const heads = Array.from({ length: coarse.length }, (_, i) => [coarse[i], fine[i]])
    .flat()
    .filter(Boolean);
  const files = heads.map((head, i) => {
    const subject = `sub-${String(i + 1).padStart(2, '0')}`;
    const file = join(input, subject, 'anat', `${subject}_T1w.nii.gz`);
    mkdirSync(join(input, subject, 'anat'), { recursive: true });
    copyFileSync(head, file);
    return file;
  });
  const list = join(work, 'heads.txt');
  writeFileSync(list, files.map((file) => `${file}\n`).join(''));
  const program = join(build, 'bin', 'prosopon.mjs');
  const ways = {
    bids: async () => {
      const { json, ...end } = await startBids([input, fresh('against-bids'), '--seed', '1', '--jobs', '2'])
        .ended;
      return { ...end, done: json?.summary?.done };
    },
    loop: async () => {
      const out = fresh('against-loop');
      mkdirSync(out);
      const one = `"${process.execPath}" "${program}" deid "$1" "${out}/$(basename "$1")" --seed 1 --quiet`;
      const end = await startTimed('xargs', ['-a', list, '-P', '2', '-n', '1', 'sh', '-c', one, '_']).ended;
      return { ...end, done: filesUnder(out).length };
    },
  };
  const sums = { bids: { seconds: 0, cpuSeconds: 0 }, loop: { seconds: 0, cpuSeconds: 0 } };
  for (let round = 0; round < Number(options.rounds); round++)
    for (const way of round % 2 === 0 ? ['bids', 'loop'] : ['loop', 'bids']) {
      const { seconds, cpuSeconds, done } = await ways[way]();
      sums[way].seconds += seconds;
      sums[way].cpuSeconds += cpuSeconds;
      console.log(
        `${way}: ${done} of ${files.length} done, ${anHour(files.length, seconds)} scans an hour, ${(cpuSeconds / files.length).toFixed(2)} s of CPU each, load ${load()}`,
      );
    }
  for (const out of ['heads', 'against-bids', 'against-bids-work', 'against-bids-report', 'against-loop'])
    rmSync(join(work, out), { recursive: true, force: true });
  const ratio = sums.loop.seconds / sums.bids.seconds;
  const cpu = sums.loop.cpuSeconds / sums.bids.cpuSeconds;
  console.log(
    `${fine.length} heads at 1 mm, ${coarse.length} at 2 mm; CPU of the loop over that of bids: ${cpu.toFixed(2)}`,
  );
  require(ratio >=
    2, `bids over a loop of ${basename(build)}: ${ratio.toFixed(2)} times the scans an hour (target 2)`);
}

if (options.against !== undefined) await against(options.against);
if (options.workers === true) await workers();
if (options.undisturbed === true) await undisturbed();
if (options.disturbed === true) await disturbed();
process.exitCode = missed > 0 ? 1 : 0;
