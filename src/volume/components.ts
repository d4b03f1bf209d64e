/**
 * Connected components of a mask (6-connected), by runs: a row's set voxels that touch are one run, and runs that overlap
 * in neighbouring rows are joined. A brain of 1.5 million voxels has some 30,000 runs.
 *
 * @example
 * const brain = largestComponent(thresholded);
 */
import { eachRun } from './mask-runs.js';
import type { Mask } from './volume.js';

export interface Components {
  /** 0 outside the mask, else 1, 2, ... in order of first voxel. */
  readonly labels: Int32Array;
  /** Voxels per label; `sizes[0]` is 0. */
  readonly sizes: readonly number[];
}

/** Runs in the order of their voxels. */
interface Runs {
  /** First voxel, and the one behind the last. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Of each row, its first run; one more at the end. */
  readonly ofRow: Int32Array;
}

function runsOf(data: Uint8Array, nx: number): Runs {
  const ofRow = new Int32Array(data.length / nx + 1);
  eachRun(
    data,
    (from) => {
      const next = Math.floor(from / nx) + 1;
      ofRow[next] = (ofRow[next] as number) + 1;
    },
    nx,
  );
  for (let row = 1; row < ofRow.length; row++)
    ofRow[row] = (ofRow[row] as number) + (ofRow[row - 1] as number);
  const count = ofRow[ofRow.length - 1] as number;
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  let run = 0;
  eachRun(
    data,
    (from, end) => {
      starts[run] = from;
      ends[run++] = end;
    },
    nx,
  );
  return { starts, ends, ofRow };
}

/** The first run of the piece that a run belongs to; halves the way there for the next who asks. */
function rootOf(parents: Int32Array, run: number): number {
  let r = run;
  while (parents[r] !== r) {
    parents[r] = parents[parents[r] as number] as number;
    r = parents[r] as number;
  }
  return r;
}

/** Joins the runs of a row with those of an earlier row, `back` voxels behind, that they lie beside. */
function joinRows(
  { starts, ends, ofRow }: Runs,
  parents: Int32Array,
  row: number,
  other: number,
  back: number,
): void {
  let a = ofRow[other] as number;
  const lastA = ofRow[other + 1] as number;
  let b = ofRow[row] as number;
  const lastB = ofRow[row + 1] as number;
  while (a < lastA && b < lastB) {
    const [startA, endA] = [(starts[a] as number) + back, (ends[a] as number) + back];
    if (startA < (ends[b] as number) && (starts[b] as number) < endA) {
      const [x, y] = [rootOf(parents, a), rootOf(parents, b)];
      if (x < y) parents[y] = x;
      else parents[x] = y;
    }
    if (endA < (ends[b] as number)) a++;
    else b++;
  }
}

/** Of each run its label, from 1 on in order of first voxel, and the pieces' sizes. */
function labelRuns(mask: Mask): Runs & { labels: Int32Array; sizes: number[] } {
  const [nx, ny, nz] = mask.grid.shape;
  const runs = runsOf(mask.data, nx);
  const parents = Int32Array.from(runs.starts, (_, r) => r);
  for (let k = 0, row = 0; k < nz; k++)
    for (let j = 0; j < ny; j++, row++) {
      if (runs.ofRow[row] === runs.ofRow[row + 1]) continue;
      if (j > 0) joinRows(runs, parents, row, row - 1, nx);
      if (k > 0) joinRows(runs, parents, row, row - ny, nx * ny);
    }
  // The root of a piece is its first run, so it has its label before any other of them asks.
  const labels = new Int32Array(parents.length);
  const sizes = [0];
  for (let r = 0; r < labels.length; r++) {
    const root = rootOf(parents, r);
    if (root === r) {
      labels[r] = sizes.length;
      sizes.push(0);
    }
    const label = labels[root] as number;
    labels[r] = label;
    sizes[label] = (sizes[label] as number) + (runs.ends[r] as number) - (runs.starts[r] as number);
  }
  return { ...runs, labels, sizes };
}

export function labelComponents(mask: Mask): Components {
  const { starts, ends, labels: ofRun, sizes } = labelRuns(mask);
  const labels = new Int32Array(mask.data.length);
  for (let r = 0; r < ofRun.length; r++) labels.fill(ofRun[r] as number, starts[r], ends[r]);
  return { labels, sizes };
}

/** Voxels of each piece, in order of first voxel. */
export function componentSizes(mask: Mask): readonly number[] {
  return labelRuns(mask).sizes.slice(1);
}

/** The biggest piece alone (the first of equals); empty when the mask is. */
export function largestComponent(mask: Mask): Mask {
  const { starts, ends, labels, sizes } = labelRuns(mask);
  let best = 0;
  for (let i = 1; i < sizes.length; i++) if ((sizes[i] as number) > (sizes[best] as number)) best = i;
  const data = new Uint8Array(mask.data.length);
  if (best > 0)
    for (let r = 0; r < labels.length; r++) if (labels[r] === best) data.fill(1, starts[r], ends[r]);
  return { grid: mask.grid, data };
}
