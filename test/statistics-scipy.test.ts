/** The evaluation's statistics against scipy, numpy and scikit-learn, where Python has them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const SCIPY_MISSING = 77;

describe('scipy', { timeout: 120_000 }, () => {
  it('agrees on AUC, Dice, ICC, quantiles, sign and signed-rank tests, correlations and intervals', (context) => {
    const run = spawnSync('python3', [join(root, 'scripts/check-statistics-scipy.py')], {
      encoding: 'utf8',
      env: { ...process.env, NODE: process.execPath },
    });
    if (run.error !== undefined) return context.skip('not compared with scipy: python3 cannot be started');
    if (run.status === SCIPY_MISSING) return context.skip(`not compared with scipy: ${run.stdout.trim()}`);
    expect(`${run.stdout}${run.stderr}`).toMatch(/\b(?:3[5-9]|4\d) cases, 0 differ/);
    expect(run.status).toBe(0);
  });
});
