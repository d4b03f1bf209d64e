/**
 * The participant level of `prosopon bids`: people over worker processes, one after the other in each, every image with a record of
 * how it ended. A run that was killed goes on where it was; one bad scan never stops the rest.
 *
 * @example
 * await participant(session, places, options);
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { cachedTree } from '../bids/inheritance.js';
import type { SubjectPlan } from '../bids/plan.js';
import { parseSeed } from '../deidentify/seed.js';
import { VERSION } from '../deidentify/version.js';
import { Failure, Refusal } from '../errors/errors.js';
import type { Method } from '../methods/registry.js';
import { type BatchTask, type BatchWorker, OUT_OF_MEMORY, runBatch, workerHere } from '../node/batch.js';
import type { BadEnd, BatchOutcome } from '../node/batch-state.js';
import { type Asked, planDataset } from '../node/bids/dataset-plan.js';
import { beginDataset, finishDataset } from '../node/bids/finish.js';
import type { Places } from '../node/bids/places.js';
import { Records } from '../node/bids/records.js';
import { keepSettings, type Settings } from '../node/bids/settings.js';
import { parseShare, shareOf, slurmCapacity } from '../node/bids/shards.js';
import { KilledBySystem, type SubjectContext, treatSubject } from '../node/bids/subject.js';
import { sweep } from '../node/bids/sweep.js';
import { folderTree } from '../node/folder-tree.js';
import { usualJobs } from '../node/jobs.js';
import { lockWhenLost, type Share } from '../node/lock.js';
import { StageTimer } from '../node/progress.js';
import { requireFitting, type ScanTreatment } from '../node/scan-job.js';
import { serveTasks, threadsOf } from '../node/worker-processes.js';
import { badEnd } from './bad-end.js';
import { type BidsOptions, methodOf, settingsOf } from './bids-options.js';
import { Interrupted } from './outcome.js';
import { progressOf } from './progress-of.js';
import { scanServices } from './scan-services.js';
import { seedOf } from './seed-of.js';
import type { Session } from './session.js';
import { printable } from './terminal.js';

export async function participant(session: Session, places: Places, options: BidsOptions): Promise<void> {
  const { environment, facts } = session;
  const method = methodOf(session, options);
  facts.method = method.name;
  const seed = await seedOf(options);
  facts.seedGiven = seed !== undefined;
  requireFitting({ method, keep: options.keep }, seed === undefined ? [] : ['seed']);
  const settings = await settingsOf(session, options);
  requireFolder(options.brainMasks);
  const share = options.shard === undefined ? undefined : parseShare(options.shard, process.env);
  if (options.worker === true) {
    const treat = treating(session, places, { ...options, ...seed }, settings, method, options.jobs ?? 1);
    if ((await serveTasks(treat)) === 'busy') throw new Interrupted();
    return;
  }
  session.interruptedMessage =
    'interrupted; what is done stays, and the same command goes on where this one stopped';
  const lock = await lockWhenLost(places.output, share, {
    signal: session.signal,
    alive: options.wait === true,
    onWait: () => session.log('another run has the output; waiting until it is over, or is lost'),
  });
  try {
    keepSettings(places.work, settings);
    const tree = cachedTree(folderTree(places.input));
    const { plans, warnings } = await planDataset(tree, settings, method.kind === 'remove', askedOf(options));
    for (const warning of warnings) session.warn(warning);
    if (method.caution !== undefined) session.warn(method.caution);
    beginDataset(places, {
      layout: settings.layout,
      method: method.name,
      reference: method.reference,
      removes: method.kind === 'remove',
      version: VERSION,
      today: new Date().toISOString().slice(0, 10),
      ...(settings.name === undefined ? {} : { name: settings.name }),
      ...(settings.sourceUri === undefined ? {} : { sourceUri: settings.sourceUri }),
    });
    const mine = shareOf(plans, share);
    sweep(places, mine);
    const records = new Records(join(places.work, 'records'));
    await treatAll(session, mine, records, options, {
      startWorker: (jobs) =>
        environment.startWorker?.(['--jobs', String(jobs)]) ??
        workerHere(treating(session, places, { ...options, ...seed }, settings, method, jobs)),
    });
    // What a process that was ended in the middle of its last image has left.
    sweep(places, mine);
    const times = {
      subjects: new Set(mine.map(({ subject }) => subject)),
      ...(seed === undefined ? {} : { seed: parseSeed(seed.seed) }),
    };
    for (const note of await finishDataset(places, tree, records, settings, times)) session.log(note);
    finish(session, mine, records, options, places, share);
  } finally {
    lock.release();
  }
}

/** @throws {Refusal} option-invalid */
function requireFolder(masks: string | undefined): void {
  if (masks !== undefined && statSync(masks, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new Refusal('option-invalid', 'expected a folder with masks at --brain-masks, found none');
}

export function askedOf({ participantLabel, sessionLabel }: BidsOptions): Asked {
  return {
    ...(participantLabel === undefined ? {} : { subjects: participantLabel }),
    ...(sessionLabel === undefined ? {} : { sessions: sessionLabel }),
  };
}

async function treatAll(
  session: Session,
  plans: readonly SubjectPlan[],
  records: Records,
  options: BidsOptions,
  { startWorker }: { startWorker(jobs: number): BatchWorker },
): Promise<void> {
  const slurm = options.shard === 'slurm' ? slurmCapacity(process.env) : {};
  const bytes = options.memGb === undefined ? slurm.bytes : options.memGb * 2 ** 30;
  const jobs =
    options.jobs ??
    usualJobs({ pieces: plans.length, threads: 1, ...slurm, ...(bytes === undefined ? {} : { bytes }) });
  const progress = progressOf(session, options.quiet === true);
  const byId = new Map(plans.map((plan) => [plan.subject, plan]));
  let over = 0;
  let ids = plans.filter(({ treat, copy }) => treat.length + copy.length > 0).map(({ subject }) => subject);
  const total = ids.length;
  while (ids.length > 0) {
    const outcomes = await runBatch(ids, {
      workers: jobs,
      startWorker: () => startWorker(jobs),
      signal: session.signal,
      onOutcome: () => progress(Math.min(++over, total), total, 'people'),
    });
    const again: string[] = [];
    for (const [id, outcome] of outcomes) {
      if (outcome.status === 'done') continue;
      // What was begun when its process ended for good is not begun again; the person's other images are.
      const plan = byId.get(id);
      const settled = plan === undefined ? 0 : settle(plan, records, outcome);
      if (settled > 0 && outcome.status === 'refused') again.push(id);
    }
    ids = again;
  }
}

/** Gives what a process left as begun the end that it had. @returns how many */
function settle(plan: SubjectPlan, records: Records, outcome: BadEnd): number {
  let settled = 0;
  for (const { image } of [...plan.treat.flat(), ...plan.copy]) {
    const record = records.get(image.path);
    const unended = record === undefined ? outcome.status === 'failed' : record.status === 'begun';
    if (!unended) continue;
    const { status, reason, message } = outcome.status === 'refused' ? OUT_OF_MEMORY : outcome;
    records.put({ path: image.path, key: record?.key ?? '', status, reason, message });
    settled++;
  }
  return settled;
}

/** Treats whom it is told; networks are loaded once. */
function treating(
  session: Session,
  places: Places,
  options: BidsOptions,
  settings: Settings,
  method: Method,
  jobs: number,
): (task: BatchTask) => Promise<BatchOutcome> {
  const networks = session.networks(threadsOf(jobs));
  const treatment: ScanTreatment = {
    method,
    resolution: options.resolution === '128' ? 128 : 256,
    keep: options.keep,
    noise: true,
    ...(options.brainMarginMm === undefined ? {} : { brainMarginMm: options.brainMarginMm }),
    ...(options.seed === undefined ? {} : { seed: parseSeed(options.seed) }),
  };
  // Listings of the root are the same for everybody.
  const tree = cachedTree(folderTree(places.input));
  const context: SubjectContext = {
    places,
    tree,
    records: new Records(join(places.work, 'records')),
    treatment,
    sidecars: {
      layout: settings.layout,
      method: method.name,
      removes: method.kind === 'remove',
      keys: settings.keys,
      output: places.output,
    },
    defaceMask: settings.defaceMask,
    ...(options.brainMasks === undefined
      ? {}
      : { masks: { tree: cachedTree(folderTree(options.brainMasks)), folder: options.brainMasks } }),
    services: () => scanServices(session, networks, new StageTimer()),
    endOf: (error) => badEnd(session, error),
  };
  return async ({ id, alone = false }) => {
    try {
      const asked = { ...askedOf(options), subjects: [id], checked: true };
      const { plans } = await planDataset(tree, settings, method.kind === 'remove', asked);
      const [plan] = plans;
      if (plan === undefined) throw new Failure('internal', 'a subject that was not asked for');
      return { status: 'done', value: { ...(await treatSubject(plan, context, { alone })) } };
    } catch (error) {
      if (error instanceof KilledBySystem) return { ...OUT_OF_MEMORY, status: 'failed', killed: true };
      return badEnd(session, error);
    }
  };
}

function finish(
  session: Session,
  plans: readonly SubjectPlan[],
  records: Records,
  options: BidsOptions,
  places: Places,
  share: Share | undefined,
): void {
  const counts = { done: 0, refused: 0, failed: 0 };
  let left = 0;
  for (const plan of plans) {
    left += plan.left.length;
    for (const { image } of [...plan.treat.flat(), ...plan.copy]) {
      const record = records.get(image.path);
      if (record === undefined || record.status === 'begun') counts.failed++;
      else counts[record.status]++;
      if (record !== undefined && record.status !== 'done' && record.status !== 'begun')
        session.say(
          `${record.status.padEnd(8)} ${printable(image.path)}  ${record.reason ?? ''}: ${printable(record.message ?? '')}`,
        );
    }
  }
  session.timer.end();
  session.facts.summary = { ...counts, leftOut: left };
  session.facts.outputs = [places.output];
  const part = share === undefined ? '' : ` in share ${share.index} of ${share.count}`;
  session.say(
    `${counts.done} done, ${counts.refused} refused, ${counts.failed} failed, ${left} left out by kind (--dry-run says why)${part}; results are in ${printable(places.output)}`,
  );
  const all = counts.done + counts.refused + counts.failed;
  const what = `${counts.refused} of ${all} scans refused, ${counts.failed} failed`;
  if (counts.failed > 0) throw new Failure('some-failed', `expected to treat every scan, found ${what}`);
  if (counts.refused > 0 && options.refusalsOk !== true)
    throw new Refusal('some-refused', `expected to treat every scan, found ${what}`);
}
