/**
 * The subjects of a BIDS data set that an evaluation is about: scans, reference labels, ages, splits.
 *
 * @example
 * const { subjects } = await readCohort('bids');
 * const chosen = selectSubjects(subjects, { splits: ['val', 'test'] });
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from 'prosopon';
import {
  type BidsDataset,
  derivativeOf,
  firstScans,
  folderTree,
  joinPath,
  parseTsv,
  readDataset,
  readTable,
  sayLeft,
} from 'prosopon/node';

export interface Subject {
  readonly id: string;
  readonly scan: string;
  /** A label map under `derivatives`, when there is one. */
  readonly labels?: string;
  readonly age?: number;
  /** 'train', 'val', 'test', or '' when participants.tsv does not say. */
  readonly split: string;
}

export interface LabelName {
  readonly id: number;
  readonly name: string;
  readonly tissue: string;
}

/** Rows of a table that lies anywhere; a missing file has none. */
export function readTsv(path: string): Record<string, string>[] {
  return existsSync(path) ? parseTsv(readFileSync(path, 'utf8')) : [];
}

export interface Cohort {
  /** Everybody with a T1-weighted scan, sorted: one scan each, as subjects are told apart. */
  readonly subjects: readonly Subject[];
  readonly labelNames: readonly LabelName[];
  /** Which scans take no part, for a person; absent when all do. */
  readonly left?: string;
}

/** @throws {Refusal} dataset-invalid when the folder is missing or holds no such scan */
export async function readCohort(folder: string): Promise<Cohort> {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new Refusal('dataset-invalid', 'expected a folder with a BIDS data set, found none at that path');
  const dataset = await readDataset(folderTree(folder));
  const scans = firstScans(dataset, 'T1w');
  if (scans.chosen.length === 0)
    throw new Refusal(
      'dataset-invalid',
      'expected a BIDS data set with sub-ID/[ses-ID/]anat/*_T1w.nii[.gz], found no such file',
    );
  const subjects: Subject[] = [];
  for (const { subject, image } of scans.chosen) {
    const { participant } = subject;
    const age = participant?.age?.trim() ? Number(participant.age) : Number.NaN;
    const labels = await derivativeOf(dataset, image, 'dseg');
    subjects.push({
      id: subject.id,
      scan: join(folder, image.path),
      split: participant?.split ?? '',
      ...(Number.isFinite(age) ? { age } : {}),
      ...(labels === undefined ? {} : { labels: join(folder, labels) }),
    });
  }
  const left = sayLeft(scans);
  return { subjects, labelNames: await readLabelNames(dataset), ...(left === undefined ? {} : { left }) };
}

/** Names of the reference labels: the first `dseg.tsv` under `derivatives` (columns index, name, tissue). */
async function readLabelNames({ derivatives, tree }: BidsDataset): Promise<LabelName[]> {
  for (const derivative of derivatives) {
    const rows = await readTable(tree, joinPath('derivatives', derivative, 'dseg.tsv'));
    if (rows.length > 0) return labelNames(rows);
  }
  return [];
}

export interface Selection {
  /** Names of splits; everybody when absent. */
  readonly splits?: readonly string[];
  /** Ids, with or without `sub-`. */
  readonly subjects?: readonly string[];
}

/** @throws {Refusal} dataset-invalid when a split or a subject that was asked for is not there */
export function selectSubjects(cohort: readonly Subject[], { splits, subjects }: Selection): Subject[] {
  const known = [...new Set(cohort.map(({ split }) => split).filter((s) => s !== ''))].sort();
  for (const split of splits ?? [])
    if (!known.includes(split))
      throw new Refusal(
        'dataset-invalid',
        `expected participants.tsv to name the split "${split}", found ${known.length === 0 ? 'no splits' : known.join(', ')}`,
      );
  const named = subjects?.map((id) => (id.startsWith('sub-') ? id : `sub-${id}`));
  const missing = named?.filter((id) => !cohort.some((p) => p.id === id)).length ?? 0;
  if (missing > 0)
    throw new Refusal(
      'dataset-invalid',
      `expected every subject asked for to have a T1w scan, found ${missing} without`,
    );
  return cohort.filter(
    ({ id, split }) =>
      (splits === undefined || splits.includes(split)) && (named === undefined || named.includes(id)),
  );
}

export function labelNames(rows: readonly Record<string, string>[]): LabelName[] {
  return rows
    .map((row) => ({
      id: Number(row.index),
      name: row.name ?? `label ${row.index}`,
      tissue: row.tissue ?? 'n/a',
    }))
    .filter(({ id }) => Number.isInteger(id) && id > 0 && id < 65536);
}
