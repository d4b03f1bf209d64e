/**
 * What CONTRIBUTING.md says of a new method, done: one folder under src/methods and one line in the registry; it is then listed,
 * run and checked by the pipeline. A method that lacks a part does not compile.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeServices, niftiBytes } from '../src/deidentify/testing/fixtures.js';
import type * as Prosopon from '../src/index.js';
import { nodeGzip } from '../src/node/gzip.js';
import { headGrid, syntheticHead } from '../src/volume/testing/synthetic-head.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const METHOD = `/** Blanks everything but the brain. */
import type { RemovalMethod } from '../method.js';

export const blank: RemovalMethod = {
  kind: 'remove',
  name: 'blank',
  reference: 'nowhere',
  models: [],
  alter: async ({ volume }) => ({
    values: { grid: volume.grid, data: new Float32Array(volume.data.length) },
    altered: { grid: volume.grid, data: new Uint8Array(volume.data.length).fill(1) },
  }),
};
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(root, 'test/guard-'));
  cpSync(join(root, 'src'), join(folder, 'src'), {
    recursive: true,
    filter: (from) => !/\.test\.ts$|[\\/]testing$|src[\\/](node|cli|evaluate|browser)([\\/.]|$)/.test(from),
  });
  const table = join(folder, 'src/methods/registry.ts');
  writeFileSync(
    table,
    readFileSync(table, 'utf8')
      .replace('.register(averageFace)', '.register(averageFace).register(blank)')
      .replace('import { cpGan }', "import { blank } from './blank/blank.js';\nimport { cpGan }"),
  );
  mkdirSync(join(folder, 'src/methods/blank'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compile(text: string, include: string): { status: number | null; stdout: string } {
  writeFileSync(join(folder, 'src/methods/blank/blank.ts'), text);
  const config = {
    extends: '../../tsconfig.neutral.json',
    compilerOptions: { noEmit: false, rootDir: 'src', outDir: 'dist', declaration: false },
    include: [include, 'src/**/*.d.ts'],
    exclude: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', join(folder, 'tsconfig.json')], {
    encoding: 'utf8',
  });
  return { status, stdout };
}

describe('a new method', () => {
  it('does not compile while it lacks a part', () => {
    for (const part of ['  alter: ', '  models: ', '  reference: ']) {
      const { status, stdout } = compile(
        METHOD.replace(part, `  _${part.trim()} `),
        'src/methods/registry.ts',
      );
      expect(status).not.toBe(0);
      expect(stdout).toContain('methods/blank/blank.ts');
    }
  });

  it('is named, run and checked once its line stands in the registry', async () => {
    expect(compile(METHOD, 'src/index.ts')).toEqual({ status: 0, stdout: '' });
    const library = (await import(pathToFileURL(join(folder, 'dist/index.js')).href)) as typeof Prosopon;
    expect(library.createMethods().names).toContain('blank');
    const grid = headGrid({ spacing: [5, 5, 5] });
    const { volume, brainMask } = syntheticHead({ grid });
    const bytes = niftiBytes({ grid, frames: [volume.data] });
    const done = await library.deidentify(
      await library.decodeImage({ name: 'a.nii', bytes }, nodeGzip),
      { method: 'blank', outputName: 'out.nii', brainMarginMm: 0 },
      fakeServices(nodeGzip, brainMask),
    );
    expect(Object.values(done.checks).every(({ passed }) => passed)).toBe(true);
    const { result } = done.images[0];
    result.stored.forEach((v, o) => {
      if (brainMask.data[o] === 0) expect(v).toBe(0);
    });
  });
});
