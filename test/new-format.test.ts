/**
 * What CONTRIBUTING.md says of a new format, done: one folder under src/formats and one line in the table, and a series of
 * files with a scaling for each slice goes through the whole pipeline; a codec that lacks a part does not compile.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeServices } from '../src/deidentify/testing/fixtures.js';
import type { ImageCodec } from '../src/formats/codec.js';
import { mghCodec } from '../src/formats/mgh/codec.js';
import type * as Prosopon from '../src/index.js';
import { fakeMethod } from '../src/methods/testing/fake-method.js';
import { nodeGzip } from '../src/node/gzip.js';
import { syntheticHead } from '../src/volume/testing/synthetic-head.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const codec = readFileSync(join(root, 'test/new-format/codec.ts.txt'), 'utf8');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(root, 'test/guard-'));
  cpSync(join(root, 'src'), join(folder, 'src'), {
    recursive: true,
    filter: (from) => !/\.test\.ts$|[\\/]testing$|src[\\/](node|cli|evaluate|browser)([\\/.]|$)/.test(from),
  });
  const table = join(folder, 'src/formats/codecs.ts');
  const text = readFileSync(table, 'utf8');
  writeFileSync(
    table,
    text
      .replace('  // A new format stands here.', '  fakeCodec,')
      .replace('import { mghCodec }', "import { fakeCodec } from './fake/codec.js';\nimport { mghCodec }"),
  );
  mkdirSync(join(folder, 'src/formats/fake'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @param include what to compile; what it imports comes with it */
function compile(text: string, include: string): { status: number | null; stdout: string } {
  writeFileSync(join(folder, 'src/formats/fake/codec.ts'), text);
  const compilerOptions = { noEmit: false, rootDir: 'src', outDir: 'dist', declaration: false };
  const config = {
    extends: '../../tsconfig.neutral.json',
    compilerOptions,
    include: [include, 'src/**/*.d.ts'],
    exclude: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', join(folder, 'tsconfig.json')], {
    encoding: 'utf8',
  });
  return { status, stdout };
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
    const library = (await import(pathToFileURL(join(folder, 'dist/index.js')).href)) as typeof Prosopon;
    const { volume, brainMask } = syntheticHead({ grid: GRID });
    const [first, ...others] = seriesOf(volume.data);
    if (first === undefined) throw new Error('no slices');
    const image = await library.decodeImage([first, ...others], nodeGzip);
    const original = image.stored.slice();
    expect(image.scaling.length).toBe(SHAPE[2]);
    const seen = library.frameValues(image, 0);
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
