#!/usr/bin/env node
/**
 * The `prosopon` command. In the published package it starts the compiled program; in a fresh clone, where
 * nothing is compiled yet (an install runs no scripts), it compiles once and says so.
 *
 * @example
 * npx prosopon deid head.nii.gz out.nii.gz
 */
import { existsSync } from 'node:fs';

// import.meta.url is the real file even when npm's symlink in node_modules/.bin was called.
const program = new URL('../dist/cli/main.js', import.meta.url);
const builder = new URL('../scripts/build.mjs', import.meta.url);

if (!existsSync(program) && existsSync(builder)) {
  process.stderr.write('prosopon: compiling once, as this is a fresh clone...\n');
  const { build } = await import(builder.href);
  build();
}
try {
  await import(program.href);
} catch (error) {
  // Nothing of the program is there yet that could say it: too few files may be open, or a part is missing.
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  process.stderr.write(`prosopon: the program could not be loaded (${code})\n`);
  process.exitCode = 3;
}
