/**
 * Whole-head label maps painted by the product's own signal equations (src/brain/signal.ts) with sequences that it did not choose:
 * scans whose tissues are known. What is not the product's: the sequences (wider than those it draws), each tissue's own
 * departure from the equations, texture, partial volumes, noise, and where fat and muscle part.
 *
 * @example
 * const { volume, truth, sidecar } = paintHead(readLabelHead(folder, 'subject06'), 'flair', random);
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { modelGrid } from '../../dist/brain/model-grid.js';
import { BODY_TISSUES } from '../../dist/brain/relaxation.js';
import { signalOf } from '../../dist/brain/signal.js';
import { IDENTITY, multiply, scaling, translation } from '../../dist/volume/affine.js';
import { squaredDistance } from '../../dist/volume/morphology.js';
import { resampleLinear } from '../../dist/volume/resample.js';
import { gaussianSmooth } from '../../dist/volume/smooth.js';

export const PAINTED_CONTRASTS = ['t1w', 't2w', 'flair', 'pdw', 't2starw'];

/**
 * Real brains are brighter in their middle, as coils and wavelengths have it: about what 113 T1-weighted heads show (rounded; src/brain/bias-field.ts
 * has their means), 1 on the average over the brain. The body's densities were set beside such brains and hold it already.
 */
const [MIDDLE, REACH_MM] = [0.5, 75];

/** What is painted beyond the body's tissues, as shares of grey and white matter. */
const BRAIN_MIX = {
  white: [0, 1],
  grey: [1, 0],
  between: [0.5, 0.5],
  dark: [0.25, 0.75],
  mostlyGrey: [0.8, 0.2],
  mostlyWhite: [0.15, 0.85],
};
export const NAMES = ['air', ...Object.keys(BRAIN_MIX), ...BODY_TISSUES];
const number = (name) => NAMES.indexOf(name);

/** By class number of scripts/prepare-label-heads.mjs; `soft` is fat or muscle, `skull` bone or marrow, `head` skin too. */
const OF_CLASS = [
  'air',
  'white',
  'grey',
  'fluid',
  'white',
  'grey',
  'between',
  'mostlyGrey',
  'dark',
  'mostlyWhite',
  'grey',
  'grey',
  'fluid',
  'blood',
  'blood',
  'eye',
  'muscle',
  'nerve',
  'mucosa',
  'skin',
  'nerve',
  'bone',
  'marrow',
  'soft',
  'skull',
  'head',
];

/** Bytes of a .npy of a cube of 256. */
function npy(path) {
  const bytes = readFileSync(path);
  return new Uint8Array(bytes.subarray(10 + bytes.readUInt16LE(8)));
}

/** Classes, brain and depth in the head's box with 10 mm of air, and that box's grid in its own brain frame (1 mm). */
export function readLabelHead(folder, id) {
  const n = 256;
  const classes = npy(join(folder, `${id}_classes.npy`));
  const low = [n, n, n];
  const high = [0, 0, 0];
  for (let o = 0; o < classes.length; o++) {
    if (classes[o] === 0) continue;
    const at = [o % n, ((o / n) | 0) % n, (o / (n * n)) | 0];
    for (let a = 0; a < 3; a++) {
      low[a] = Math.min(low[a], at[a]);
      high[a] = Math.max(high[a], at[a]);
    }
  }
  // Below the neck's end nothing is scanned, as in a scan.
  const from = low.map((v, a) => Math.max(0, a === 2 ? v : v - 10));
  // A multiple of three, for thick slices.
  const shape = /** @type {import('../../src/volume/volume.js').Shape} */ (
    /** @type {unknown} */ (from.map((v, a) => Math.floor((Math.min(n, high[a] + 11) - v) / 3) * 3))
  );
  const cut = (whole) => {
    const out = new Uint8Array(shape[0] * shape[1] * shape[2]);
    for (let k = 0, o = 0; k < shape[2]; k++)
      for (let j = 0; j < shape[1]; j++, o += shape[0]) {
        const start = from[0] + n * (from[1] + j + n * (from[2] + k));
        out.set(whole.subarray(start, start + shape[0]), o);
      }
    return out;
  };
  const grid = {
    shape,
    affine: multiply(modelGrid(IDENTITY, n).affine, translation(from[0], from[1], from[2])),
  };
  const own = cut(classes);
  const air = { grid, data: Uint8Array.from(own, (c) => (c === 0 ? 1 : 0)) };
  const brain = cut(npy(join(folder, `${id}_brain.npy`)));
  return { id, grid, classes: own, brain, depth: squaredDistance(air).map(Math.sqrt) };
}

