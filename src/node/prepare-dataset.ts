/**
 * Writes the volumes that training reads, one head after another, from a BIDS data set: the same pose, scale and
 * resampling as when a head is treated. Resumes: heads that stand in the index are not done again.
 *
 * Per head, as .npy bytes on the model grid (or, with `grid: 'native'`, on the scan's own 2 mm voxels in RAS order): `ID_image`, `ID_flags` (see `src/brain/prepare.ts`) and, where the data
 * set has a label map under `derivatives`, `ID_labels`. The labels then give the brain mask, else the network does. With
 * `hulls`, `ID_hulls`: bit k is the k-th draw of the convex hull of cp-gan's gamma.
 *
 * @example
 * for await (const done of prepareDataset('bids', 'prepared', services)) console.error(done.id);
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Head, makeHead } from '../brain/head.js';
import { prepareHead, prepareOn } from '../brain/prepare.js';
import { maskFromLabels } from '../brain/reference-mask.js';
import { isRefusal, Refusal } from '../errors/errors.js';
import { finiteVolume } from '../formats/stored-image.js';
import { convexHull } from '../methods/cp-gan/hull.js';
import { binaryHead } from '../methods/cp-gan/surface.js';
import { invert, multiply } from '../volume/affine.js';
import { canonicalGrid } from '../volume/canonical-grid.js';
import { Random } from '../volume/random.js';
import { sha256 } from '../volume/sha256.js';
import { type Grid, type Mask, sameGrid, type Volume } from '../volume/volume.js';
import { loadImage } from './image-files.js';
import { encodeNpy } from './npy.js';

export interface PreparedRow {
  readonly id: string;
  readonly split: string;
  readonly age: number | null;
  readonly sex: string;
  /** Median of the brain in the scan's own units. */
  readonly level: number;
  /** Voxel of the written arrays (x, y, z) to millimetres in the brain frame, 16 numbers row by row. */
  readonly toBrain: readonly number[];
}

export interface PrepareServices {
  extractBrain(volume: Volume): Promise<{ mask: Mask }>;
  readonly signal: AbortSignal;
  readonly resolution: 128 | 256;
  /** `model` (the default): the posed cube. `native`: see `canonicalGrid`; shapes differ from head to head. */
  readonly grid?: PreparedGrid;
  /** Draws of the convex hull, 0 (the default) to 8; on the model grid only. */
  readonly hulls?: number;
}

export type PreparedGrid = 'model' | 'native';

export type PrepareEvent =
  | { readonly kind: 'done'; readonly row: PreparedRow }
  | { readonly kind: 'refused'; readonly id: string; readonly reason: string };

/** Rows of participants.tsv by id; empty when there is no such file. */
function participants(folder: string): Map<string, Record<string, string>> {
  const path = join(folder, 'participants.tsv');
  const out = new Map<string, Record<string, string>>();
  if (!existsSync(path)) return out;
  const [head = '', ...lines] = readFileSync(path, 'utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '');
  const keys = head.split('\t');
  for (const line of lines) {
    const cells = line.split('\t');
    const row = Object.fromEntries(keys.map((key, i) => [key, cells[i] ?? 'n/a']));
    if (row.participant_id !== undefined) out.set(row.participant_id, row);
  }
  return out;
}

function filesOf(folder: string, ending: RegExp): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => ending.test(name))
    .sort()
    .map((name) => join(folder, name));
}

