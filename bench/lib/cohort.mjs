/**
 * A BIDS cohort for benches: participants of one split with the paths of scan and labels, as the program's own reader of
 * data sets finds them.
 *
 * @example
 * for (const head of await cohort(dataDir, 'test')) console.log(head.id, head.scan, head.labels);
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { derivativeOf, firstScans, readDataset } from '../../dist/bids/dataset.js';
import { folderTree } from '../../dist/node/folder-tree.js';

/** The folder with `ixi/` and `heads/`: PROSOPON_DATA, or ../shared/data beside the checkout. */
export function dataFolder() {
  const folder = process.env.PROSOPON_DATA ?? new URL('../../../shared/data', import.meta.url).pathname;
  if (!existsSync(join(folder, 'ixi'))) {
    console.error(
      'no real heads here: set PROSOPON_DATA to a folder with ixi/ (BIDS, participants.tsv with split)',
    );
    process.exit(1);
  }
  return folder;
}

/**
 * @param {string} folder that holds `ixi/`
 * @param {string} split of participants.tsv, or all
 * @returns in order of name; only those with a T1-weighted scan and labels (`dseg` of a derivative)
 */
export async function cohort(folder, split) {
  const root = join(folder, 'ixi');
  const dataset = await readDataset(folderTree(root));
  const chosen = firstScans(dataset, 'T1w').chosen.filter(
    ({ subject }) => split === 'all' || subject.participant?.split === split,
  );
  const heads = [];
  for (const { subject, image } of chosen) {
    const labels = await derivativeOf(dataset, image, 'dseg');
    if (labels === undefined) continue;
    const { age, sex, split: part } = subject.participant ?? {};
    heads.push({
      id: subject.id,
      age: Number(age),
      sex,
      split: part,
      scan: join(root, image.path),
      labels: join(root, labels),
    });
  }
  return heads;
}
