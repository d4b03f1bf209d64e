/**
 * Builds the site of the documentation in site/ (ignored by git): the public doors of both packages by TypeDoc, the guides of docs/ and
 * the decisions. Nothing is fetched. The doors are those of each package.json's `exports`.
 *
 * Usage: node scripts/docs.mjs [--out DIR]     (npm run docs)
 */
import './lib/help.mjs';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Application, LogLevel } from 'typedoc';

const { values } = parseArgs({ options: { out: { type: 'string' } } });
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
/** Sources of a package's doors. */
function doorsOf(home) {
  const { exports: doors } = JSON.parse(readFileSync(path(`${home}package.json`), 'utf8'));
  return Object.values(doors)
    .filter((door) => typeof door === 'object')
    .map((door) => path(`${home}${door.default.replace(/^\.\/dist\/(.*)\.js$/, 'src/$1.ts')}`));
}
const RULER = 'packages/ruler/';
const entryPoints = [...doorsOf(''), ...doorsOf(RULER)];
const markdown = (folder) =>
  readdirSync(path(folder))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => path(`${folder}/${name}`));
/** First what explains, then tables of figures. */
const guides = markdown('docs').sort((a, b) => Number(/evaluation-/.test(a)) - Number(/evaluation-/.test(b)));

const app = await Application.bootstrap({
  entryPoints,
  tsconfig: path('tsconfig.json'),
  out: values.out ?? path('site'),
  name: 'Prosopon',
  readme: path('README.md'),
  projectDocuments: [
    ...guides,
    path('CONTRIBUTING.md'),
    path('SECURITY.md'),
    path('CHANGELOG.md'),
    ...markdown('docs/decisions'),
  ],
  githubPages: false,
  includeVersion: true,
  excludeInternal: true,
  disableSources: true,
  skipErrorChecking: true,
});

let problems = 0;
const log = app.logger.log.bind(app.logger);
app.logger.log = (message, level) => {
  // Schemas (valibot) declare a name once for what goes in and once for what comes out.
  if (/multiple declarations with a comment|are declared at:/.test(message)) return;
  if (level >= LogLevel.Warn) problems++;
  log(message, level);
};
const project = await app.convert();
if (project === undefined) process.exit(1);
/** A door is called as it is imported. */
for (const module of project.children ?? []) {
  const name = module.name.replace(/^src(\/|$)/, '');
  module.name = module.name.startsWith(RULER)
    ? 'prosopon-ruler'
    : ['', 'index'].includes(name)
      ? 'prosopon'
      : `prosopon/${name}`;
}
/** A page is called by its heading, not by its file. */
for (const page of project.documents ?? []) {
  const heading = page.content
    .map((part) => part.text)
    .join('')
    .match(/^# +(.+)$/m)?.[1];
  if (heading !== undefined) page.name = heading.replaceAll('`', '').trim();
}
await app.generateOutputs(project);
// A link that leads nowhere is a mistake, in the guides too.
if (problems > 0) process.exitCode = 1;