function labelFile(dataset: string, subject: string): string | undefined {
  for (const name of existsSync(join(dataset, 'derivatives'))
    ? readdirSync(join(dataset, 'derivatives'))
    : []) {
    const [found] = filesOf(join(dataset, 'derivatives', name, subject, 'anat'), /_dseg\.nii(\.gz)?$/);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Rows of an index that an earlier run left. */
function readIndex(path: string, resolution: number, grid: PreparedGrid, hulls: number): PreparedRow[] {
  if (!existsSync(path)) return [];
  const index = JSON.parse(readFileSync(path, 'utf8')) as {
    resolution: number;
    grid?: PreparedGrid;
    hulls?: number;
    heads: PreparedRow[];
  };
  // An index of before there was a choice has no grid: it is of the model's.
  if ((index.grid ?? 'model') !== grid)
    throw new Refusal(
      'dataset-invalid',
      `expected an output folder of heads on the ${grid} grid, found one of heads on the ${index.grid ?? 'model'} grid`,
    );
  if (index.resolution !== resolution)
    throw new Refusal(
      'dataset-invalid',
      `expected an output folder of heads at ${resolution}, found one of heads at ${index.resolution}`,
    );
  if ((index.hulls ?? 0) !== hulls)
    throw new Refusal(
      'dataset-invalid',
      `expected an output folder of heads with ${hulls} hulls each, found one of heads with ${index.hulls ?? 0}`,
    );
  return index.heads;
}

async function loadVolume(path: string): Promise<Volume> {
  return finiteVolume(await loadImage(path));
}

/**
 * @throws {Refusal} dataset-invalid when the folder has no sub-ID/anat/*_T1w.nii[.gz], or `out` another resolution, grid or
 *   number of hulls; option-invalid for hulls that are not asked for on the model grid
 */
export async function* prepareDataset(
  dataset: string,
  out: string,
  services: PrepareServices,
): AsyncGenerator<PrepareEvent> {
  const grid = services.grid ?? 'model';
  const hulls = services.hulls ?? 0;
  if (hulls > 0 && grid !== 'model')
    throw new Refusal('option-invalid', `expected hulls on the model grid only, found the ${grid} grid`);
  const subjects = existsSync(dataset)
    ? readdirSync(dataset)
        .filter((name) => name.startsWith('sub-'))
        .sort()
    : [];
  const people = participants(dataset);
  const scans = subjects.flatMap((subject) =>
    filesOf(join(dataset, subject, 'anat'), /_T1w\.nii(\.gz)?$/)
      .slice(0, 1)
      .map((path) => ({ subject, path })),
  );
  if (scans.length === 0)
    throw new Refusal(
      'dataset-invalid',
      'expected a BIDS data set with sub-ID/anat/*_T1w.nii.gz, found no such file',
    );
  await mkdir(out, { recursive: true });
  const indexPath = join(out, 'index.json');
  const rows = readIndex(indexPath, services.resolution, grid, hulls);
  for (const { subject, path } of scans) {
    services.signal.throwIfAborted();
    if (rows.some(({ id }) => id === subject)) continue;
    try {
      const row = await prepareOne(dataset, out, subject, path, people.get(subject), services);
      rows.push(row);
      writeFileSync(
        `${indexPath}.part`,
        JSON.stringify({ version: 1, resolution: services.resolution, grid, hulls, heads: rows }, null, 1),
      );
      renameSync(`${indexPath}.part`, indexPath);
      yield { kind: 'done', row };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      yield { kind: 'refused', id: subject, reason: error.message };
    }
  }
}

/** Bit k: draw k. Which draw a head gets hangs on its name and k alone, so that a resumed run draws the same. */
function drawHulls(head: Head, grid: Grid, subject: string, count: number): Uint8Array {
  const outline = binaryHead(head);
  const random = new Random(sha256(new TextEncoder().encode(`hulls of ${subject}`)));
  const out = new Uint8Array(grid.shape[0] * grid.shape[1] * grid.shape[2]);
  for (let k = 0; k < count; k++) {
    const { data } = convexHull(outline, random.fork(`draw ${k}`), grid);
    for (let v = 0; v < out.length; v++) out[v] = (out[v] as number) | ((data[v] as number) << k);
  }
  return out;
}

async function prepareOne(
  dataset: string,
  out: string,
  subject: string,
  path: string,
  person: Record<string, string> | undefined,
  services: PrepareServices,
): Promise<PreparedRow> {
  const volume = await loadVolume(path);
  const labelPath = labelFile(dataset, subject);
  const labels = labelPath === undefined ? undefined : await loadVolume(labelPath);
  if (labels !== undefined && !sameGrid(labels.grid, volume.grid))
    throw new Refusal(
      'dataset-invalid',
      'expected the label map on the grid of the scan, found another grid',
    );
  const mask = labels === undefined ? (await services.extractBrain(volume)).mask : maskFromLabels(labels);
  const head = makeHead(volume, mask);
  const prepared =
    services.grid === 'native'
      ? prepareOn(head, canonicalGrid(volume.grid), labels)
      : prepareHead(head, services.resolution, labels);
  const shape = [...prepared.grid.shape].reverse();
  for (const kind of ['image', 'flags', 'labels'] as const) {
    const data = prepared[kind];
    if (data !== undefined) writeFileSync(join(out, `${subject}_${kind}.npy`), encodeNpy(data, shape));
  }
  if (services.hulls !== undefined && services.hulls > 0) {
    const draws = drawHulls(head, prepared.grid, subject, services.hulls);
    writeFileSync(join(out, `${subject}_hulls.npy`), encodeNpy(draws, shape));
  }
  const age = person?.age?.trim() ? Number(person.age) : Number.NaN;
  return {
    id: subject,
    split: person?.split ?? 'train',
    age: Number.isFinite(age) ? age : null,
    sex: person?.sex ?? 'n/a',
    level: head.brainLevel,
    toBrain: [...multiply(invert(head.pose), prepared.grid.affine)],
  };
}
