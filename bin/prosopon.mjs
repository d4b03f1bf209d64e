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
  // The program has handlers of its own once it runs; what fails before is that it cannot be loaded. Node's trace would
  // show where it is installed, and its exit code 1 would say that a scan was refused.
  const code = String(error?.code ?? error?.name ?? 'unknown');
  const full = code === 'EMFILE' || code === 'ENFILE';
  process.stderr.write(
    full
      ? `prosopon: expected that the program's own files can be opened, found that no more may be open at a time (${code}); raise the limit (ulimit -n 256)\n`
      : `prosopon: the program could not be loaded (${code}); install it again\n`,
  );
  process.exitCode = full ? 1 : 3;
}
