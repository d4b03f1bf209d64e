/**
 * What CONTRIBUTING.md says of a new format, done: one folder under src/formats and one line in the table, and a series of
 * files with a scaling for each slice goes through the whole pipeline; a codec that lacks a part does not compile.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeServices } from '../src/deidentify/testing/fixtures.js';
import type { ImageCodec } from '../src/formats/codec.js';
import { mghCodec } from '../src/formats/mgh/codec.js';
import { fakeMethod } from '../src/methods/testing/fake-method.js';
import { nodeGzip } from '../src/node/gzip.js';
import { syntheticHead } from '../src/volume/testing/synthetic-head.js';
import { copySources, type SourceCopy } from './source-copy.js';

const codec = readFileSync(fileURLToPath(new URL('new-format/codec.ts.txt', import.meta.url)), 'utf8');

let copy: SourceCopy;
beforeAll(() => {
  copy = copySources();
  copy.write('formats/codecs.ts', (text) =>
    text
      .replace('  // A new format stands here.', '  fakeCodec,')
      .replace('import { mghCodec }', "import { fakeCodec } from './fake/codec.js';\nimport { mghCodec }"),
  );
});
afterAll(() => copy.remove());

/** @param include what to compile; what it imports comes with it */
function compile(text: string, include: string): { status: number | null; stdout: string } {
  copy.write('formats/fake/codec.ts', () => text);
  return copy.compile(include);
}

const SHAPE = [40, 44, 50] as const;
const GRID = {
  shape: SHAPE,
  affine: [5, 0, 0, -97.5, 0, 5, 0, -107.5, 0, 0, 5, -152.5, 0, 0, 0, 1],
};

/** One file a slice, in any order; each slice has its own slope, and a byte that says something. */
function seriesOf(values: Float32Array): { name: string; bytes: Uint8Array }[] {
  const [nx, ny, nz] = SHAPE;
  return Array.from({ length: nz }, (_, k) => {
    const bytes = new Uint8Array(16 + 2 * nx * ny);
    const view = new DataView(bytes.buffer);
    bytes.set(new TextEncoder().encode('fake'));
    bytes.set([k, nz, nx, ny], 4);
    const slope = 0.5 + k / 100;
    view.setFloat32(8, slope, true);
    bytes[15] = 42;
    for (let o = 0; o < nx * ny; o++)
      view.setUint16(16 + 2 * o, Math.round(Math.max(0, values[k * nx * ny + o] as number) / slope), true);
    return { name: `${k}`, bytes };
  }).reverse();
}

describe('a new format', () => {
  it('does not compile while it lacks a part', () => {
    // Each part is required; that a missing one is an error is shown of one.
    type Optional<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
    const noneIsOptional: [Optional<ImageCodec>] extends [never] ? true : false = true;
    expect(noneIsOptional).toBe(true);
    // @ts-expect-error a codec without an audit of its own is none
    const lacking: ImageCodec = mghCodec as Omit<ImageCodec, 'audit'>;
    expect(lacking).toBe(mghCodec);
    const { status, stdout } = compile(codec.replace('  audit: (', '  _audit: ('), 'src/formats/codecs.ts');
    expect(status).not.toBe(0);
    expect(stdout).toContain('formats/fake/codec.ts');
  });

  it('is read, treated, written and audited by every step once its codec stands in the table', async () => {
    expect(compile(codec, 'src/index.ts')).toEqual({ status: 0, stdout: '' });
    const library = await copy.library();
    const { volume, brainMask } = syntheticHead({ grid: GRID });
    const [first, ...others] = seriesOf(volume.data);
    if (first === undefined) throw new Error('no slices');
    const image = await library.decodeImage([first, ...others], nodeGzip);
    const original = image.stored.slice();
    expect(image.scaling.length).toBe(SHAPE[2]);
    const seen = library.scaledData(image, 0);
    expect(Math.max(...seen.map((v, o) => Math.abs(v - Math.max(0, volume.data[o] as number))))).toBeLessThan(
      1,
    );

    const done = await library.deidentify(
      image,
      { method: fakeMethod(), resolution: 128, outputName: 'out.fake' },
      fakeServices(nodeGzip, brainMask),
    );
    const [{ files, result }] = done.images;
    expect(files.map(({ name }) => name)).toEqual(
      Array.from({ length: SHAPE[2] }, (_, k) => `out.fake/${k}`),
    );
    expect(files.every(({ bytes }) => bytes[15] === 0)).toBe(true);
    expect(Object.values(done.checks).every(({ passed }) => passed)).toBe(true);
    expect(Object.keys(done.checks)).toEqual(expect.arrayContaining(['headerClean', 'geometryIdentical']));
    let differing = 0;
    for (let o = 0; o < original.length; o++)
      if (result.stored[o] !== original[o]) {
        differing++;
        expect(brainMask.data[o]).toBe(0);
      }
    expect(differing).toBeGreaterThan(original.length / 10);
    await expect(library.encodeImage(result, result.stored, nodeGzip, { name: 'x.nii' })).rejects.toThrow(
      /\(\.fake\), found one of NIfTI/,
    );
  });
});
