/**
 * `prosopon demo`: treat the bundled head that is nobody (demo/head.nii.gz; scripts/make-demo-head.mjs says how it was
 * made), and show what came out: the new head, renderings of before and after, and the report.
 *
 * @example
 * prosopon demo DIR
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { Failure } from '../errors/errors.js';
import { VIEWS } from '../render/views.js';
import { deid } from './deid.js';
import { addCommonOptions } from './options.js';
import { draw } from './render.js';
import type { CommonOptions, Session } from './session.js';

const DEMO_HEAD = fileURLToPath(new URL('../../demo/head.nii.gz', import.meta.url));

const FILES = [
  'new-head.nii.gz',
  'report.html',
  ...['before', 'after'].flatMap((name) => ['front', 'left'].map((view) => `${name}-${view}.png`)),
];

export function demoCommand(session: Session): Command {
  const command = new Command('demo')
    .description('treat the bundled head that is nobody')
    .argument('[dir]', 'where the results go', 'demo-output')
    .action(async (folder: string) => {
      const options = command.opts<CommonOptions>();
      session.begin(options);
      if (!existsSync(DEMO_HEAD))
        throw new Failure('internal', 'the bundled head is missing from this installation');
      await mkdir(folder, { recursive: true });
      const file = (name: string): string => join(folder, name);
      // All of them before any work: half a demonstration beside somebody's files helps nobody.
      const claims = session.outputs({ force: options.force === true, inputs: [DEMO_HEAD] });
      for (const name of FILES) await claims.claim(file(name));
      const { methods } = session.environment;
      const method = methods.get(methods.names[0] ?? 'none');
      session.facts.method = method.name;
      await deid(
        session,
        {
          input: DEMO_HEAD,
          output: file('new-head.nii.gz'),
          qc: file('report.html'),
          qcWithOriginal: true,
          force: options.force === true,
        },
        { method, resolution: 256, keep: 'brain', brainMarginMm: 0, noise: true },
      );
      const written = [...session.facts.outputs];
      for (const [name, source] of [
        ['before', DEMO_HEAD],
        ['after', file('new-head.nii.gz')],
      ] as const)
        for (const view of ['front', 'left'] as const) {
          const picture = file(`${name}-${view}.png`);
          await draw(session, source, picture, { ...options, view: VIEWS[view] });
          written.push(picture);
        }
      session.facts.outputs = written;
      session.timer.end();
      session.say(
        '\nThe bundled head is nobody: the mean brain of the training heads, with a drawn complement.',
      );
      for (const path of written) session.say(`  ${relative('.', path)}`);
    });
  return addCommonOptions(command, { writes: true });
}
