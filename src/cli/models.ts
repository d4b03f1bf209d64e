/**
 * `prosopon models [list|verify|card NAME]`: the networks that are installed, the ruler's too where it is. With `--models DIR`
 * those of that folder alone.
 *
 * @example
 * prosopon models verify
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { Refusal } from '../errors/errors.js';
import { findRuler } from '../node/find-ruler.js';
import {
  listModels,
  type ModelFolders,
  modelFolder,
  readModel,
  verifyModel,
} from '../node/networks/node-models.js';
import { addCommonOptions } from './options.js';
import type { CommonOptions, Session } from './session.js';

type Run = (session: Session, folders: ModelFolders, name: string) => Promise<void>;

export function modelsCommand(session: Session): Command {
  const command = new Command('models').description('the networks that are installed');
  const add = (sub: Command, run: Run): void => {
    command.addCommand(addCommonOptions(sub, { writes: false }), { isDefault: sub.name() === 'list' });
    sub.action(async (...given: unknown[]) => {
      const name = typeof given[0] === 'string' ? given[0] : undefined;
      const options = sub.opts<CommonOptions>();
      session.begin(options);
      const ruler = options.models === undefined ? findRuler() : undefined;
      await run(session, ruler === undefined ? session.models : [session.models, ruler.models], name ?? '');
      session.timer.end();
    });
  };
  const listing = new Command('list')
    .description('name, version, size and hash of each')
    .allowExcessArguments();
  add(listing, (own, folders) => list(own, folders, listing.args));
  add(new Command('verify').description('check the weights of each against their description'), verify);
  add(new Command('card').description('what a network is for and was trained on').argument('<name>'), card);
  return command;
}

/** @throws {Refusal} model-unavailable: a folder without networks is a broken installation, and no good news */
async function installed(folders: ModelFolders): Promise<string[]> {
  const names = await listModels(folders);
  if (names.length === 0)
    throw new Refusal('model-unavailable', 'expected networks in the models folder, found none');
  return names;
}

/** @param more words after the command, which has none: it is the default, so that they may be a misspelt one or a network's name */
async function list(session: Session, folders: ModelFolders, more: readonly string[]): Promise<void> {
  const names = await installed(folders);
  const [word] = more;
  if (word !== undefined)
    throw new Refusal(
      'option-invalid',
      names.includes(word)
        ? `expected list, verify or card after "models", found the name of a network: prosopon models card ${word}`
        : `expected list, verify or card NAME after "models", found another word; networks are ${names.join(', ')}`,
    );
  for (const name of names) {
    const { version, description, sha256 } = await readModel(name, folders);
    session.say(`${name} ${version}  ${sha256.slice(0, 12)}  ${description}`);
  }
}

async function verify(session: Session, folders: ModelFolders): Promise<void> {
  const checks: Record<string, { passed: boolean; value: string }> = {};
  for (const name of await installed(folders)) {
    const { sha256 } = await verifyModel(name, folders);
    checks[name] = { passed: true, value: sha256 };
    session.say(`ok  ${name}  ${sha256}`);
  }
  session.facts.checks = checks;
}

async function card(session: Session, folders: ModelFolders, name: string): Promise<void> {
  await readModel(name, folders);
  const text = await readFile(path.join(modelFolder(name, folders), 'card.md'), 'utf8').catch(
    (cause: unknown) => {
      throw new Refusal('model-unavailable', `expected a card of the model ${name}, found none`, { cause });
    },
  );
  session.say(text.trimEnd());
}
