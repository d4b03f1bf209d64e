/**
 * What CONTRIBUTING.md says of a new method, done: one folder under src/methods and one line in the registry; it is then listed,
 * run and checked by the pipeline. A method that lacks a part does not compile.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeServices, niftiBytes } from '../src/deidentify/testing/fixtures.js';
import { nodeGzip } from '../src/node/gzip.js';
import { headGrid, syntheticHead } from '../src/volume/testing/synthetic-head.js';
import { copySources, type SourceCopy } from './source-copy.js';

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

let copy: SourceCopy;
beforeAll(() => {
  copy = copySources();
  copy.write('methods/registry.ts', (text) =>
    text
      .replace('.register(averageFace)', '.register(averageFace).register(blank)')
      .replace('import { cpGan }', "import { blank } from './blank/blank.js';\nimport { cpGan }"),
  );
});
afterAll(() => copy.remove());

function compile(text: string, include: string): { status: number | null; stdout: string } {
  copy.write('methods/blank/blank.ts', () => text);
  return copy.compile(include);
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
    const library = await copy.library();
    expect(library.createMethods().names).toContain('blank');
    const grid = headGrid({ spacing: [5, 5, 5] });
    const { volume, brainMask } = syntheticHead({ grid });
    const bytes = niftiBytes({ grid, volumes: [volume.data] });
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
