/** The reader and the writer against nibabel, where Python has it; and on real heads, where they are. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const NIBABEL_MISSING = 77;

/** The script in numpy takes seconds for the others. */
const MAX_FILE_BYTES = 2_500_000;

/** Heads of several scanners, orientations and formats; never in the repository. */
function realHeads(): string[] {
  const heads = join(process.env.PROSOPON_DATA ?? join(root, '../shared/data'), 'heads');
  if (!existsSync(heads)) return [];
  return readdirSync(heads)
    .filter((name) => /\.(nii\.gz|mgz)$/.test(name))
    .map((name) => join(heads, name))
    .filter((path) => statSync(path).size <= MAX_FILE_BYTES);
}

function compare(images: readonly string[]): { status: number | null; output: string } {
  const script = join(root, 'scripts/check-formats-nibabel.py');
  const run = spawnSync('python3', [script, ...images], {
    encoding: 'utf8',
    env: { ...process.env, NODE: process.execPath },
  });
  if (run.error !== undefined) return { status: NIBABEL_MISSING, output: 'python3 cannot be started' };
  return { status: run.status, output: `${run.stdout}${run.stderr}` };
}

describe('nibabel', { timeout: 300_000 }, () => {
  it('agrees on 192 images of every type, order, scaling, orientation and container', (context) => {
    const { status, output } = compare([]);
    if (status === NIBABEL_MISSING) return context.skip(`not compared with nibabel: ${output.trim()}`);
    expect(output).toMatch(/\b192 images, 0 differ/);
    expect(status).toBe(0);
  });

  it('agrees on real heads', (context) => {
    const heads = realHeads();
    if (heads.length === 0)
      return context.skip('no real heads: set PROSOPON_DATA to the folder that has heads/');
    const { status, output } = compare(['--only', ...heads]);
    if (status === NIBABEL_MISSING) return context.skip(`not compared with nibabel: ${output.trim()}`);
    expect(output).toMatch(new RegExp(`\\b${heads.length} images, 0 differ`));
    expect(status).toBe(0);
  });
});
