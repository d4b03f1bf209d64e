/**
 * `prosopon profile`: how bright a protocol shows the tissues outside the brain, over at least five people, for `deid --profile`.
 *
 * @example
 * prosopon profile BIDS_DIR mprage.json --suffix T1w
 */
import { Command } from 'commander';
import { LEAST_HEADS } from '../deidentify/profile.js';
import { measureProtocol } from '../node/measure-protocol.js';
import { addCommonOptions } from './options.js';
import type { CommonOptions, Session } from './session.js';

export function profileCommand(session: Session): Command {
  const command = new Command('profile')
    .description(
      `measure how bright fat, muscle, bone and eyes are in scans of one protocol, over at least ${LEAST_HEADS} people`,
    )
    .argument('<bids-dir>', 'data set: sub-ID/[ses-ID/]anat/*_SUFFIX.nii.gz')
    .argument('<out.json>', 'where the profile goes: medians over people, nothing of anybody')
    .option('--suffix <suffix>', 'BIDS suffix of the images', 'T1w')
    .option('--acq <label>', 'only images with this acq- label')
    .action(async (folder: string, out: string) => {
      const options = command.opts<CommonOptions & { suffix: string; acq?: string }>();
      session.begin(options);
      const { signal, extractBrain } = session.environment;
      const outputs = session.outputs({ force: options.force === true, inputs: [] });
      try {
        await outputs.claim(out);
        const networks = session.networks();
        const { profile, refused } = await measureProtocol(folder, options.suffix, {
          networks,
          signal,
          extractBrain: (volume) => extractBrain(volume, networks, { signal }),
          ...(options.acq === undefined ? {} : { acquisition: options.acq }),
          onHead: (id, reason) => session.log(reason === undefined ? id : `refused ${id}: ${reason}`),
        });
        const text = `${JSON.stringify(profile, null, 2)}\n`;
        await outputs.stage(out, new TextEncoder().encode(text), { identifies: false });
        await outputs.commit();
        session.facts.checks = {
          measured: { passed: true, value: profile.heads },
          refused: { passed: true, value: refused },
        };
        session.facts.outputs.push(out);
      } finally {
        outputs.wipe();
      }
    });
  return addCommonOptions(command, { writes: true });
}
