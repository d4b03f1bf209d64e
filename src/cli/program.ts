/**
 * The command line as a function: arguments in, exit code out. One file per command stands beside this one.
 *
 * Exit codes: as `EXIT_CODES` says.
 *
 * @example
 * process.exitCode = await runCli(['deid', 'head.nii.gz', 'out.nii.gz']);
 */
import { Command } from 'commander';
import { VERSION } from '../deidentify/version.js';
import { DONE, type Outcome, outcomeOf } from './outcome.js';
import type { Environment, Session } from './session.js';
import { jsonLine, printable } from './terminal.js';

/** Under the help of the program and of each command. */
const EXIT_CODES =
  '\nExit codes: 0 done; 1 refused, nothing written; 2 wrong usage; 3 failed: the disk is full, or a defect of ours; 130 interrupted.\nWith --out-dir: 1 when any scan was refused, 3 when any failed; the others are done.';

/** In the order of the help text. Only the one that is asked for is loaded: all of them take twice as long as one. */
const COMMANDS: Readonly<Record<string, () => Promise<(session: Session) => Command>>> = {
  deid: async () => (await import('./deid.js')).deidCommand,
  brain: async () => (await import('./brain.js')).brainCommand,
  render: async () => (await import('./render.js')).renderCommand,
  inspect: async () => (await import('./inspect.js')).inspectCommand,
  verify: async () => (await import('./verify.js')).verifyCommand,
  bids: async () => (await import('./bids.js')).bidsCommand,
  dicom: async () => (await import('./dicom.js')).dicomCommand,
  models: async () => (await import('./models.js')).modelsCommand,
  profile: async () => (await import('./profile.js')).profileCommand,
  prepare: async () => (await import('./prepare.js')).prepareCommand,
  demo: async () => (await import('./demo.js')).demoCommand,
  evaluate: async () => (await import('./evaluate.js')).evaluateCommand,
  study: async () => (await import('./study.js')).studyCommand,
};

/** Never throws; every error has become an exit code and a sentence. */
export async function runCli(argv: readonly string[], given: Partial<Environment> = {}): Promise<number> {
  if (argv.length === 1 && VERSION_ASKED.has(argv[0] ?? '')) {
    (given.stdout ?? process.stdout).write(`${VERSION}\n`);
    return 0;
  }
  const signal = given.signal ?? new AbortController().signal;
  // Loaded where a command runs: methods and the search for a brain are most of the start-up.
  const { defaultEnvironment, Session } = await import('./session.js');
  const environment: Environment = { ...defaultEnvironment(signal), ...given };
  const session = new Session(environment);
  // Known before parsing, so that wrong usage is told in the same way.
  session.json = argv.includes('--json');
  let outcome: Outcome;
  try {
    const parse = async (): Promise<unknown> =>
      (await createProgram(session, argv)).parseAsync([...argv], { from: 'user' });
    await untilAborted(parse(), signal);
    outcome = DONE;
  } catch (error) {
    outcome = outcomeOf(error, signal.aborted);
    if (outcome.code === 130) outcome = { ...outcome, ...session.interruption() };
  }
  try {
    await session.close();
  } catch (error) {
    if (outcome.code === 0) outcome = outcomeOf(error, false);
  }
  tell(session, outcome);
  return outcome.code;
}

/** What needs no command to be loaded. */
const VERSION_ASKED: ReadonlySet<string> = new Set(['-V', '--version', 'version']);

async function createProgram(session: Session, argv: readonly string[]): Promise<Command> {
  const { stdout, stderr } = session.environment;
  const program = new Command('prosopon')
    .description('Gives a head MRI a new face and leaves the brain alone, bit for bit.')
    .version(VERSION, '-V, --version')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('afterAll', EXIT_CODES);
  const asked = argv[0] !== undefined && Object.hasOwn(COMMANDS, argv[0]) ? COMMANDS[argv[0]] : undefined;
  const needed =
    asked !== undefined ? [asked] : VERSION_ASKED.has(argv[0] ?? '') ? [] : Object.values(COMMANDS);
  for (const load of needed) program.addCommand((await load())(session));
  program.addCommand(
    new Command('version').description('print the version').action(() => {
      stdout.write(`${VERSION}\n`);
    }),
  );
  forAll(program, (command) =>
    command
      .exitOverride((error) => {
        throw error;
      })
      .configureOutput({
        writeOut: (text) => void stdout.write(text),
        writeErr: (text) => void stderr.write(text),
        // An argument may be a file's name, which may be the subject's: say what is wrong without repeating it.
        outputError: (text, write) => write(withoutArguments(text, argv)),
      }),
  );
  return program;
}

function forAll(command: Command, change: (command: Command) => void): void {
  change(command);
  for (const sub of command.commands) forAll(sub, change);
}

/**
 * Commander quotes what was typed (`option '--a <b>' argument 'c' is invalid`). By argument rather than by pattern,
 * because a file's name may hold quotes too.
 */
function withoutArguments(text: string, argv: readonly string[]): string {
  let out = text;
  for (const argument of argv) {
    const flag = /^--[a-z-]{1,30}(?==|$)/.exec(argument)?.[0];
    const shown = flag === undefined ? '...' : flag === argument ? flag : `${flag}=...`;
    // An option's value is quoted alone, whether it came as `--a=b` or as `--a b`.
    const value = flag === undefined ? argument : argument.slice(flag.length + 1);
    out = out.replaceAll(`'${argument}'`, `'${shown}'`);
    if (value !== '') out = out.replaceAll(`'${value}'`, "'...'");
  }
  return out;
}

/** Settles with the promise, or rejects as soon as the signal is aborted: a network run may take seconds to notice. */
async function untilAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  // Whichever loses must not become an unhandled rejection.
  promise.catch(() => undefined);
  aborted.catch(() => undefined);
  try {
    await Promise.race([promise, aborted]);
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop);
  }
}

function tell(session: Session, outcome: Outcome): void {
  const { stdout, stderr } = session.environment;
  if (outcome.message !== undefined) stderr.write(`prosopon: ${printable(outcome.message)}\n`);
  if (outcome.trace !== undefined) stderr.write(`${outcome.trace}\n`);
  if (!session.json) return;
  const { facts } = session;
  const { status, reason, message } = outcome;
  const report = {
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...(facts.method === undefined ? {} : { method: facts.method, seedGiven: facts.seedGiven === true }),
    stages: session.timer.seconds,
    checks: facts.checks,
    ...(facts.warnings === undefined || facts.warnings.length === 0 ? {} : { warnings: facts.warnings }),
    peakMemoryMb: session.peakMemoryMb,
    outputs: outcome.code === 0 ? facts.outputs : session.committed,
    ...(facts.summary === undefined ? {} : { summary: facts.summary }),
    ...(facts.results === undefined || outcome.code !== 0 ? {} : { results: facts.results }),
  };
  stdout.write(jsonLine(report));
}
