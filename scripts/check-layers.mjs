/**
 * Checks that a folder of a package imports only from the layers below it, and that the floors which must run in
 * a browser import nothing of Node (design: "one house, one floor above the other"). What else only Node has (`process`,
 * `Buffer`) is found by the compiler: tsconfig.neutral.json.
 *
 * The ruler is a house of its own beside the product: it enters by the doors `prosopon`, `prosopon/imaging` and, on its own
 * floors for Node, `prosopon/node`. The product imports nothing of it.
 *
 * @example
 * node scripts/check-layers.mjs                       # the repository's packages
 * node scripts/check-layers.mjs FOLDER                # another src/ by the product's rules, as the test does
 * node scripts/check-layers.mjs FOLDER --as ruler     # by the ruler's
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * @typedef {object} House
 * @property {string} source
 * @property {readonly (readonly string[])[]} floors lowest first; folders on one floor do not see each other
 * @property {ReadonlySet<string>} nodeFolders where `node:` may be imported
 * @property {ReadonlySet<string>} nodeFiles of the doors, those for Node
 * @property {ReadonlySet<string>} sideways exceptions: FROM>TO on one floor
 * @property {ReadonlySet<string>} doors of our other packages that may be imported
 * @property {ReadonlySet<string>} nodeDoors of these, those for Node
 */

/** @type {Readonly<Record<'product' | 'ruler', House>>} */
const HOUSES = {
  product: {
    source: 'src',
    floors: [
      ['errors', 'contract'],
      ['volume'],
      ['formats', 'networks', 'render'],
      ['brain'],
      ['methods'],
      ['deidentify'],
      ['report', 'bids', 'dicom'],
      ['node', 'cli', 'browser'],
    ],
    nodeFolders: new Set(['node', 'cli']),
    nodeFiles: new Set(['node.ts']),
    // The command line stands on src/node; both are on the top floor.
    // Pages of data sets show what the data sets' floor remembers of each scan.
    sideways: new Set(['cli>node', 'report>bids']),
    doors: new Set(),
    nodeDoors: new Set(),
  },
  ruler: {
    source: 'packages/ruler/src',
    floors: [
      ['statistics'],
      ['privacy', 'utility'],
      ['report', 'study'],
      ['run'],
      ['sections'],
      ['commands'],
    ],
    nodeFolders: new Set(['run', 'sections', 'commands']),
    nodeFiles: new Set(['index.ts']),
    sideways: new Set(),
    doors: new Set(['prosopon', 'prosopon/imaging', 'prosopon/node']),
    nodeDoors: new Set(['prosopon/node']),
  },
};

/** Static, dynamic and type imports, and re-exports. */
function importsOf(text) {
  const found = [];
  const pattern = /(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g;
  for (const match of text.matchAll(pattern)) found.push(match[1]);
  return found;
}

/** What is out of order in a package's sources. @param {House} house @param {string} source @returns {string[]} */
function problemsOf(house, source) {
  const floorOf = (folder) => house.floors.findIndex((floor) => floor.includes(folder));
  const isNodeOnly = (file, folder) => house.nodeFolders.has(folder) || house.nodeFiles.has(file);
  const folderOf = (file) => (file.includes('/') ? file.slice(0, file.indexOf('/')) : '');
  const problems = [];

  function checkImport(file, folder, path, name) {
    if (name.startsWith('node:')) {
      if (folder !== '' && !isNodeOnly(file, folder))
        problems.push(`${file} imports ${name}, which no browser has`);
      return;
    }
    if (/^prosopon(-ruler)?(\/|$)/.test(name)) {
      if (!house.doors.has(name)) problems.push(`${file} imports ${name}, which is no door for it`);
      else if (house.nodeDoors.has(name) && !isNodeOnly(file, folder))
        problems.push(`${file} imports ${name}, which is for Node only`);
      return;
    }
    if (!name.startsWith('.')) return;
    const target = relative(source, resolve(dirname(path), name))
      .split(sep)
      .join('/');
    const to = folderOf(target);
    if (target.startsWith('..')) {
      problems.push(`${file} imports ${name}: packages see each other through their doors alone`);
      return;
    }
    // Files that stand in src/ itself are the public doors: above all floors, imported by none.
    if (folder === '' || to === folder) {
      if (!isNodeOnly(file, folder) && isNodeOnly(target, to)) {
        problems.push(`${file} imports ${target}, which is for Node only`);
      }
      return;
    }
    if (to === '') {
      problems.push(
        `${file} imports ${name}: nothing under src/ may import what is above the floors or outside`,
      );
    } else if (floorOf(to) >= floorOf(folder) && !house.sideways.has(`${folder}>${to}`)) {
      problems.push(`${file} imports ${target}: ${folder}/ may import only from the floors below it`);
    } else if (isNodeOnly(target, to) && !isNodeOnly(file, folder)) {
      problems.push(`${file} imports ${target}, which is for Node only`);
    }
  }

  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(ts|mts|js|mjs)$/.test(entry.name)) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const file = relative(source, path).split(sep).join('/');
    const folder = folderOf(file);
    if (folder !== '' && floorOf(folder) < 0) {
      problems.push(`${file}: the folder ${folder}/ is on no floor; add it to scripts/check-layers.mjs`);
      continue;
    }
    // Tests and their helpers may look anywhere: they are not shipped.
    if (entry.name.includes('.test.') || file.includes('/testing/')) continue;
    const text = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    for (const name of importsOf(text)) checkImport(file, folder, path, name);
  }
  return problems;
}

const { values, positionals } = parseArgs({
  options: { as: { type: 'string', default: 'product' } },
  allowPositionals: true,
});
const root = fileURLToPath(new URL('..', import.meta.url));
const [folder] = positionals;
const problems =
  folder === undefined
    ? Object.values(HOUSES).flatMap((house) =>
        problemsOf(house, join(root, house.source)).map((problem) => `${house.source}/${problem}`),
      )
    : problemsOf(values.as === 'ruler' ? HOUSES.ruler : HOUSES.product, resolve(folder));

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`layers: ${problems.length === 0 ? 'in order' : `${problems.length} out of order`}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
