/**
 * The command as a process: signals, crashes, exit code.
 *
 * @example
 * await runMain(); // main.ts, which is all that the bin file imports
 */
import { wipeWorkFolders } from '../node/work-folder.js';
import { startWorkerProcess } from '../node/worker-processes.js';
import { Interrupted, outcomeOf } from './outcome.js';
import { runCli } from './program.js';
import type { Environment } from './session.js';
import { hasTerminal, surviveBrokenStreams } from './terminal.js';

/** Runs the arguments of this process and sets its exit code. @param given Parts of the environment, for tests. */
export async function runMain(given: Partial<Environment> = {}): Promise<void> {
  const controller = new AbortController();
  surviveBrokenStreams(process.stdout, process.stderr);
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      if (name === 'SIGHUP' && !hasTerminal(process)) return;
      // The second time the user means now.
      if (controller.signal.aborted) {
        wipeWorkFolders();
        process.exit(130);
      }
      controller.abort(new Interrupted());
    });
  const crash = (error: unknown): void => {
    wipeWorkFolders();
    const { message, trace } = outcomeOf(error, false);
    process.stderr.write(`prosopon: ${message ?? ''}\n${trace ?? ''}\n`);
    process.exit(3);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  const code = await runCli(process.argv.slice(2), {
    startWorker: startWorkerProcess,
    ...given,
    signal: controller.signal,
  });
  process.exitCode = code;
  // An interrupted computation may still be going on behind the race that it lost.
  if (code === 130) process.exit(code);
}
