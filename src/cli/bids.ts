/**
 * `prosopon bids BIDS_DIR OUTPUT_DIR [participant|group]`: a whole data set, as a BIDS App does it. This file takes the command line
 * and says how it ended; the work stands in `bids-participant.ts` and `bids-group.ts`.
 *
 * @example
 * prosopon bids ds released            # both levels
 * prosopon bids ds released participant --shard 3/8
 */
import { Argument, Command } from 'commander';
import { cachedTree } from '../bids/inheritance.js';
import { Failure, isRefusal, Refusal } from '../errors/errors.js';
import { planDataset } from '../node/bids/dataset-plan.js';
import { openPlaces, readDescription } from '../node/bids/places.js';
import { folderTree } from '../node/folder-tree.js';
import { group } from './bids-group.js';
import { addBidsOptions, type BidsOptions, methodOf, settingsOf } from './bids-options.js';
import { participant } from './bids-participant.js';
import { addCommonOptions } from './options.js';
import type { Session } from './session.js';
import { jsonLine, printable } from './terminal.js';

type Level = 'participant' | 'group';

export function bidsCommand(session: Session): Command {
  const command = new Command('bids')
    .description('give everybody in a BIDS data set a new face: one a person, in every image')
    .argument('<bids_dir>', 'the data set; it is only read')
    .argument(
      '<output_dir>',
      'where the data set of results goes; the same command again goes on where it stopped',
    )
    .addArgument(
      new Argument(
        '[level]',
        'participant: treat; group: index and tables of what was treated; both when absent',
      ).choices(['participant', 'group']),
    )
    .action((input: string, output: string, level: Level | undefined, options: BidsOptions) =>
      run(session, input, output, level, options),
    );
  return addCommonOptions(addBidsOptions(command, session), { writes: false });
}

async function run(
  session: Session,
  input: string,
  output: string,
  level: Level | undefined,
  options: BidsOptions,
): Promise<void> {
  session.begin(options);
  if (options.skipBidsValidation !== true && readDescription(input)?.BIDSVersion === undefined)
    throw new Refusal(
      'dataset-invalid',
      'expected a BIDS data set with a dataset_description.json that says its BIDSVersion, found none; --skip-bids-validation takes the folder all the same',
    );
  if (options.dryRun === true) return dryRun(session, input, options);
  const places = openPlaces(input, output, options.workDir);
  if (options.worker === true || level === 'participant') return participant(session, places, options);
  if (level === 'group') return group(session, places, options);
  let ended: unknown;
  try {
    await participant(session, places, options);
  } catch (error) {
    // The index shows what was refused and what failed too.
    if (!isRefusal(error, 'some-refused') && !(error instanceof Failure && error.tag === 'some-failed'))
      throw error;
    ended = error;
  }
  await group(session, places, { ...options, refusalsOk: true });
  if (ended !== undefined) throw ended;
}

/** A table of what would be done to each file, and why. */
async function dryRun(session: Session, input: string, options: BidsOptions): Promise<void> {
  const tree = cachedTree(folderTree(input));
  const method = methodOf(session, options);
  const settings = await settingsOf(session, options);
  const { plans, left, warnings } = await planDataset(tree, settings, method.kind === 'remove', {
    ...(options.participantLabel === undefined ? {} : { subjects: options.participantLabel }),
    ...(options.sessionLabel === undefined ? {} : { sessions: options.sessionLabel }),
  });
  const rows = plans.flatMap(({ treat, copy, left: out }) => [
    ...treat.flatMap((images, g) =>
      images.map(({ image, output }) => ({
        path: image.path,
        action: 'treat',
        why:
          method.kind === 'remove'
            ? 'shows the head'
            : g === 0
              ? 'the head is drawn for it, if it shows a brain'
              : 'gets the same head',
        output,
      })),
    ),
    ...copy.map(({ image, output }) => ({
      path: image.path,
      action: 'copy',
      why: 'asked for with --copy; header cleaned',
      output,
    })),
    ...out.map(({ path, why }) => ({ path, action: 'leave out', why, output: '' })),
  ]);
  rows.push(...left.map(({ path, why }) => ({ path, action: 'leave out', why, output: '' })));
  session.facts.method = method.name;
  session.facts.results = rows;
  for (const warning of warnings) session.warn(warning);
  for (const { action, path, why, output } of rows)
    session.say(
      `${action.padEnd(9)}  ${printable(path)}  (${why})${output === '' || output === path ? '' : `  as ${printable(output)}`}`,
    );
  const count = (action: string): number => rows.filter((row) => row.action === action).length;
  session.say(
    `${count('treat')} to treat, ${count('copy')} to copy, ${count('leave out')} left out; nothing was written`,
  );
  if (session.json && rows.length === 0) session.environment.stdout.write(jsonLine({ rows }));
}
