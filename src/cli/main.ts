/**
 * Entry of the `prosopon` command: importing this file runs the program.
 *
 * @example
 * node dist/cli/main.js version
 */
import { runMain } from './run-main.js';

await runMain();
