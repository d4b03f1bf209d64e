/**
 * `prosopon deid IN... --out-dir DIR`: many scans over worker processes, one after the other in each, with what became of each on disk:
 * a run that was killed goes on where it was, and one bad scan never stops the rest.
 *
 * @example
 * prosopon deid scans/*.nii.gz --out-dir treated
 */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { VERSION } from '../deidentify/version.js';
import { Failure, Refusal } from '../errors/errors.js';
import { imageFileNames } from '../formats/codecs.js';
import { type BatchTask, runBatch, workerHere } from '../node/batch.js';
import { type BatchOutcome, BatchState } from '../node/batch-state.js';
import { codeOf } from '../node/error-code.js';
import { inputFiles } from '../node/image-files.js';
import { usualJobs } from '../node/jobs.js';
import { lockFolder } from '../node/lock.js';
import { StageTimer } from '../node/progress.js';
import { runScanJob, type ScanJob, type ScanTreatment } from '../node/scan-job.js';
import { removeLeftovers } from '../node/work-folder.js';
import { serveTasks, threadsOf } from '../node/worker-processes.js';
import { badEnd } from './bad-end.js';
import type { DeidOptions } from './deid.js';
import { Interrupted } from './outcome.js';
import { progressOf } from './progress-of.js';
import { scanServices } from './scan-services.js';
import type { Session } from './session.js';
import { jsonLine, printable } from './terminal.js';

type Scans = ReadonlyMap<string, Pick<ScanJob, 'input' | 'output' | 'qc'>>;

/** The page of a result: its whole name stays in it, so that `a.nii` and `a.nii.gz` have one each. */
const PAGE_ENDING = '.html';

export async function deidMany(
  session: Session,
  files: readonly string[],
  outDir: string,
  options: DeidOptions,
  treatment: ScanTreatment,
): Promise<void> {
  requireNoSingles(options);
  const scans = await scansOf(files, outDir, options.qc === true);
  const jobs = options.jobs ?? usualJobs({ pieces: scans.size });
  if (options.worker === true) {
    const treat = treating(session, scans, treatment, options, jobs);
    if ((await serveTasks(treat)) === 'busy') throw new Interrupted();
    return;
  }
  const { caution } = treatment.method;
  if (caution !== undefined) session.warn(caution);
  session.interruptedMessage =
    'interrupted; what is done stays, and the same command goes on where this one stopped';
  const lock = lockFolder(outDir);
  try {
    removeLeftovers(outDir);
    const outcomes = await runBatch([...scans.keys()], {
      workers: jobs,
      startWorker:
        session.environment.startWorker ??
        (() => workerHere(treating(session, scans, treatment, options, 1))),
      signal: session.signal,
      key: (id) => keyOf(scans.get(id)?.input ?? '', options, treatment),
      state: BatchState.open(outDir, { forget: options.force === true }),
      stands: async (id) => filesOf(scans.get(id)).every((file) => existsSync(file)),
      onOutcome: teller(session, scans, options),
    });
    finish(session, outDir, scans, outcomes, caution);
  } finally {
    lock.release();
  }
}

/** @throws {Refusal} option-invalid: each of these names one file */
function requireNoSingles(options: DeidOptions): void {
  const single = {
    '--brain-mask': options.brainMask,
    '--save-brain-mask': options.saveBrainMask,
    '--save-altered': options.saveAltered,
    '--apply-to': options.applyTo[0],
    '--with': options.with[0],
    '--save-face': options.saveFace,
    '--qc': options.qc === true ? undefined : options.qc,
  };
  const found = Object.entries(single).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (found.length > 0)
    throw new Refusal(
      'option-invalid',
      `expected no option that names a file of one scan with --out-dir, found ${found.join(', ')}${typeof options.qc === 'string' ? '; --qc goes without a name here, behind the scans' : ''}`,
    );
}

/**
 * Inputs and outputs by the name that they share. Makes the folder.
 * @throws {Refusal} option-invalid, output-unwritable
 */
async function scansOf(files: readonly string[], outDir: string, pages: boolean): Promise<Scans> {
  const folders = files.filter((file) => statSync(file, { throwIfNoEntry: false })?.isDirectory() === true);
  if (folders.length > 0)
    throw new Refusal(
      'option-invalid',
      `expected images with --out-dir, found ${folders.length === 1 ? 'a folder' : `${folders.length} folders`}; name what is in it (DIR/*.nii.gz)`,
    );
  const scans = new Map<string, Pick<ScanJob, 'input' | 'output' | 'qc'>>();
  const taken = new Set<string>();
  await mkdir(outDir, { recursive: true }).catch((cause: unknown) => {
    throw new Refusal('output-unwritable', `the output folder cannot be made (${codeOf(cause)})`, { cause });
  });
  const target = await realpath(outDir);
  for (const input of files) {
    const id = path.basename(input);
    const output = path.join(outDir, id);
    if ((await realpath(path.dirname(input)).catch(() => undefined)) === target)
      throw new Refusal(
        'option-invalid',
        'expected a folder for results in which no input lies, found one with inputs',
      );
    const scan = { input, output, ...(pages ? { qc: output + PAGE_ENDING } : {}) };
    for (const file of filesOf(scan)) {
      // Some file systems take these for one.
      const plain = file.normalize('NFC').toLowerCase();
      if (taken.has(plain))
        throw new Refusal(
          'option-invalid',
          'expected inputs of different names, as results get the same in one folder; found two that are one',
        );
      taken.add(plain);
    }
    scans.set(id, scan);
  }
  return scans;
}