/** Smooth noise, standard deviation about 0.6, lumps of `mm`. */
function lumps(grid, mm, random) {
  const shape = grid.shape.map((size) => Math.ceil(size / mm) + 1);
  const data = Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => random.normal());
  return resampleLinear({ grid: { shape, affine: multiply(grid.affine, scaling(mm, mm, mm)) }, data }, grid);
}

/** One number of NAMES a voxel. */
function tissuesOf({ grid, classes, depth }, random) {
  const notSkull = { grid, data: Uint8Array.from(classes, (c) => (OF_CLASS[c] === 'skull' ? 0 : 1)) };
  const inSkull = squaredDistance(notSkull);
  const coarse = lumps(grid, 8 + 10 * random.uniform(), random);
  const fine = lumps(grid, 3 + 3 * random.uniform(), random);
  const fatTo = 5 + 5 * random.uniform();
  const eye = squaredDistance({
    grid,
    data: Uint8Array.from(classes, (c) => (OF_CLASS[c] === 'eye' ? 1 : 0)),
  });
  const out = new Uint8Array(classes.length);
  for (let o = 0; o < out.length; o++) {
    let name = OF_CLASS[classes[o]];
    if (name === 'skull') name = inSkull[o] > 2.5 * 2.5 ? 'marrow' : 'bone';
    if (name === 'head' && depth[o] <= 2) name = 'skin';
    if (name === 'head' || name === 'soft') {
      const orbit = eye[o] < 12 * 12;
      name = orbit || (fatTo - depth[o]) / 4 + coarse[o] + 0.5 * fine[o] > 0 ? 'fat' : 'muscle';
    }
    out[o] = number(name);
  }
  return out;
}

/** Lights the brain's middle, in place. */
function shade(painted, tissues, grid, amplitude) {
  const last = number(Object.keys(BRAIN_MIX).at(-1));
  const fluid = number('fluid');
  const [nx, ny, nz] = grid.shape;
  const [ox, oy, oz] = [grid.affine[3], grid.affine[7], grid.affine[11]];
  const field = new Float32Array(painted.length);
  let [sum, count] = [0, 0];
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++) {
        const t = tissues[o];
        if (t === 0 || (t > last && t !== fluid)) continue;
        const square = (ox + i) ** 2 + (oy + j) ** 2 + (oz + k) ** 2;
        field[o] = Math.exp(amplitude * Math.exp(-square / REACH_MM ** 2));
        if (t === fluid) continue;
        sum += field[o];
        count++;
      }
  for (let o = 0; o < painted.length; o++) if (field[o] > 0) painted[o] *= (field[o] * count) / sum;
}

/**
 * Wider than src/brain/protocol.ts draws them; times in ms.
 * @returns {any} a Sequence, and what its sidecar says
 */
export function sequenceOf(contrast, random) {
  const between = (low, high) => low + (high - low) * random.uniform();
  const at = random.uniform();
  const field = at < 0.4 ? 1.5 : at < 0.93 ? 3 : 7;
  const fatSuppressed = random.uniform() < 0.3;
  const echoes = { family: 'spin-echo', field, flip: 90, fatSuppressed };
  switch (contrast) {
    case 't1w':
      return {
        family: 'mprage',
        field,
        repetition: between(1500, 2700),
        echo: between(1.7, 5),
        inversion: between(700, 1150),
        flip: between(6, 13),
        spacing: between(5.5, 10),
        excitations: Math.round(between(100, 208)),
        fatSuppressed: random.uniform() < 0.1,
      };
    case 't2w':
      return { ...echoes, repetition: between(2200, 8000), echo: between(50, 130) };
    case 'pdw':
      return { ...echoes, repetition: between(1800, 5500), echo: between(7, 35) };
    case 'flair': {
      const repetition = between(5000, 11500);
      // What nulls fluid of another T1 than the product's.
      const t1 = 4000 * (0.92 + 0.16 * random.uniform());
      const inversion = t1 * Math.log(2 / (1 + Math.exp(-repetition / t1)));
      return { ...echoes, family: 'inversion-spin-echo', repetition, inversion, echo: between(75, 150) };
    }
    default:
      return {
        family: 'gradient-echo',
        field,
        repetition: between(350, 1000),
        echo: between(12, 32),
        flip: between(12, 35),
      };
  }
}

