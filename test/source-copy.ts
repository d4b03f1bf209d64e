/**
 * A copy of the neutral sources in which a test puts a part of its own, and the compiler's word on it.
 *
 * @example
 * const copy = copySources();
 * copy.write('methods/registry.ts', (text) => text.replace(...));
 * copy.compile('src/index.ts'); // { status: 0, stdout: '' }: dist/ beside it can be imported
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as Prosopon from '../src/index.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

export interface SourceCopy {
  /** @param file below src  @param change gets the text there is, '' where there is none */
  write(file: string, change: (text: string) => string): void;
  /** @param include what to compile; what it imports comes with it */
  compile(include: string): { status: number | null; stdout: string };
  /** Once it has been compiled. */
  library(): Promise<typeof Prosopon>;
  remove(): void;
}

export function copySources(): SourceCopy {
  const folder = mkdtempSync(join(root, 'test/guard-'));
  cpSync(join(root, 'src'), join(folder, 'src'), {
    recursive: true,
    filter: (from) => !/\.test\.ts$|[\\/]testing$|src[\\/](node|cli|browser)([\\/.]|$)/.test(from),
  });
  return {
    write(file, change) {
      const path = join(folder, 'src', file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, change(readIfThere(path)));
    },
    compile(include) {
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
    },
    library: () => import(pathToFileURL(join(folder, 'dist/index.js')).href),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
