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

/** Slices (mm) that the network draws at a time, even: its features of a whole head, 100 MB each, waited for memory. */
const SLAB = 28;

interface Box {
  readonly first: Shape;
  readonly shape: Shape;
}

/**
 * Where the head is, in even voxels (the network works on blocks of two); undefined when all is air.
 * @param from even @param to even, not in it; the whole head by default
 */
export function headBox(head: Volume, from = 0, to = head.grid.shape[2]): Box | undefined {
  const [nx, ny] = head.grid.shape;
  const low = [nx, ny, to];
  const high = [-1, -1, -1];
  for (let k = from, v = nx * ny * from; k < to; k++)
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
 * Rows of voxels as blocks of 2^3: [layers, 8, y, x], the channels z, y, x within a block, x fastest. What `copy` is called with for
 * each row: where it begins among the blocks for its even voxels and for its odd ones, and its own row and slice in the box.
 */
function eachBlockRow(
  [sx, sy, sz]: Shape,
  copy: (even: number, odd: number, j: number, k: number) => void,
): void {
  const [w, area] = [sx / 2, (sx / 2) * (sy / 2)];
  for (let k = 0; k < sz; k++)
    for (let j = 0; j < sy; j++) {
      const channel = 4 * (k & 1) + 2 * (j & 1);
      const even = (8 * (k >> 1) + channel) * area + (j >> 1) * w;
      copy(even, even + area, j, k);
    }
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
  const [nx, ny, nz] = head.grid.shape;
  const end = box.first[2] + box.shape[2];

  /** The answer for slices `from` to `to`, asked for with the blocks beyond them; only where there is head. */
  const ask = async (from: number, to: number): Promise<() => void> => {
    const slab = headBox(head, from, to);
    if (slab === undefined) return () => undefined;
    const [x0, y0] = slab.first;
    const shape = [slab.shape[0], slab.shape[1], to - from] as const;
    const [w, h] = [shape[0] / 2, shape[1] / 2];
    const layers = new Float32Array(shape[0] * shape[1] * (shape[2] + 4));
    eachBlockRow([shape[0], shape[1], shape[2] + 4], (even, odd, j, k) => {
      const z = from - 2 + k;
      if (z < 0 || z >= nz) return;
      let at = x0 + nx * (y0 + j + ny * z);
      for (let x = 0; x < w; x++, at += 2) {
        layers[even + x] = head.data[at] as number;
        layers[odd + x] = head.data[at + 1] as number;
      }
    });
    const noise = new Uint8Array(shape[0] * shape[1] * shape[2]);
    eachBlockRow(shape, (even, odd, j, k) => {
      const base = TILE * (((y0 + j) % TILE) + TILE * ((from + k) % TILE));
      // Even sizes: a block's two voxels do not part at the tile's end.
      for (let x = 0, at = x0 % TILE; x < w; x++, at = at === TILE - 2 ? 0 : at + 2) {
        noise[even + x] = tile[base + at] as number;
        noise[odd + x] = tile[base + at + 1] as number;
      }
    });
    const { textured } = await networks.run(
      'texture',
      {
        layers: { data: layers, shape: [shape[2] / 2 + 2, 8, h, w] },
        noise: { data: noise, shape: [shape[2] / 2, 8, h, w] },
      },
      signal,
    );
    if (textured === undefined || textured.data.length !== noise.length)
      throw new Failure('network-failed', 'texture returned no head of the size that it was given');
    const drawn = textured.data as Float32Array;
    return () =>
      eachBlockRow(shape, (even, odd, j, k) => {
        let at = x0 + nx * (y0 + j + ny * (from + k));
        for (let x = 0; x < w; x++, at += 2) {
          head.data[at] = drawn[even + x] as number;
          head.data[at + 1] = drawn[odd + x] as number;
        }
      });
  };

  // One slab ahead: it is filled while the network works, and reads slices of its neighbours before they are drawn on.
  let previous: Promise<() => void> | undefined;
  for (let from = box.first[2]; from < end; from += SLAB) {
    const next = ask(from, Math.min(end, from + SLAB));
    next.catch(() => undefined); // awaited in the next turn
    if (previous !== undefined) (await previous)();
    previous = next;
  }
  (await (previous as Promise<() => void>))();
}
