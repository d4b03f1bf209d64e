/**
 * Where the system gives too few open files, the program says so in one sentence, writes nothing and shows no path of its
 * own. Below what Node itself needs to open a program it is Node that ends, before any line of ours (docs/decisions/0034).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'prosopon-limits-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A command of the shell under a limit of open files. */
function under(files: number, ...command: readonly string[]): { code: number | null; err: string } {
  const { status, stderr } = spawnSync('sh', ['-c', `ulimit -n ${files} && exec "$@"`, 'sh', ...command], {
    encoding: 'utf8',
  });
  return { code: status, err: stderr };
}

describe.skipIf(process.platform === 'win32')('under a limit of open files', { timeout: 120_000 }, () => {
  it('that Node lives with and the program does not, one sentence is said and nothing is written', () => {
    writeFileSync(join(folder, 'other.mjs'), '');
    writeFileSync(join(folder, 'program.mjs'), "await import('./other.mjs');");
    let least = 8;
    while (under(least, process.execPath, join(folder, 'program.mjs')).code !== 0) least++;
    const output = join(folder, 'out.nii.gz');
    const deid = ['deid', join(root, 'demo/head.nii.gz'), output, '--method', 'quickshear'];
    for (const files of [least, least + 6, least + 12]) {
      const { code, err } = under(files, process.execPath, join(root, 'bin/prosopon.mjs'), ...deid);
      expect([code, err]).toEqual([1, expect.stringMatching(/^prosopon: [^\n]*\bulimit -n\b[^\n]*\n$/)]);
      expect(err).not.toContain(root);
    }
    expect(existsSync(output)).toBe(false);
    expect(readdirSync(folder).sort()).toEqual(['other.mjs', 'program.mjs']);
  });

  it('that is usual, it runs', () => {
    const { code, err } = under(256, process.execPath, join(root, 'bin/prosopon.mjs'), '--version');
    expect([code, err]).toEqual([0, '']);
  });
});
