/**
 * Writes the volumes that training reads, one head after another, from a BIDS data set: the same pose, scale and
 * resampling as when a head is treated. Resumes: heads that stand in the index are not done again. The files of a head appear
 * together and whole, then its line in the index.
 *
 * Per head, as .npy bytes on the model grid (or, with `grid: 'native'`, on the scan's own 2 mm voxels in RAS order): `ID_image`, `ID_flags` (see `src/brain/prepare.ts`) and, where the data
 * set has a label map under `derivatives`, `ID_labels`. The labels then give the brain mask, else the network does. With
 * `hulls`, `ID_hulls`: bit k is the k-th draw of the convex hull of cp-gan's gamma.
 *
 * @example
 * for await (const done of prepareDataset('bids', 'prepared', services)) console.error(done.id);
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BidsSubject, derivativeOf, firstScans, readDataset, sayLeft } from '../bids/dataset.js';
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
import { folderTree } from './folder-tree.js';
import { loadImage } from './image-files.js';
import { lockFolder } from './lock.js';
import { encodeNpy } from './npy.js';
import { Outputs } from './outputs.js';

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
  /** Replace files that stand in the way and are in no index. */
  readonly force?: boolean;
}

export type PreparedGrid = 'model' | 'native';

export type PrepareEvent =
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'done'; readonly row: PreparedRow }
  | { readonly kind: 'refused'; readonly id: string; readonly reason: string };

interface PreparedIndex {
  readonly version: 1;
  readonly resolution: number;
  /** Absent in an index of before there was a choice: it is of the model's. */
  readonly grid?: PreparedGrid;
  readonly hulls?: number;
  /** Whose files were being put in place: after a kill some of them stand there without a line in `heads`. */
  readonly writing?: string;
  readonly heads: readonly PreparedRow[];
}

/** The index that an earlier run left, or an empty one. @throws {Refusal} dataset-invalid for one of another kind */
function readIndex(path: string, resolution: number, grid: PreparedGrid, hulls: number): PreparedIndex {
  if (!existsSync(path)) return { version: 1, resolution, grid, hulls, heads: [] };
  const index = parseIndex(readFileSync(path, 'utf8'));
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
  return index;
}

function parseIndex(text: string): PreparedIndex {
  try {
    const index = JSON.parse(text) as Partial<PreparedIndex> | null;
    if (Array.isArray(index?.heads) && index?.resolution !== undefined) return index as PreparedIndex;
  } catch {
    // Said below.
  }
  throw new Refusal(
    'dataset-invalid',
    'expected the index.json in the output folder to be that of an earlier run, found another',
  );
}

async function writeIndex(path: string, index: PreparedIndex): Promise<void> {
  const outputs = new Outputs({ force: true, inputs: [], identifies: true });
  try {
    await outputs.stage(path, new TextEncoder().encode(JSON.stringify(index, null, 1)));
    await outputs.commit();
  } finally {
    outputs.wipe();
  }
}

async function loadVolume(path: string): Promise<Volume> {
  return finiteVolume(await loadImage(path));
}

/**
 * @throws {Refusal} dataset-invalid when the folder has no T1w image, or `out` another resolution, grid or
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
  const data = await readDataset(folderTree(dataset));
  const scans = firstScans(data, 'T1w');
  if (scans.chosen.length === 0)
    throw new Refusal(
      'dataset-invalid',
      'expected a BIDS data set with sub-ID/[ses-ID/]anat/*_T1w.nii.gz, found no such file',
    );
  const left = sayLeft(scans);
  if (left !== undefined) yield { kind: 'note', text: left };
  // These are whole heads: for their owner alone.
  await mkdir(out, { recursive: true, mode: 0o700 });
  const lock = lockFolder(out);
  try {
    const indexPath = join(out, 'index.json');
    let index = readIndex(indexPath, services.resolution, grid, hulls);
    const unfinished = index.writing;
    for (const { subject, image } of scans.chosen) {
      services.signal.throwIfAborted();
      if (index.heads.some(({ id }) => id === subject.id)) continue;
      const labels = await derivativeOf(data, image, 'dseg');
      const inputs = [image.path, ...(labels === undefined ? [] : [labels])].map((path) =>
        join(dataset, path),
      );
      const outputs = new Outputs({
        force: services.force === true || unfinished === subject.id,
        inputs,
        identifies: true,
      });
      try {
        const row = await prepareOne(inputs, out, outputs, subject, services);
        await writeIndex(indexPath, { ...index, writing: subject.id });
        await outputs.commit();
        const { writing: _, ...rest } = index;
        index = { ...rest, heads: [...index.heads, row] };
        await writeIndex(indexPath, index);
        yield { kind: 'done', row };
      } catch (error) {
        if (!isRefusal(error)) throw error;
        yield { kind: 'refused', id: subject.id, reason: error.message };
      } finally {
        outputs.wipe();
      }
    }
  } finally {
    lock.release();
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

/** Computes and stages; whether the files appear is the caller's to say. */
async function prepareOne(
  [path = '', labelPath]: readonly string[],
  out: string,
  outputs: Outputs,
  { id, participant }: BidsSubject,
  services: PrepareServices,
): Promise<PreparedRow> {
  const file = (kind: string): string => join(out, `${id}_${kind}.npy`);
  for (const kind of ['image', 'flags', 'labels', 'hulls']) await outputs.claim(file(kind));
  const volume = await loadVolume(path);
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
    if (data !== undefined) await outputs.stage(file(kind), encodeNpy(data, shape));
  }
  if (services.hulls !== undefined && services.hulls > 0) {
    const draws = drawHulls(head, prepared.grid, id, services.hulls);
    await outputs.stage(file('hulls'), encodeNpy(draws, shape));
  }
  const age = participant?.age?.trim() ? Number(participant.age) : Number.NaN;
  return {
    id,
    split: participant?.split ?? 'train',
    age: Number.isFinite(age) ? age : null,
    sex: participant?.sex ?? 'n/a',
    level: head.brainLevel,
    toBrain: [...multiply(invert(head.pose), prepared.grid.affine)],
  };
}
