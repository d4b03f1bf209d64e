/**
 * What runs that were killed have left in the output: work folders, those of lost machines too, and folders without anything in them.
 * Only under the lock of those people's share, as nobody else writes there then.
 *
 * @example
 * sweep(places, plans);
 */
import { dirname, join } from 'node:path';
import type { SubjectPlan } from '../../bids/plan.js';
import { removeOldParts } from '../replace-file.js';
import { removeLeftovers } from '../work-folder.js';
import { removeEmpty } from './disk.js';
import type { Places } from './places.js';

export function sweep({ output }: Places, plans: readonly SubjectPlan[]): void {
  removeLeftovers(output);
  removeOldParts(output);
  for (const { treat, copy } of plans)
    for (const folder of new Set([...treat.flat(), ...copy].map((planned) => dirname(planned.output)))) {
      const here = join(output, folder);
      removeLeftovers(here, { elsewhere: true });
      // Tables of a session stand above its images.
      removeOldParts(dirname(here));
      removeEmpty(here, output);
    }
}