/** All files that a scan gives; a name that is no image's is refused with its scan, not with all of them. */
function filesOf(scan: Pick<ScanJob, 'output' | 'qc'> | undefined): readonly string[] {
  if (scan === undefined) return [];
  const { output, qc } = scan;
  const page = qc === undefined ? [] : [qc];
  try {
    return [...imageFileNames(output), ...page];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [output, ...page];
  }
}

/** What the user is told of. */
function outputsOf(scan: Pick<ScanJob, 'output' | 'qc'> | undefined): string[] {
  return [scan?.output, scan?.qc].filter((file): file is string => file !== undefined);
}

/** Of the scan's bytes and all that its result depends on. A seed is in it, and is not to be had from it without the scan. */
async function keyOf(input: string, options: DeidOptions, treatment: ScanTreatment): Promise<string> {
  const hash = createHash('sha256');
  for (const file of new Set(inputFiles(input)))
    if (existsSync(file)) hash.update(await readFile(file).catch(() => ''));
  const { method, seed, ...rest } = treatment;
  hash.update(
    JSON.stringify([
      VERSION,
      method.name,
      rest,
      seed === undefined ? null : [...seed],
      options.models ?? null,
      // Nothing where there are no pages: what earlier versions have done is known again.
      ...(options.qc === true ? ['page', options.qcWithOriginal === true] : []),
    ]),
  );
  return hash.digest('hex').slice(0, 32);
}

/** Treats what it is told; networks are loaded once. */
function treating(
  session: Session,
  scans: Scans,
  treatment: ScanTreatment,
  options: DeidOptions,
  jobs: number,
): (task: BatchTask) => Promise<BatchOutcome> {
  const networks = session.networks(threadsOf(jobs));
  return async ({ id, again }) => {
    const scan = scans.get(id);
    if (scan === undefined) throw new Failure('internal', 'a scan that was not asked for');
    const timer = new StageTimer();
    try {
      const done = await runScanJob(
        {
          ...scan,
          qcWithOriginal: options.qcWithOriginal === true,
          force: options.force === true || again,
        },
        treatment,
        scanServices(session, networks, timer),
      );
      timer.end();
      // No paths: this is remembered in the folder of results.
      const { checks, warnings } = done;
      return { status: 'done', value: { stages: timer.seconds, checks, warnings } };
    } catch (error) {
      return badEnd(session, error);
    }
  };
}

function teller(
  session: Session,
  scans: Scans,
  options: DeidOptions,
): (id: string, outcome: BatchOutcome, remembered: boolean) => void {
  const progress = progressOf(session, options.quiet === true);
  const counts = { done: 0, refused: 0, failed: 0 };
  return (id, outcome, remembered) => {
    counts[outcome.status]++;
    const { done, refused, failed } = counts;
    const value =
      outcome.status === 'done' && typeof outcome.value === 'object'
        ? { ...outcome.value, outputs: outputsOf(scans.get(id)) }
        : {};
    const { status, ...rest } = outcome.status === 'done' ? { status: outcome.status } : outcome;
    if (session.json)
      session.environment.stdout.write(
        jsonLine({
          input: id,
          status,
          method: session.facts.method,
          seedGiven: session.facts.seedGiven,
          ...rest,
          ...value,
          ...(remembered ? { remembered } : {}),
        }),
      );
    const bad = [refused > 0 ? `${refused} refused` : '', failed > 0 ? `${failed} failed` : ''].filter(
      Boolean,
    );
    progress(done + refused + failed, scans.size, [`${done} done`, ...bad].join(', '));
  };
}

const WarnedSchema = v.object({ warnings: v.array(v.string()) });

/** What was said of one result; the caution about the method was said once for all. */
function warningsIn(value: unknown, caution: string | undefined): string {
  const parsed = v.safeParse(WarnedSchema, value);
  const own = parsed.success ? parsed.output.warnings.filter((text) => text !== caution) : [];
  return own.length === 0 ? '' : `warning: ${own.join('; ')}`;
}

function finish(
  session: Session,
  outDir: string,
  scans: Scans,
  outcomes: ReadonlyMap<string, BatchOutcome>,
  caution: string | undefined,
): void {
  const of = (status: BatchOutcome['status']) =>
    [...outcomes].filter(([, outcome]) => outcome.status === status);
  const [done, refused, failed] = [of('done'), of('refused'), of('failed')];
  session.facts.outputs = done.flatMap(([id]) => outputsOf(scans.get(id)));
  session.facts.summary = { done: done.length, refused: refused.length, failed: failed.length };
  session.timer.end();
  const pages = [...scans.values()].some(({ qc }) => qc !== undefined);
  const width = Math.max(...[...outcomes.keys()].map((id) => printable(id).length));
  for (const [id, outcome] of outcomes) {
    const why =
      outcome.status === 'done'
        ? warningsIn(outcome.value, caution)
        : `${outcome.reason}: ${outcome.message}`;
    session.say(`${outcome.status.padEnd(8)} ${printable(id).padEnd(width)}  ${printable(why)}`.trimEnd());
  }
  session.say(
    `${done.length} done, ${refused.length} refused, ${failed.length} failed; results are in ${printable(outDir)}${pages ? `, the page of each beside it (NAME${PAGE_ENDING})` : ''}`,
  );
  const count = `${refused.length} of ${outcomes.size} scans refused, ${failed.length} failed`;
  if (failed.length > 0) throw new Failure('some-failed', `expected to treat every scan, found ${count}`);
  if (refused.length > 0) throw new Refusal('some-refused', `expected to treat every scan, found ${count}`);
}