/** As a BIDS sidecar has it: neither an MPRAGE's spacing nor the number of its excitations. */
export function sidecarOf(sequence) {
  const { family, field, repetition, echo, inversion, flip, fatSuppressed } = sequence;
  const gradient = family === 'gradient-echo' || family === 'mprage';
  return {
    MagneticFieldStrength: field,
    ScanningSequence: [gradient ? 'GR' : 'SE', ...(inversion === undefined ? [] : ['IR'])],
    ...(family === 'mprage' ? { SequenceVariant: ['SP', 'MP'] } : {}),
    RepetitionTime: repetition / 1000,
    EchoTime: echo / 1000,
    ...(inversion === undefined ? {} : { InversionTime: inversion / 1000 }),
    FlipAngle: flip,
    ...(fatSuppressed ? { ScanOptions: ['FS'] } : {}),
  };
}

/**
 * A scan of 1 mm (T1w) or with slices of 3 mm (the others), int16.
 * @returns `tissue`: number of NAMES where a voxel is wholly one, else 255
 */
export function paintHead(head, contrast, random) {
  const { grid } = head;
  const sequence = sequenceOf(contrast, random);
  const own = () => Math.exp(0.1 * random.normal());
  const signal = Object.fromEntries(
    /** @type {const} */ (['grey', 'white', ...BODY_TISSUES]).map((t) => [t, signalOf(t, sequence) * own()]),
  );
  const levels = NAMES.map((name) => {
    if (name === 'air') return 0;
    const mix = BRAIN_MIX[name];
    return mix === undefined ? signal[name] : mix[0] * signal.grey + mix[1] * signal.white;
  });
  const tissues = tissuesOf(head, random);
  const texture = lumps(grid, 6, random);
  const painted = Float32Array.from(tissues, (t, o) => Math.max(0, levels[t] * (1 + 0.1 * texture[o])));
  // A voxel sees its neighbours: 1.2 mm full width at half maximum.
  shade(painted, tissues, grid, MIDDLE * (0.7 + 0.6 * random.uniform()));
  const seen = gaussianSmooth({ grid, data: painted }, 0.5).data;
  const by = contrast === 't1w' ? 1 : 3;
  const [nx, ny, nz] = grid.shape;
  /** @type {import('../../src/volume/volume.js').Shape} */
  const shape = [nx, ny, nz / by];
  const plane = nx * ny;
  const scale = 600 / Math.max(signal.grey, signal.white);
  const noise = (0.015 + 0.03 * random.uniform()) * 600;
  const table = Float32Array.from({ length: 1 << 16 }, () => noise * random.normal());
  let state = random.word() | 1;
  const stored = new Int16Array(plane * shape[2]);
  const tissue = new Uint8Array(stored.length);
  for (let o = 0; o < stored.length; o++) {
    const start = (o % plane) + plane * by * ((o / plane) | 0);
    let [sum, first] = [0, tissues[start]];
    for (let b = 0; b < by; b++) {
      sum += seen[start + b * plane];
      if (tissues[start + b * plane] !== first) first = 255;
    }
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const [a, b] = [table[state & 0xffff], table[(state >>> 16) & 0xffff]];
    stored[o] = Math.round(Math.hypot((scale * sum) / by + a, b));
    tissue[o] = first;
  }
  const step = multiply(translation(0, 0, (by - 1) / 2), scaling(1, 1, by));
  return {
    grid: { shape, affine: multiply(grid.affine, step) },
    stored,
    tissue,
    sequence,
    sidecar: sidecarOf(sequence),
  };
}
