/**
 * Compiles src/ to dist/, and then the ruler, which sees the product as it was compiled: packages/ruler/src/ to packages/ruler/dist/.
 *
 * A first build goes to a folder of its own and is renamed, so that two programs started at once in a fresh
 * clone never see half of one. Later builds are incremental.
 *
 * @example
 * node scripts/build.mjs              # always
 * node scripts/build.mjs --if-stale   # only when a source is newer than the last build
 * node scripts/build.mjs --clean      # from nothing, as for the package
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** What is compiled, in this order: each sees the ones before it as a user would. */
const PACKAGES = [root, join(root, 'packages/ruler')];

/** Newest modification time (ms) of the sources of a package. */
function newestSource(home) {
  let newest = statSync(join(home, 'tsconfig.build.json')).mtimeMs;
  for (const entry of readdirSync(join(home, 'src'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(ts|json)$/.test(entry.name) || entry.name.endsWith('.test.ts')) continue;
    // `path` is what Node 20 before 20.12 calls parentPath.
    newest = Math.max(newest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return newest;
}

function compile(home, outDir) {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const info = join(outDir, '.tsbuildinfo');
  const args = [
    tsc,
    '-p',
    'tsconfig.build.json',
    '--outDir',
    outDir,
    '--incremental',
    '--tsBuildInfoFile',
    info,
  ];
  // The compiler's words go to stderr: stdout belongs to the program that asked for the build.
  return spawnSync(process.execPath, args, { cwd: home, stdio: ['ignore', 2, 2] }).status === 0;
}

/** @returns {boolean} False when the compiler found errors. */
function buildPackage(home, { ifStale, clean }) {
  const dist = join(home, 'dist');
  const stamp = join(dist, '.built');
  const began = new Date();
  if (clean) rmSync(dist, { recursive: true, force: true });
  if (existsSync(dist)) {
    if (ifStale && existsSync(stamp) && statSync(stamp).mtimeMs >= newestSource(home)) return true;
    const clear = compile(home, dist);
    if (clear) {
      writeFileSync(stamp, '');
      utimesSync(stamp, began, began);
    }
    return clear;
  }
  const fresh = join(home, `dist.${process.pid}.tmp`);
  const clear = compile(home, fresh);
  if (clear) writeFileSync(join(fresh, '.built'), '');
  try {
    renameSync(fresh, dist);
  } catch (error) {
    // Another process was first: its build is as good as ours.
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(dist)) throw error;
  }
  return clear;
}

/**
 * @param {{ ifStale?: boolean, clean?: boolean }} options
 * @returns {boolean} False when the compiler found errors (what could be compiled is there all the same).
 */
export function build({ ifStale = false, clean = false } = {}) {
  return PACKAGES.map((home) => buildPackage(home, { ifStale, clean })).every(Boolean);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const clear = build({
    ifStale: process.argv.includes('--if-stale'),
    clean: process.argv.includes('--clean'),
  });
  process.exitCode = clear ? 0 : 1;
}
