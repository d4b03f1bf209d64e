/**
 * Checks that a folder under src/ imports only from the layers below it, and that the floors which must run in
 * a browser import nothing of Node (design: "one house, one floor above the other"). What else only Node has (`process`,
 * `Buffer`) is found by the compiler: tsconfig.neutral.json.
 *
 * @example
 * node scripts/check-layers.mjs          # the repository's src/
 * node scripts/check-layers.mjs FOLDER   # another one, as the test does
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Lowest first. Folders on one floor do not see each other. */
const FLOORS = [
  ['errors', 'contract'],
  ['volume'],
  ['formats', 'networks', 'render'],
  ['brain'],
  ['methods'],
  ['deidentify'],
  ['report', 'evaluate', 'bids', 'dicom'],
  ['node', 'cli', 'browser'],
];
/** Floors where `node:` may be imported. */
const NODE_FOLDERS = new Set(['node', 'cli']);
/** The command line stands on src/node; both are on the top floor. */
const ALLOWED_SIDEWAYS = new Set(['cli>node']);

const source = resolve(process.argv[2] ?? fileURLToPath(new URL('../src', import.meta.url)));

function floorOf(folder) {
  return FLOORS.findIndex((floor) => floor.includes(folder));
}

/** Static, dynamic and type imports, and re-exports. */
function importsOf(text) {
  const found = [];
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g;
  for (const match of text.matchAll(pattern)) found.push(match[1]);
  return found;
}

function isNodeOnly(file, folder) {
  return NODE_FOLDERS.has(folder) || file === 'node.ts';
}

const problems = [];
for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(ts|mts|js|mjs)$/.test(entry.name)) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const file = relative(source, path).split(sep).join('/');
  const folder = file.includes('/') ? file.slice(0, file.indexOf('/')) : '';
  if (folder !== '' && floorOf(folder) < 0) {
    problems.push(`${file}: the folder ${folder}/ is on no floor; add it to scripts/check-layers.mjs`);
    continue;
  }
  // Tests and their helpers may look anywhere: they are not shipped.
  if (entry.name.includes('.test.') || file.includes('/testing/')) continue;
  const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  for (const name of importsOf(text)) {
    if (name.startsWith('node:')) {
      if (folder !== '' && !isNodeOnly(file, folder))
        problems.push(`${file} imports ${name}, which no browser has`);
      continue;
    }
    if (!name.startsWith('.')) continue;
    const target = relative(source, resolve(dirname(path), name))
      .split(sep)
      .join('/');
    const to = target.includes('/') ? target.slice(0, target.indexOf('/')) : '';
    // Files that stand in src/ itself are the public doors: above all floors, imported by none.
    if (folder === '' || to === folder) {
      if (!isNodeOnly(file, folder) && isNodeOnly(target, to)) {
        problems.push(`${file} imports ${target}, which is for Node only`);
      }
      continue;
    }
    if (to === '' || target.startsWith('..')) {
      problems.push(
        `${file} imports ${name}: nothing under src/ may import what is above the floors or outside`,
      );
    } else if (floorOf(to) >= floorOf(folder) && !ALLOWED_SIDEWAYS.has(`${folder}>${to}`)) {
      problems.push(`${file} imports ${target}: ${folder}/ may import only from the floors below it`);
    } else if (isNodeOnly(target, to) && !isNodeOnly(file, folder)) {
      problems.push(`${file} imports ${target}, which is for Node only`);
    }
  }
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`layers: ${problems.length === 0 ? 'in order' : `${problems.length} out of order`}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
