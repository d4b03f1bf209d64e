/** The layer check finds what it is there to find, and nothing in the sources as they are. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../scripts/check-layers.mjs', import.meta.url));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prosopon-layers-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function check(files: Record<string, string>, ...rules: string[]): { status: number | null; stderr: string } {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const { status, stderr } = spawnSync(process.execPath, [script, folder, ...rules], { encoding: 'utf8' });
  return { status, stderr };
}

describe('the layer check', () => {
  it('passes the sources of this repository', () => {
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('passes imports downward, and those of tests', () => {
    const files = {
      'volume/a.ts': "import { b } from '../errors/b.js';",
      'methods/c.ts': "import type { A } from '../volume/a.js';\nexport { d } from './d.js';",
      'volume/a.test.ts': "import { run } from '../cli/main.js';\nimport fs from 'node:fs';",
      'cli/main.ts': "import { write } from '../node/write.js';\nimport fs from 'node:fs';",
      'node/networks/node-runner.ts': "import { spawn } from 'node:child_process';",
      'browser/gzip.ts': "import { b } from '../formats/b.js';",
      'index.ts': "export { c } from './methods/c.js';",
      'node.ts': "export { write } from './node/write.js';",
    };
    expect(check(files)).toEqual({ status: 0, stderr: '' });
  });

  it.each([
    ['upward', 'volume/a.ts', "import { c } from '../methods/c.js';"],
    ['upward, over several lines', 'volume/a.ts', "import {\n  c,\n} from '../methods/c.js';"],
    ['upward, of a type', 'brain/a.ts', "import type { C } from '../methods/c.js';"],
    ['upward, at run time', 'brain/a.ts', "const c = await import('../methods/c.js');"],
    ['upward, handed on', 'brain/a.ts', "export * from '../deidentify/c.js';"],
    ['sideways', 'formats/a.ts', "import { b } from '../render/b.js';"],
    ['of the public door', 'volume/a.ts', "import { b } from '../index.js';"],
    ['out of src', 'volume/a.ts', "import { b } from '../../test/b.js';"],
    ['of Node on a neutral floor', 'formats/a.ts', "import { readFile } from 'node:fs/promises';"],
    [
      'of a Node file on a neutral floor',
      'brain/a.ts',
      "import { R } from '../node/networks/node-runner.js';",
    ],
    ['of Node by the neutral door', 'index.ts', "export { nodeGzip } from './node/gzip.js';"],
    ['of a Node file in the browser', 'browser/a.ts', "import { R } from '../node/networks/node-runner.js';"],
    ['of the browser in Node', 'node/a.ts', "import { R } from '../browser/runner.js';"],
    ['from a folder that is on no floor', 'utils/a.ts', ''],
    ['of the ruler', 'cli/a.ts', "const { ruler } = await import('prosopon-ruler');"],
  ])('finds an import %s', (_, file, text) => {
    const { status, stderr } = check({ [file]: text });
    expect(status).toBe(1);
    expect(stderr).toContain(file);
  });
});

describe("the layer check by the ruler's rules", () => {
  it('passes the doors of the product', () => {
    const files = {
      'privacy/a.ts': "import { Refusal } from 'prosopon';\nimport { dice } from 'prosopon/imaging';",
      'run/a.ts': "import { loadImage } from 'prosopon/node';\nimport fs from 'node:fs';",
      'privacy/a.test.ts': "import { simpleHead } from '../../../../src/deidentify/testing/fixtures.js';",
      'index.ts': "export { a } from './commands/a.js';",
    };
    expect(check(files, '--as', 'ruler')).toEqual({ status: 0, stderr: '' });
  });

  it.each([
    ['of sources of the product', 'run/a.ts', "import { b } from '../../../../src/node/outputs.js';"],
    [
      'of a part of the product that is no door',
      'run/a.ts',
      "import { b } from 'prosopon/dist/node/lock.js';",
    ],
    [
      "of the product's door for Node on a neutral floor",
      'privacy/a.ts',
      "import { b } from 'prosopon/node';",
    ],
    ['upward', 'statistics/a.ts', "import { b } from '../privacy/b.js';"],
    ['sideways', 'privacy/a.ts', "import { b } from '../utility/b.js';"],
    ['of Node on a neutral floor', 'report/a.ts', "import fs from 'node:fs';"],
  ])('finds an import %s', (_, file, text) => {
    const { status, stderr } = check({ [file]: text }, '--as', 'ruler');
    expect(status).toBe(1);
    expect(stderr).toContain(file);
  });
});
