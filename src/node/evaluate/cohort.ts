/**
 * The patients of a BIDS data set that an evaluation is about: scans, reference labels, ages, splits.
 *
 * @example
 * const patients = readCohort('bids', { splits: ['val', 'test'] });
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Refusal } from '../../errors/errors.js';

export interface Patient {
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

function folderNames(folder: string): string[] {
  return existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder).sort() : [];
}

/** Rows of a tab-separated file as records; a missing file has none. */
export function readTsv(path: string): Record<string, string>[] {
  if (!existsSync(path)) return [];
  const [head = '', ...lines] = readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '');
  const keys = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    return Object.fromEntries(keys.map((key, i) => [key, cells[i] ?? 'n/a']));
  });
}

function firstFile(folder: string, ending: RegExp): string | undefined {
  const name = folderNames(folder).find((entry) => ending.test(entry));
  return name === undefined ? undefined : join(folder, name);
}

function labelsOf(dataset: string, subject: string): string | undefined {
  for (const derivative of folderNames(join(dataset, 'derivatives'))) {
    const found = firstFile(join(dataset, 'derivatives', derivative, subject, 'anat'), /_dseg\.nii(\.gz)?$/);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Every patient with a T1-weighted scan (the first, by name), sorted.
 * @throws {Refusal} dataset-invalid when the folder is missing or holds no such scan
 */
export function readCohort(dataset: string): Patient[] {
  if (!existsSync(dataset) || !statSync(dataset).isDirectory())
    throw new Refusal('dataset-invalid', 'expected a folder with a BIDS data set, found none at that path');
  const people = new Map(readTsv(join(dataset, 'participants.tsv')).map((row) => [row.participant_id, row]));
  const patients: Patient[] = [];
  for (const id of folderNames(dataset).filter((name) => name.startsWith('sub-'))) {
    const scan = firstFile(join(dataset, id, 'anat'), /_T1w\.nii(\.gz)?$/);
    if (scan === undefined) continue;
    const row = people.get(id);
    const age = row?.age?.trim() ? Number(row.age) : Number.NaN;
    const labels = labelsOf(dataset, id);
    patients.push({
      id,
      scan,
      split: row?.split ?? '',
      ...(Number.isFinite(age) ? { age } : {}),
      ...(labels === undefined ? {} : { labels }),
    });
  }
  if (patients.length === 0)
    throw new Refusal(
      'dataset-invalid',
      'expected a BIDS data set with sub-ID/anat/*_T1w.nii[.gz], found no such file',
    );
  return patients;
}

export interface Selection {
  /** Names of splits; everybody when absent. */
  readonly splits?: readonly string[];
  /** Ids, with or without `sub-`. */
  readonly subjects?: readonly string[];
}

/** @throws {Refusal} dataset-invalid when a split or a subject that was asked for is not there */
export function selectPatients(patients: readonly Patient[], { splits, subjects }: Selection): Patient[] {
  const known = [...new Set(patients.map(({ split }) => split).filter((s) => s !== ''))].sort();
  for (const split of splits ?? [])
    if (!known.includes(split))
      throw new Refusal(
        'dataset-invalid',
        `expected participants.tsv to name the split "${split}", found ${known.length === 0 ? 'no splits' : known.join(', ')}`,
      );
  const named = subjects?.map((id) => (id.startsWith('sub-') ? id : `sub-${id}`));
  const missing = named?.filter((id) => !patients.some((p) => p.id === id)).length ?? 0;
  if (missing > 0)
    throw new Refusal(
      'dataset-invalid',
      `expected every subject asked for to have a T1w scan, found ${missing} without`,
    );
  return patients.filter(
    ({ id, split }) =>
      (splits === undefined || splits.includes(split)) && (named === undefined || named.includes(id)),
  );
}

/** Names of the reference labels: the first `dseg.tsv` under `derivatives` (columns index, name, tissue). */
export function readLabelNames(dataset: string): LabelName[] {
  for (const derivative of folderNames(join(dataset, 'derivatives'))) {
    const rows = readTsv(join(dataset, 'derivatives', derivative, 'dseg.tsv'));
    if (rows.length > 0) return labelNames(rows);
  }
  return [];
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
