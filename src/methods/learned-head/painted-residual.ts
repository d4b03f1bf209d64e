/**
 * What a moved learned head lacks of a scan (septa, vessels, fibres, marrow, layers of the scalp), painted at 2 mm by the network
 * `painted-residual` from the drawn head and noise of the seed. It sees 24 mm and no place: it can carry no face.
 *
 * @example
 * await addPaintedResidual(drawn, brainMask2mm, networks, random.fork('paint'));
 */
import { Failure } from '../../errors/errors.js';
import type { NetworkRunner } from '../../networks/runner.js';
import type { Random } from '../../volume/random.js';
import type { Mask, Volume } from '../../volume/volume.js';
import { paintGate } from './paint-gate.js';
import { type Box, headBox } from './texture.js';

export const PAINTER_MODEL = 'painted-residual';

/** Edge of the periodic tile of noise: 128 mm, more than five times what the network sees. */
const TILE = 64;

/** The head at 2 mm: itself, or means of 2^3 voxels of 1 mm. */
export function atTwoMm(head: Volume, brain: Mask): Volume {
  if (head.data.length === brain.data.length) return { grid: brain.grid, data: head.data };
  const [nx, ny, nz] = brain.grid.shape;
  const data = new Float32Array(brain.data.length);
  const [row, plane] = [2 * nx, 4 * nx * ny];
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++) {
        const v = 2 * (i + row * j + plane * k);
        let sum = 0;
        for (const at of [v, v + row, v + plane, v + plane + row])
          sum += (head.data[at] as number) + (head.data[at + 1] as number);
        data[o] = sum / 8;
      }
  return { grid: brain.grid, data };
}

/** The residual of a head at 2 mm in its box, gate included. */
async function paint(
  coarse: Volume,
  gate: Float32Array,
  { first, shape }: Box,
  networks: NetworkRunner,
  random: Random,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  const tile = Float32Array.from({ length: TILE ** 3 }, () => random.normal());
  const [nx, ny] = coarse.grid.shape;
  const [sx, sy, sz] = shape;
  const head = new Float32Array(sx * sy * sz);
  const noise = new Float32Array(head.length);
  for (let k = 0, o = 0; k < sz; k++)
    for (let j = 0; j < sy; j++) {
      const from = first[0] + nx * (first[1] + j + ny * (first[2] + k));
      head.set(coarse.data.subarray(from, from + sx), o);
      const base = TILE * ((j % TILE) + TILE * (k % TILE));
      for (let i = 0; i < sx; i++, o++) noise[o] = tile[base + (i % TILE)] as number;
    }
  const dimensions = [1, 1, sz, sy, sx];
  const { residual } = await networks.run(
    PAINTER_MODEL,
    { head: { data: head, shape: dimensions }, noise: { data: noise, shape: dimensions } },
    signal,
  );
  if (residual === undefined || residual.data.length !== head.length)
    throw new Failure(
      'network-failed',
      `${PAINTER_MODEL} returned no residual of the size that it was given`,
    );
  const painted = residual.data as Float32Array;
  for (let k = 0, o = 0; k < sz; k++)
    for (let j = 0; j < sy; j++) {
      const from = first[0] + nx * (first[1] + j + ny * (first[2] + k));
      for (let i = 0; i < sx; i++, o++) painted[o] = (painted[o] as number) * (gate[from + i] as number);
    }
  return painted;
}

/** Lower and upper place along an axis of `n` voxels for voxel `i` of twice as many, and the upper one's weight. */
function between(i: number, n: number): readonly [number, number, number] {
  const at = (i - 0.5) / 2;
  const low = Math.floor(at);
  return [Math.max(0, low), Math.min(n - 1, low + 1), at - low];
}

/** Adds a residual at 2 mm to a head at 1 mm, linearly between voxel centres; tissue stays tissue and air air. */
function addDoubled(head: Volume, residual: Float32Array, { first, shape }: Box): void {
  const [sx, sy, sz] = shape;
  const [nx, ny] = head.grid.shape;
  const line = new Float32Array(sx);
  const across = Array.from({ length: 2 * sx }, (_, i) => between(i, sx));
  for (let k = 0; k < 2 * sz; k++) {
    const [k0, k1, kp] = between(k, sz);
    for (let j = 0; j < 2 * sy; j++) {
      const [j0, j1, jp] = between(j, sy);
      const [a, b] = [sx * (j0 + sy * k0), sx * (j1 + sy * k0)];
      const [c, d] = [sx * (j0 + sy * k1), sx * (j1 + sy * k1)];
      for (let i = 0; i < sx; i++)
        line[i] =
          (1 - kp) * ((1 - jp) * (residual[a + i] as number) + jp * (residual[b + i] as number)) +
          kp * ((1 - jp) * (residual[c + i] as number) + jp * (residual[d + i] as number));
      const to = 2 * first[0] + nx * (2 * first[1] + j + ny * (2 * first[2] + k));
      for (let i = 0; i < 2 * sx; i++) {
        const value = head.data[to + i] as number;
        if (!(value > 0)) continue;
        const [i0, i1, ip] = across[i] as readonly [number, number, number];
        const more = (1 - ip) * (line[i0] as number) + ip * (line[i1] as number);
        head.data[to + i] = Math.max(FAINTEST, value + more);
      }
    }
  }
}

/** Tissue does not become air: its tissue class, by which other contrasts are coloured, is asked where a head is above 0. */
const FAINTEST = 1e-3;

/**
 * Paints into a head, in place.
 * @param head on the trimmed model grid, 2 or 1 mm, in brain levels @param brain on the trimmed model grid at 2 mm
 * @param random decides the noise
 * @throws {Failure} network-failed
 */
export async function addPaintedResidual(
  head: Volume,
  brain: Mask,
  networks: NetworkRunner,
  random: Random,
  signal?: AbortSignal,
): Promise<void> {
  const coarse = atTwoMm(head, brain);
  const box = headBox(coarse);
  if (box === undefined) return;
  const residual = await paint(coarse, paintGate(coarse, brain), box, networks, random, signal);
  if (head.data.length !== brain.data.length) {
    addDoubled(head, residual, box);
    return;
  }
  const [nx, ny] = head.grid.shape;
  const { first, shape } = box;
  for (let k = 0, o = 0; k < shape[2]; k++)
    for (let j = 0; j < shape[1]; j++) {
      const to = first[0] + nx * (first[1] + j + ny * (first[2] + k));
      for (let i = 0; i < shape[0]; i++, o++) {
        const value = head.data[to + i] as number;
        if (value > 0) head.data[to + i] = Math.max(FAINTEST, value + (residual[o] as number));
      }
    }
}
