/**
 * Options of `deid` that say how a scan was made: `--contrast`, `--acquisition`, `--profile`. Files are read once, before any scan.
 *
 * @example
 * addContrastOptions(command);
 * const known = await scanContrastOf(options); // { contrast, sequence?, profile? }
 */
import { type Command, Option } from 'commander';
import type { ContrastChoice } from '../brain/protocol.js';
import { CONTRASTS } from '../brain/tissues.js';
import { readAcquisition } from '../deidentify/acquisition.js';
import type { ScanContrast } from '../deidentify/paint.js';
import { parseProfile } from '../deidentify/profile.js';
import { readJson } from './read-json.js';

export interface ContrastOptions {
  readonly contrast: ContrastChoice | 't2starw';
  readonly acquisition?: string;
  readonly contrastAgent?: boolean;
  readonly profile?: string;
}

export function addContrastOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--contrast <what>', 'what the scan is; auto: what its brain says')
        .choices(['auto', ...CONTRASTS, 't2starw'])
        .default('auto'),
    )
    .option(
      '--acquisition <json>',
      "the scan's BIDS sidecar: times, flip angle, field and fat suppression decide how bright fat, muscle, skin and eyes are drawn",
    )
    .option(
      '--contrast-agent',
      'a gadolinium agent was given: bright vessels and mucosa in T1-weighted scans; a sidecar that names it says so too',
    )
    .option(
      '--profile <json>',
      'what prosopon profile measured over at least 5 heads of the protocol; goes before --acquisition',
    );
}

/** @throws {Refusal} acquisition-invalid, profile-invalid, not-readable */
export async function scanContrastOf(options: ContrastOptions): Promise<ScanContrast> {
  const { contrast, acquisition, contrastAgent, profile } = options;
  return {
    // T2 and T2* differ in what air and iron do to a head, not in how fluid, grey and white matter lie.
    contrast: contrast === 't2starw' ? 't2w' : contrast,
    ...(acquisition === undefined
      ? {}
      : { sequence: readAcquisition(await readJson(acquisition, 'acquisition-invalid')) }),
    ...(contrastAgent === true ? { contrastAgent } : {}),
    ...(profile === undefined
      ? {}
      : { profile: parseProfile(await readJson(profile, 'profile-invalid')).levels }),
  };
}
