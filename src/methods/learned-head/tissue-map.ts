/**
 * The tissues of a drawn head: the learned head's, read where its voxels are read. A voxel between two tissues has a share of
 * both, as its value has.
 *
 * @example
 * const head: DrawnHead = { ...drawn, tissues: () => drawnTissues(networks, displacement, drawn, signal) };
 */
import { BODY_TISSUES, type BodyTissue } from '../../brain/relaxation.js';
import { FIELD_SHAPE } from '../../contract/contract.js';
import { Failure } from '../../errors/errors.js';
import type { NetworkRunner, Tensor } from '../../networks/runner.js';
import type { Shape, Volume } from '../../volume/volume.js';
import type { DrawnTissues } from '../tissues.js';
import { FieldRows } from './warp.js';

export const TISSUE_MODEL = 'head-tissues';

/** What of `models/head-tissues/model.json` says how bright each tissue is where it was learnt. */
async function learntLevels(networks: NetworkRunner): Promise<Record<BodyTissue, number>> {
  const settings = (await networks.describe(TISSUE_MODEL)).settings;
  const names = settings.tissues;
  const levels = settings.levels;
  if (!Array.isArray(names) || !Array.isArray(levels) || names.length !== BODY_TISSUES.length)
    throw new Failure('model-corrupt', `${TISSUE_MODEL}: model.json names no tissues and levels`);
  const found = {} as Record<BodyTissue, number>;
  for (const [i, tissue] of BODY_TISSUES.entries()) {
    const level: unknown = levels[i];
    if (names[i] !== tissue || typeof level !== 'number' || !(level > 0))
      throw new Failure('model-corrupt', `${TISSUE_MODEL}: expected the level of ${tissue}, found another`);
    found[tissue] = level;
  }
  return found;
}

/**
 * @param displacement [1, 3, 64, 64, 48] in normalised coordinates, of the drawn head
 * @param head on the trimmed model grid at 2 or 1 mm; tissues are found where it is above 0
 * @throws {Failure} network-failed, model-corrupt
 */
export async function drawnTissues(
  networks: NetworkRunner,
  displacement: Tensor,
  head: Volume,
  signal: AbortSignal | undefined,
): Promise<DrawnTissues> {
  const [levels, outputs] = await Promise.all([
    learntLevels(networks),
    networks.run(TISSUE_MODEL, { displacement }, signal),
  ]);
  const map = outputs.tissues;
  const positions = outputs.positions?.data;
  if (!(map?.data instanceof Uint8Array) || !(positions instanceof Float32Array))
    throw new Failure('network-failed', `${TISSUE_MODEL} returned no "tissues" or no "positions"`);
  const [mz = 0, my = 0, mx = 0] = map.shape;
  return { ...readTissues(map.data, [mx, my, mz], positions, head), levels };
}

/**
 * @param map a number of `BODY_TISSUES` a voxel, x fastest, of any resolution
 * @param positions [3, 64, 64, 48]: x, y, z in normalised coordinates
 */
export function readTissues(
  map: Uint8Array,
  mapShape: Shape,
  positions: Float32Array,
  head: Volume,
): Pick<DrawnTissues, 'first' | 'second' | 'share'> {
  const [nx, ny, nz] = head.grid.shape;
  const rows = new FieldRows(positions, 3, FIELD_SHAPE, head.grid.shape);
  const first = new Uint8Array(nx * ny * nz);
  const found = { first, second: new Uint8Array(first.length), share: new Uint8Array(first.length) };
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++, o += nx) {
      rows.fill(j, k);
      readRow(rows, map, mapShape, head.data, found, o);
    }
  return found;
}

/** A function of its own, without closures: as part of the loops above it left 700 MB of garbage a head. */
function readRow(
  rows: FieldRows,
  map: Uint8Array,
  [mx, my, mz]: Shape,
  head: Float32Array,
  { first, second, share }: Pick<DrawnTissues, 'first' | 'second' | 'share'>,
  start: number,
): void {
  const { line } = rows;
  const { low, part } = rows.x;
  const [fx] = FIELD_SHAPE;
  const count = low.length;
  const stepZ = mx * my;
  for (let i = 0; i < count; i++) {
    const o = start + i;
    if (!((head[o] as number) > 0)) continue;
    const l = low[i] as number;
    const p = part[i] as number;
    const q = 1 - p;
    const atX = (line[l] as number) * q + (line[l + 1] as number) * p;
    const atY = (line[fx + l] as number) * q + (line[fx + l + 1] as number) * p;
    const atZ = (line[2 * fx + l] as number) * q + (line[2 * fx + l + 1] as number) * p;
    const x = clampTo(mx, ((atX + 1) * mx - 1) / 2);
    const y = clampTo(my, ((atY + 1) * my - 1) / 2);
    const z = clampTo(mz, ((atZ + 1) * mz - 1) / 2);
    const ix = x | 0;
    const iy = y | 0;
    const iz = z | 0;
    const v = ix + mx * iy + stepZ * iz;
    const corner = map[v] as number;
    if (
      corner === map[v + 1] &&
      corner === map[v + mx] &&
      corner === map[v + mx + 1] &&
      corner === map[v + stepZ] &&
      corner === map[v + stepZ + 1] &&
      corner === map[v + stepZ + mx] &&
      corner === map[v + stepZ + mx + 1]
    ) {
      first[o] = corner;
      second[o] = corner;
      continue;
    }
    const gx = x - ix;
    const gy = y - iy;
    const gz = z - iz;
    WEIGHTS.fill(0);
    for (let c = 0; c < 8; c++) {
      const cx = c & 1;
      const cy = (c >> 1) & 1;
      const cz = c >> 2;
      const tissue = map[v + cx + mx * cy + stepZ * cz] as number;
      WEIGHTS[tissue] =
        (WEIGHTS[tissue] as number) + (cx ? gx : 1 - gx) * (cy ? gy : 1 - gy) * (cz ? gz : 1 - gz);
    }
    let most = -1;
    let next = -1;
    for (let t = 0; t < WEIGHTS.length; t++) {
      const w = WEIGHTS[t] as number;
      if (w === 0) continue;
      if (most < 0 || w > (WEIGHTS[most] as number)) {
        next = most;
        most = t;
      } else if (next < 0 || w > (WEIGHTS[next] as number)) next = t;
    }
    first[o] = most;
    second[o] = next < 0 ? most : next;
    if (next >= 0) {
      const a = WEIGHTS[most] as number;
      const b = WEIGHTS[next] as number;
      share[o] = Math.round((255 * b) / (a + b));
    }
  }
}

/** Of the tissues at one voxel. */
const WEIGHTS = new Float32Array(BODY_TISSUES.length);

function clampTo(n: number, at: number): number {
  return at < 0 ? 0 : at > n - 1.001 ? n - 1.001 : at;
}
