/**
 * `prosopon dicom IN OUT`: DICOM in, DICOM with another face and clean headers out. A file appears in the output only when its face is
 * gone and its header is clean.
 *
 * @example
 * prosopon dicom study released --key-file site.key --dates shift
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { parseSeed } from '../deidentify/seed.js';
import { Keyed } from '../dicom/keyed.js';
import { type DicomReport, dicomPage } from '../dicom/report.js';
import type { Dates, Retained } from '../dicom/retain.js';
import { parseSafePrivate } from '../dicom/safe-private.js';
import { Failure, REFUSALS, Refusal, type RefusalTag } from '../errors/errors.js';
import { NO_IMAGES } from '../node/dicom/find.js';
import { runDicom } from '../node/dicom/run.js';
import { readRegularFile } from '../node/image-files.js';
import { StageTimer } from '../node/progress.js';
import { requireFitting } from '../node/scan-job.js';
import { badEnd } from './bad-end.js';
import { addMethodOptions, type MethodOptions } from './method-options.js';
import { addCommonOptions } from './options.js';
import { progressOf } from './progress-of.js';
import { scanServices } from './scan-services.js';
import { seedOf } from './seed-of.js';
import type { CommonOptions, Session } from './session.js';

interface DicomOptions extends CommonOptions, MethodOptions {
  readonly seed?: string;
  readonly seedFile?: string;
  readonly noise: boolean;
  readonly keyFile?: string;
  readonly dates: Dates;
  readonly retainUids?: boolean;
  readonly retainPatientCharacteristics?: boolean;
  readonly retainDevice?: boolean;
  readonly keepSafePrivate?: string;
  readonly mapping?: string;
  readonly refusalsOk?: boolean;
}

export function dicomCommand(session: Session): Command {
  const { methods } = session.environment;
  const command = new Command('dicom')
    .description('give the heads in a folder of DICOM new faces and clean headers; one face a person')
    .argument('<in>', 'a folder of DICOM files of any number of people; it is only read')
    .argument('<out>', 'where the new series go: a folder that is empty or not there');
  addMethodOptions(command, methods)
    .option(
      '--seed <n>',
      'a number or words that you keep SECRET: the same face again in every run, and the one that `deid --seed <n>` draws; without it a fresh one for each person, never stored',
    )
    .option('--seed-file <file>', 'the same, from a file: it then stands in no list of processes and no log')
    .option('--no-noise', 'leave out the scanner-like noise on new voxels')
    .option(
      '--key-file <file>',
      "the site's SECRET key, 16 bytes or more: the same UIDs, patient IDs and date shifts in every run; without it random ones",
    )
    .addOption(
      new Option(
        '--dates <what>',
        'shift: all of a person by the same number of whole days; keep: as they are, but for the date of birth',
      )
        .choices(['remove', 'shift', 'keep'])
        .default('remove'),
    )
    .option(
      '--retain-uids',
      'keep the UIDs: results then lead back to the originals and must never meet them in one archive',
    )
    .option(
      '--retain-patient-characteristics',
      'keep age (over 89 years: 90), sex, size, weight and what else PS3.15 counts to them',
    )
    .option('--retain-device', 'keep station, serial number, model and software versions')
    .option(
      '--keep-safe-private <file>',
      'private elements that you know to be safe, one a line: 2005,"Philips MR Imaging DD 001",0E DS',
    )
    .option(
      '--mapping <file>',
      'a SECRET file (0600) that leads from new UIDs, patient IDs and shifts of dates to the old; a run with the same key adds to it',
    )
    .option('--refusals-ok', 'exit 0 when series were refused or files left out; failures still exit 3')
    .action((input: string, output: string, options: DicomOptions) => run(session, input, output, options));
  return addCommonOptions(command, { writes: false });
}

async function run(session: Session, input: string, output: string, options: DicomOptions): Promise<void> {
  session.begin(options);
  const { environment, facts } = session;
  const method = environment.methods.get(options.method ?? environment.methods.names[0] ?? 'none');
  facts.method = method.name;
  const given = await seedOf(options);
  facts.seedGiven = given !== undefined;
  requireFitting({ method, keep: options.keep }, [
    ...(given === undefined ? [] : ['seed']),
    ...(options.noise ? [] : ['noise']),
  ]);
  const { keyFile, dates, mapping, brainMarginMm, keep } = options;
  const key = keyFile === undefined ? randomBytes(32) : await readRegularFile(keyFile);
  const retained = await retainedBy(options);
  const networks = session.networks();
  session.interruptedMessage = 'interrupted; each series that stands in the output is whole and verified';
  const progress = progressOf(session, options.quiet === true);
  const report = await runDicom(
    {
      ...{ input, output, dates, retained, keyed: new Keyed(key), keyGiven: keyFile !== undefined },
      ...(mapping === undefined ? {} : { mapping }),
    },
    {
      method,
      resolution: options.resolution === '128' ? 128 : 256,
      keep,
      noise: options.noise,
      ...(brainMarginMm === undefined ? {} : { brainMarginMm }),
      ...(given === undefined ? {} : { seed: parseSeed(given.seed) }),
    },
    {
      services: () => scanServices(session, networks, new StageTimer()),
      endOf: (error) => badEnd(session, error),
      onSeries: (done, of) => progress(done, of, 'series'),
    },
  );
  await finish(session, output, report, options.refusalsOk === true);
}

async function retainedBy(options: DicomOptions): Promise<Retained> {
  const { keepSafePrivate: list } = options;
  return {
    uids: options.retainUids === true,
    patient: options.retainPatientCharacteristics === true,
    device: options.retainDevice === true,
    safePrivate:
      list === undefined
        ? []
        : parseSafePrivate(new TextDecoder('latin1').decode(await readRegularFile(list))),
  };
}

/** The report stands beside the series, and nowhere when there are none. */
async function finish(session: Session, output: string, report: DicomReport, fine: boolean): Promise<void> {
  const { facts } = session;
  const { treated, refused, leftOut } = report;
  const others = leftOut.reduce((sum, { files }) => sum + files, 0);
  for (const { message, files } of refused)
    session.say(`not treated: a series of ${files} files: ${message}`);
  for (const { what, files } of leftOut) session.say(`left out: ${files} x ${what}`);
  if (treated.length > 0) {
    const outputs = session.outputs({ force: false, inputs: [] });
    try {
      const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
      await outputs.stage(join(output, 'report.json'), encode(`${JSON.stringify(report, undefined, 1)}\n`));
      await outputs.stage(join(output, 'report.html'), encode(dicomPage(report)));
      await outputs.commit();
    } finally {
      outputs.wipe();
    }
  }
  for (const { warnings } of treated) for (const warning of warnings) session.warn(warning);
  const failed = refused.filter(({ status }) => status === 'failed').length;
  facts.checks = treated[0]?.stacks[0]?.checks ?? {};
  facts.outputs = treated.map(({ folder }) => join(output, folder));
  facts.results = report;
  facts.summary = { done: treated.length, refused: refused.length - failed, failed, leftOut: others };
  session.timer.end();
  const found = `${treated.length} series treated, ${refused.length - failed} refused, ${failed} failed, ${others} files left out`;
  session.say(found);
  if (failed > 0) throw new Failure('some-failed', `expected to treat every series, found ${found}`);
  const missed = leftOut.some(({ what }) => !NO_IMAGES.has(what));
  if ((refused.length === 0 && !missed) || fine) return;
  const [only] = refused;
  if (only !== undefined && refused.length === 1 && treated.length === 0)
    throw new Refusal(tagOf(only.reason), only.message);
  throw new Refusal('some-refused', `expected to treat everything in the input, found ${found}`);
}

function tagOf(reason: string): RefusalTag {
  return reason in REFUSALS ? (reason as RefusalTag) : 'some-refused';
}
