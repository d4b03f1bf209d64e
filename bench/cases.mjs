/**
 * Inputs that went wrong once, made again: every image of shared/cases (its DICOM and its kill tests apart) and some more,
 * from real heads; `prosopon deid` of any build on each; what became of brain and face, measured in Python on the two files
 * (bench/cases_inputs.py), never by the product. A JSON line a case and head goes to stdout, a Markdown table at the end.
 *
 * Brain overwritten: labelled brain voxels (DLMUSE) whose stored bits changed. Face kept: share of the tissue of the front
 * lower face whose stored bits did not. Outside kept: the same for tissue further than 5 mm from the brain. New values agree
 * with old ones by chance now and then: compare with the row `plain`.
 *
 * Needs Python 3 with numpy, scipy and nibabel, and the heads and scripts beside the checkout (or PROSOPON_DATA, --scripts).
 * Inputs and results are real people: --out must lie outside the repository. One bench at a time in one --out.
 *
 * @example
 * node bench/cases.mjs [--bin bin/prosopon.mjs] [--heads 3] [--cases 'mask|slope'] [--table FILE] [--out ../tmp/cases]
 */
import '../scripts/lib/help.mjs';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cohort, dataFolder } from './lib/cohort.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const venv = here('../../venv/bin/python');
const { values: options } = parseArgs({
  options: {
    bin: { type: 'string', default: here('../bin/prosopon.mjs') },
    heads: { type: 'string', default: '3' },
    cases: { type: 'string', default: '' },
    scripts: { type: 'string' },
    out: { type: 'string', default: here('../../tmp/cases') },
    table: { type: 'string' },
    python: { type: 'string', default: existsSync(venv) ? venv : 'python3' },
  },
});
const data = dataFolder();
const scripts = resolve(options.scripts ?? join(data, '../cases'));
const out = resolve(options.out);
if (!relative(here('..'), out).startsWith('..')) {
  console.error('--out must lie outside the repository: inputs and results are real people');
  process.exit(2);
}
const RUN_LIMIT_MS = 20 * 60_000;

const DRAWING = ['--seed', '1', '--resolution', '128'];
const drawn = (make) => ({ name: make, make, flags: DRAWING });
const turns = ['', 'z90', 'z180', 'z-90'].flatMap((about) =>
  ['', 'x90', 'x180', 'x-90', 'y90', 'y-90'].map((over) => `${about} ${over}`.trim()),
);

/** `make` is what bench/cases_inputs.py is asked for; a mask it makes goes along as --brain-mask. */
const CASES = [
  drawn('plain'),
  ...['0.5', '0.6', '0.65', '0.75', '0.85'].map((factor) => drawn(`small_head ${factor}`)),
  drawn('mask_good'),
  drawn('mask_0_255'),
  drawn('mask_probability'),
  drawn('mask_weak_face'),
  drawn('mask_resampled_cubic'),
  drawn('mask_signed_distance positive'),
  drawn('mask_signed_distance negative'),
  ...['0', '1', '2'].map((axis) => drawn(`mask_flipped ${axis}`)),
  ...['front 5', 'front 20', 'down 5', 'down 20'].map((step) => drawn(`mask_shifted ${step}`)),
  ...['300 spread', '1e4 corner', '1e4 brain'].map((what) => drawn(`hot_voxel ${what}`)),
  drawn('zscored'),
  drawn('offset_int16 -1024'),
  drawn('lesion'),
  { name: 'wrap_nose 30, cp-mae', make: 'wrap_nose 30', flags: DRAWING },
  ...['quickshear', 'deface', 'face-mask', 'average-face'].map((method) => ({
    name: `wrap_nose 30, ${method}`,
    make: 'wrap_nose 30',
    flags: ['--method', method],
  })),
  drawn('slope 0 5'),
  drawn('mp2rage_uni'),
  ...['60', '120', '240'].map((mm) => drawn(`neck_shoulders ${mm}`)),
  ...[...turns.filter((turn) => turn !== ''), 'flipx', 'identity'].map((turn) =>
    drawn(`header_rotated ${turn}`),
  ),
  drawn('bias_7t'),
  drawn('nan_rim'),
  drawn('thick_slices'),
  drawn('half_mm'),
];

function python(...args) {
  return spawnSync(options.python, [here('cases_inputs.py'), ...args], { encoding: 'utf8' });
}

const lastLine = (text) => text.trim().split('\n').at(-1) ?? '';
const seconds = (since) => Math.round((performance.now() - since) / 100) / 10;

