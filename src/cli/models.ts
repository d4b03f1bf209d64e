/**
 * `prosopon models [list|verify|card NAME]`: the networks that are installed.
 *
 * @example
 * prosopon models verify
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { Refusal } from '../errors/errors.js';
import { listModels, readModel, verifyModel } from '../node/networks/node-models.js';
import { addCommonOptions } from './options.js';
import type { CommonOptions, Session } from './session.js';

export function modelsCommand(session: Session): Command {
  const command = new Command('models').description('the networks that are installed');
  const add = (sub: Command, run: (name?: string) => Promise<void>): void => {
    command.addCommand(addCommonOptions(sub, { writes: false }), { isDefault: sub.name() === 'list' });
    sub.action(async (...given: unknown[]) => {
      const name = typeof given[0] === 'string' ? given[0] : undefined;
      session.begin(sub.opts<CommonOptions>());
      await run(name);
      session.timer.end();
    });
  };
  add(new Command('list').description('name, version, size and hash of each'), () => list(session));
  add(new Command('verify').description('check the weights of each against their description'), () =>
    verify(session),
  );
  add(
    new Command('card').description('what a network is for and was trained on').argument('<name>'),
    (name) => card(session, name ?? ''),
  );
  return command;
}

/** @throws {Refusal} model-unavailable: a folder without networks is a broken installation, and no good news */
async function installed(session: Session): Promise<string[]> {
  const names = await listModels(session.models);
  if (names.length === 0)
    throw new Refusal('model-unavailable', 'expected networks in the models folder, found none');
  return names;
}

async function list(session: Session): Promise<void> {
  for (const name of await installed(session)) {
    const { version, description, sha256 } = await readModel(name, session.models);
    session.say(`${name} ${version}  ${sha256.slice(0, 12)}  ${description}`);
  }
}

async function verify(session: Session): Promise<void> {
  const checks: Record<string, { passed: boolean; value: string }> = {};
  for (const name of await installed(session)) {
    const { sha256 } = await verifyModel(name, session.models);
    checks[name] = { passed: true, value: sha256 };
    session.say(`ok  ${name}  ${sha256}`);
  }
  session.facts.checks = checks;
}

async function card(session: Session, name: string): Promise<void> {
  await readModel(name, session.models);
  const text = await readFile(path.join(session.models, name, 'card.md'), 'utf8').catch((cause: unknown) => {
    throw new Refusal('model-unavailable', `expected a card of the model ${name}, found none`, { cause });
  });
  session.say(text.trimEnd());
}
