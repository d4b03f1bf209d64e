/** The guard of the neutral folders finds what only Node has, wherever it is written. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

let folder = '';
beforeEach(() => {
  // Inside the repository: packages are looked for from the file upwards, and @types/node must be there to be found.
  folder = mkdtempSync(join(root, 'test/guard-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function compile(text: string): { status: number | null; stdout: string } {
  const file = join(folder, 'a.ts');
  writeFileSync(file, text);
  const config = join(folder, 'tsconfig.json');
  writeFileSync(
    config,
    JSON.stringify({ extends: '../../tsconfig.neutral.json', include: ['a.ts'], exclude: [] }),
  );
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', config], { encoding: 'utf8' });
  return { status, stdout };
}

describe('the compiler without the types of Node', () => {
  it('passes what a browser has', () => {
    expect(
      compile(
        "import { VERSION } from '../../src/deidentify/version.js';\nexport const a = VERSION + self.name;\n",
      ),
    ).toEqual({
      status: 0,
      stdout: '',
    });
  });

  it('finds process, Buffer and modules of Node', () => {
    const { status, stdout } = compile(
      [
        "import { readFileSync } from 'node:fs';",
        'export const a = process.env;',
        'export const b = Buffer.alloc(1);',
        'export const c = readFileSync;',
      ].join('\n'),
    );
    expect(status).not.toBe(0);
    expect(stdout).toMatch(/a\.ts\(1,.*node:fs/);
    expect(stdout).toMatch(/a\.ts\(2,.*process/);
    expect(stdout).toMatch(/a\.ts\(3,.*Buffer/);
  });

  it('is part of npm run check', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts.check).toContain('tsconfig.neutral.json');
  });
});
