/**
 * `--help` of a script is the comment it opens with. Import it first, for its effect: what a script needs is linked before,
 * so that a name which no longer exists fails here too.
 *
 * @example
 * import './lib/help.mjs';
 */
import { readFileSync } from 'node:fs';

const script = process.argv[1];
if (script !== undefined && process.argv.slice(2).includes('--help')) {
  const opening = /\/\*\*([\s\S]*?)\*\//.exec(readFileSync(script, 'utf8'))?.[1] ?? '';
  process.stdout.write(`${opening.replace(/^ \* ?/gm, '').trim()}\n`);
  process.exit(0);
}
