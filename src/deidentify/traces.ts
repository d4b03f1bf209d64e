/**
 * What is remembered of an original after its voxels have been overwritten: the digest of the kept ones, and one
 * number for each small block of the others. Enough to prove afterwards that the kept voxels hold the same
 * bits and that no block of the rest has come through; not enough to rebuild anything.
 *
 * @example
 * const before = trace(image.stored, image.grid.shape, image.volumes, keep);
 * // ... overwrite, synthesise, composite, encode, decode ...
 * const { sameKept, equalBlocks } = compareTraces(before, trace(result.stored, shape, volumes, keep));
 */
import type { StoredArray } from '../formats/datatypes.js';
import { hex, Sha256 } from '../volume/sha256.js';
import type { Shape } from '../volume/volume.js';

/** Voxels along an edge of a block. */
const EDGE = 4;
/** Blocks with fewer different values (air, a mask's zeros) can be equal by chance and are not compared. */
const FEWEST_VALUES = 6;

export interface Trace {
  readonly keptCount: number;
  /** SHA-256 of the kept voxels' stored bits, in file order. */
  readonly keptDigest: string;
  /** One per block and volume; NaN where the block is not compared. */
  readonly blocks: Float64Array;
}

/** Stored values as bit patterns: `per` words for each voxel. */
function bitWords(stored: StoredArray): { words: Uint8Array | Uint16Array | Int32Array; per: 1 | 2 } {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: width } = stored;
  if (width === 1) return { words: new Uint8Array(buffer, byteOffset, byteLength), per: 1 };
  if (width === 2) return { words: new Uint16Array(buffer, byteOffset, byteLength / 2), per: 1 };
  return { words: new Int32Array(buffer, byteOffset, byteLength / 4), per: width === 8 ? 2 : 1 };
}

/** @param keep One byte per voxel of a volume; the same for every volume. */
export function trace(stored: StoredArray, shape: Shape, volumes: number, keep: Uint8Array): Trace {
  return { ...traceKept(stored, volumes, keep), blocks: traceBlocks(stored, shape, volumes, keep) };
}

function traceKept(
  stored: StoredArray,
  volumes: number,
  keep: Uint8Array,
): { keptCount: number; keptDigest: string } {
  const width = stored.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  const hash = new Sha256();
  let keptCount = 0;
  for (let volume = 0; volume < volumes; volume++)
    for (let o = 0; o < keep.length; ) {
      if (keep[o] === 0) {
        o++;
        continue;
      }
      const first = o;
      while (o < keep.length && keep[o] !== 0) o++;
      const start = (volume * keep.length + first) * width;
      hash.update(bytes.subarray(start, start + (o - first) * width));
      keptCount += o - first;
    }
  return { keptCount, keptDigest: hex(hash.digest()) };
}

function traceBlocks(stored: StoredArray, shape: Shape, volumes: number, keep: Uint8Array): Float64Array {
  const [nx, ny, nz] = shape;
  const { words, per } = bitWords(stored);
  const [bx, by, bz] = [Math.ceil(nx / EDGE), Math.ceil(ny / EDGE), Math.ceil(nz / EDGE)];
  const out = new Float64Array(bx * by * bz * volumes).fill(Number.NaN);
  // Low and high words of the different values.
  const seen = new Int32Array(2 * FEWEST_VALUES);
  let b = 0;
  for (let volume = 0; volume < volumes; volume++)
    for (let z0 = 0; z0 < nz; z0 += EDGE)
      for (let y0 = 0; y0 < ny; y0 += EDGE)
        for (let x0 = 0; x0 < nx; x0 += EDGE, b++) {
          let h1 = 0x9e3779b9 | 0;
          let h2 = 0x85ebca6b | 0;
          let different = 0;
          const x1 = Math.min(nx, x0 + EDGE);
          const y1 = Math.min(ny, y0 + EDGE);
          const z1 = Math.min(nz, z0 + EDGE);
          for (let z = z0; z < z1; z++)
            for (let y = y0; y < y1; y++) {
              const row = nx * (y + ny * z);
              for (let x = x0; x < x1; x++) {
                if (keep[row + x] !== 0) continue;
                const at = (volume * keep.length + row + x) * per;
                const low = (words[at] as number) | 0;
                const high = per === 2 ? (words[at + 1] as number) | 0 : 0;
                const mixed = low ^ Math.imul(high, 0x27d4eb2f);
                h1 = Math.imul(h1 ^ mixed, 2654435761);
                h2 = Math.imul(h2 ^ mixed, 1597334677);
                h1 ^= h1 >>> 15;
                h2 ^= h2 >>> 13;
                if (different < FEWEST_VALUES) {
                  let i = 0;
                  while (i < different && (seen[2 * i] !== low || seen[2 * i + 1] !== high)) i++;
                  if (i === different) {
                    seen[2 * i] = low;
                    seen[2 * i + 1] = high;
                    different++;
                  }
                }
              }
            }
          if (different === FEWEST_VALUES) out[b] = 4294967296 * (h2 & 0x1fffff) + (h1 >>> 0);
        }
  return out;
}

export interface Comparison {
  readonly sameKept: boolean;
  /** Blocks of the original that could be compared. */
  readonly comparedBlocks: number;
  /** Blocks whose altered voxels all hold the original's bits: none, unless something leaks. */
  readonly equalBlocks: number;
}

export function compareTraces(before: Trace, after: Trace): Comparison {
  let comparedBlocks = 0;
  let equalBlocks = 0;
  before.blocks.forEach((hash, b) => {
    if (Number.isNaN(hash)) return;
    comparedBlocks++;
    if (after.blocks[b] === hash) equalBlocks++;
  });
  return {
    sameKept: before.keptCount === after.keptCount && before.keptDigest === after.keptDigest,
    comparedBlocks,
    equalBlocks,
  };
}
