/**
 * A BIDS cohort for benches: participants of one split with the paths of scan and labels.
 *
 * @example
 * for (const head of cohort(dataDir, 'test')) console.log(head.id, head.scan, head.labels);
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

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

export function cohort(folder, split) {
  const dataset = join(folder, 'ixi');
  const [head, ...rows] = readFileSync(join(dataset, 'participants.tsv'), 'utf8').trim().split(/\r?\n/);
  const keys = head.split('\t');
  return rows
    .map((row) => Object.fromEntries(row.split('\t').map((cell, i) => [keys[i], cell])))
    .filter((row) => split === 'all' || row.split === split)
    .map(({ participant_id: id, age, sex, split: part }) => ({
      id,
      age: Number(age),
      sex,
      split: part,
      scan: join(dataset, id, 'anat', `${id}_T1w.nii.gz`),
      labels: join(dataset, 'derivatives', 'dlmuse', id, 'anat', `${id}_desc-dlmuse_dseg.nii.gz`),
    }));
}