function runCase(test, head) {
  const row = { case: test.name, head: head.id };
  const folder = join(out, head.id, test.name.replace(/[^\w.-]+/g, '_'));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const made = python('make', test.make, head.scan, head.labels, scripts, folder);
  if (made.status !== 0) {
    const why = made.status === 3 ? '' : 'defect of this bench: ';
    return { ...row, made: false, said: why + lastLine(made.stderr) };
  }
  const { input, mask, truth, ...about } = JSON.parse(made.stdout);
  const result = join(folder, input.endsWith('.gz') ? 'out.nii.gz' : 'out.nii');
  const began = performance.now();
  const run = spawnSync(
    process.execPath,
    [resolve(options.bin), 'deid', input, result, ...test.flags, ...(mask ? ['--brain-mask', mask] : [])],
    { encoding: 'utf8', timeout: RUN_LIMIT_MS },
  );
  row.made = true;
  row.exit = run.status ?? run.signal ?? 'not started';
  row.seconds = seconds(began);
  // What is said besides that all went well: the sentence of a refusal, a warning.
  row.said = `${run.stderr}\n${run.stdout}`
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^done:/.test(line))
    .join(' ')
    .replace(/^prosopon: /, '')
    .replaceAll(folder, '')
    .slice(0, 600);
  Object.assign(row, about);
  if (!existsSync(result)) return row;
  const measured = python('measure', input, truth, result);
  if (measured.status !== 0) return { ...row, measureFailed: lastLine(measured.stderr) };
  return { ...row, ...JSON.parse(measured.stdout) };
}

/** One value, or the lowest and the highest of the heads. */
function range(values, digits, unit = '') {
  const known = values.filter((value) => typeof value === 'number');
  if (known.length === 0) return '';
  const [low, high] = [Math.min(...known).toFixed(digits), Math.max(...known).toFixed(digits)];
  return `${low === high ? low : `${low} to ${high}`}${unit}`;
}

const distinct = (values) => [...new Set(values)];
const cell = (text) => text.replaceAll('|', '\\|');
const percent = (rows, key) =>
  range(
    rows.map((row) => row[key] && 100 * row[key]),
    1,
    ' %',
  );
const brief = (value) => String(Number(value.toPrecision(4)));
const change = (rows, before, after) =>
  distinct(
    rows
      .filter((row) => row[before] !== undefined)
      .map((row) => `${brief(row[before])} → ${brief(row[after])}`),
  ).join('; ');

const COLUMNS = {
  case: (rows) => rows[0].case,
  exit: (rows) => rows.map((row) => (row.made ? row.exit : 'not made')).join(' '),
  'brain overwritten, ml': (rows) =>
    range(
      rows.map((row) => row.brainLostMl),
      0,
    ),
  'of brain': (rows) => percent(rows, 'brainLostShare'),
  'face kept': (rows) => percent(rows, 'faceKeptShare'),
  'outside kept, ml': (rows) =>
    range(
      rows.map((row) => row.outsideKeptMl),
      0,
    ),
  'nose behind / cavity kept': (rows) => percent(rows, 'specialKeptShare'),
  'air: 5th percentile': (rows) => change(rows, 'fifthBefore', 'fifthAfter'),
  'air: mode': (rows) => change(rows, 'modeBefore', 'modeAfter'),
  'same brain with the intercept added': (rows) =>
    distinct(
      rows
        .filter((row) => typeof row.interceptReaderSame === 'boolean')
        .map((row) => (row.interceptReaderSame ? 'yes' : '**no**')),
    ).join(' '),
  seconds: (rows) =>
    range(
      rows.map((row) => row.seconds),
      0,
    ),
  said: (rows) =>
    distinct(
      rows
        .flatMap((row) => [row.said, row.grid, row.measureFailed].filter(Boolean))
        .map((s) => s.slice(0, 240)),
    ).join('; '),
};

function table(rows) {
  const names = distinct(rows.map((row) => row.case));
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    line(Object.keys(COLUMNS)),
    line(Object.keys(COLUMNS).map(() => '---')),
    ...names.map((name) => {
      const own = rows.filter((row) => row.case === name);
      return line(Object.values(COLUMNS).map((column) => cell(column(own))));
    }),
  ].join('\n');
}

const wanted = new RegExp(options.cases);
const heads = (await cohort(data, 'val')).slice(0, Math.max(1, Number(options.heads)));
const rows = [];
for (const test of CASES.filter(({ name }) => wanted.test(name))) {
  for (const head of heads) {
    const row = runCase(test, head);
    rows.push(row);
    console.log(JSON.stringify(row));
  }
}
const text = table(rows);
console.log(`\n${text}`);
if (options.table) writeFileSync(options.table, `${text}\n`);
