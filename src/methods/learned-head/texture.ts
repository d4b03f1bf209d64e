/**
 * The texture decoder's part in TypeScript: noise with the grain of real tissue, and the box of the head that the
 * network `texture` fills with fine detail at 1 mm. Everything comes from the drawn head and the seed.
 *
 * @example
 * await addTexture(drawn, networks, random.fork('texture'));
 */
import { Failure } from '../../errors/errors.js';
import type { NetworkRunner } from '../../networks/runner.js';
import type { Random } from '../../volume/random.js';
import type { Shape, Volume } from '../../volume/volume.js';

/** Edge of the periodic tile of noise: longer than any structure of a head that its repeat could be seen in. */
const TILE = 96;
/** Bytes: a standard deviation is 32 steps about 128, as the network expects. */
const [NOISE_MIDDLE, NOISE_STEP] = [128, 32];
/**
 * Neighbours' share in the noise, [a 1 a] along each axis: gives a correlation of 0.59 one voxel on and 0.11 two on; what
 * the network leaves open in the two training heads has 0.61 and 0.19 (`correlation` in the model's settings).
 */
const GRAIN = 0.38;
/** Below this, in brain levels, there is nothing to draw on. */
const AIR = 0.05;

/** Correlated normal noise of unit deviation, periodic, as bytes; TILE^3. */
export function noiseTile(random: Random): Uint8Array {
  let from = new Float32Array(TILE ** 3);
  for (let v = 0; v < from.length; v++) from[v] = random.normal();
  const scale = 1 / Math.sqrt(1 + 2 * GRAIN * GRAIN);
  for (const stride of [1, TILE, TILE * TILE]) {
    const to = new Float32Array(from.length);
    const block = stride * TILE;
    for (let base = 0; base < to.length; base += block)
      for (let i = 0; i < TILE; i++) {
        const here = base + i * stride;
        const before = base + (i === 0 ? TILE - 1 : i - 1) * stride;
        const after = base + (i === TILE - 1 ? 0 : i + 1) * stride;
        for (let s = 0; s < stride; s++)
          to[here + s] =
            scale *
            ((from[here + s] as number) +
              GRAIN * ((from[before + s] as number) + (from[after + s] as number)));
      }
    from = to;
  }
  const bytes = new Uint8Array(from.length);
  for (let v = 0; v < bytes.length; v++) {
    const value = Math.round(NOISE_MIDDLE + NOISE_STEP * (from[v] as number));
    bytes[v] = value < 0 ? 0 : value > 255 ? 255 : value;
  }
  return bytes;
}

/** Slices (mm) that the network is given at a time: its features of a whole head, 100 MB each, waited for memory. */
const SLAB = 28;
/** How far beyond a slice the network looks: the neighbouring blocks of 2^3 voxels. */
const HALO = 2;

interface Box {
  readonly first: Shape;
  readonly shape: Shape;
}

/** Where the head is, in even voxels (the network works on blocks of two); undefined when all is air. */
export function headBox(head: Volume): Box | undefined {
  const [nx, ny, nz] = head.grid.shape;
  const low = [nx, ny, nz];
  const high = [-1, -1, -1];
  for (let k = 0, v = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, v++) {
        if (!((head.data[v] as number) > AIR)) continue;
        if (i < (low[0] as number)) low[0] = i;
        if (i > (high[0] as number)) high[0] = i;
        if (j < (low[1] as number)) low[1] = j;
        if (j > (high[1] as number)) high[1] = j;
        if (k < (low[2] as number)) low[2] = k;
        high[2] = k;
      }
  if ((high[2] as number) < 0) return undefined;
  const first = low.map((n) => n & ~1) as [number, number, number];
  const shape = high.map((n, a) => ((n | 1) + 1 - (first[a] as number)) as number) as [
    number,
    number,
    number,
  ];
  return { first, shape };
}

/**
 * Draws fine detail into a head, in place.
 * @param head at 1 mm, even sizes, in brain levels @param random decides the noise
 */
export async function addTexture(
  head: Volume,
  networks: NetworkRunner,
  random: Random,
  signal?: AbortSignal,
): Promise<void> {
  const box = headBox(head);
  if (box === undefined) return;
  const tile = noiseTile(random);
  const { first, shape } = box;
  const [sx, sy, sz] = shape;
  const [nx, ny] = head.grid.shape;
  const row = (j: number, k: number): number => first[0] + nx * (first[1] + j + ny * (first[2] + k));

  /** The answer for slices `start` to `end` of the box, asked for with what the network sees beyond them. */
  const ask = async (start: number, end: number): Promise<() => void> => {
    const [low, high] = [Math.max(0, start - HALO), Math.min(sz, end + HALO)];
    const smooth = new Float32Array(sx * sy * (high - low));
    const noise = new Uint8Array(smooth.length);
    for (let k = low, o = 0; k < high; k++)
      for (let j = 0; j < sy; j++) {
        const from = row(j, k);
        smooth.set(head.data.subarray(from, from + sx), o);
        const base = TILE * ((j % TILE) + TILE * (k % TILE));
        for (let i = 0; i < sx; i++, o++) noise[o] = tile[base + (i % TILE)] as number;
      }
    const dimensions = [1, 1, high - low, sy, sx];
    const { textured } = await networks.run(
      'texture',
      { head: { data: smooth, shape: dimensions }, noise: { data: noise, shape: dimensions } },
      signal,
    );
    if (textured === undefined || textured.data.length !== smooth.length)
      throw new Failure('network-failed', 'texture returned no head of the size that it was given');
    const drawn = textured.data as Float32Array;
    return () => {
      for (let k = start, o = (start - low) * sx * sy; k < end; k++)
        for (let j = 0; j < sy; j++, o += sx) head.data.set(drawn.subarray(o, o + sx), row(j, k));
    };
  };

  // One slab ahead: it is filled while the network works, and reads slices of its neighbours before they are drawn on.
  let previous: Promise<() => void> | undefined;
  for (let start = 0; start < sz; start += SLAB) {
    const next = ask(start, Math.min(sz, start + SLAB));
    next.catch(() => undefined); // awaited in the next turn
    if (previous !== undefined) (await previous)();
    previous = next;
  }
  (await (previous as Promise<() => void>))();
}
