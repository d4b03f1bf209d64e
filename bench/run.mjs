/**
 * What `npm run bench` calls: `start-up` for `bench/start-up.mjs`, anything else for `bench/bench.mjs`.
 *
 * @example
 * npm run bench -- start-up --runs 20
 */
import '../scripts/lib/help.mjs';

await import(process.argv[2] === 'start-up' ? './start-up.mjs' : './bench.mjs');
