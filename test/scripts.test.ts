/**
 * Every script of scripts/ and bench/ still links against what it imports and says what it is for. Their types are checked by
 * `npm run check` (tsconfig.scripts.json); those that need no data are run.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { brainTemplate } from '../src/brain/template.js';
import { createImage } from '../src/formats/create-image.js';
import { encodeImage } from '../src/formats/stored-image.js';
import { nodeGzip } from '../src/node/gzip.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** These run for real in CI: before every test, in `npm run check` and when the package is made. */
const RUN_ANYWAY = ['scripts/build.mjs', 'scripts/check-layers.mjs', 'scripts/vendor-onnxruntime.mjs'];
const scripts = ['scripts', 'bench']
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
  .filter((name) => name.endsWith('.mjs') && !RUN_ANYWAY.includes(name));
const work = mkdtempSync(join(tmpdir(), 'scripts-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function run(script: string, args: string[], env: Record<string, string> = {}) {
  return promisify(execFile)(process.execPath, [join(root, script), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
  });
}

describe('scripts', () => {
  test.concurrent.each(scripts)('%s --help says how it is used', async (script) => {
    const { stdout, stderr } = await run(script, ['--help']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/(usage:|@example|node [\w/-]+\.mjs|npm run)/i);
    expect(stdout.length).toBeGreaterThan(80);
  });

  test('draw-region-map draws a picture', async () => {
    const out = join(work, 'map.png');
    await run('scripts/draw-region-map.mjs', [out]);
    expect(readFileSync(out).subarray(1, 4).toString()).toBe('PNG');
  });

  test('make-brain-template makes the template of brains that are the template', {
    timeout: 600_000,
  }, async () => {
    const template = brainTemplate();
    const head = join(work, 'ixi', 'derivatives', 'dlmuse', 'sub-1', 'anat');
    mkdirSync(head, { recursive: true });
    writeFileSync(
      join(work, 'ixi', 'participants.tsv'),
      'participant_id\tage\tsex\tsplit\nsub-1\t40\tF\ttrain\n',
    );
    // Any label is brain; 47 is a region of it.
    const labels = Uint8Array.from(template.data, (v) => (v > 0.5 ? 47 : 0));
    const [{ bytes }] = await encodeImage(createImage(template.grid, labels), labels, nodeGzip, {
      name: 'x.nii.gz',
    });
    writeFileSync(join(head, 'sub-1_desc-dlmuse_dseg.nii.gz'), bytes);
    // Labels are found by their scan, which this script does not read.
    mkdirSync(join(work, 'ixi', 'sub-1', 'anat'), { recursive: true });
    writeFileSync(join(work, 'ixi', 'sub-1', 'anat', 'sub-1_T1w.nii.gz'), bytes);
    const out = join(work, 'template.ts');
    const { stdout } = await run('scripts/make-brain-template.mjs', ['--out', out], { PROSOPON_DATA: work });
    expect(stdout).toMatch(/round 3: .*correlation min (1|0\.99)/);
    const text = /'([A-Za-z0-9+/=]+)'/.exec(readFileSync(out, 'utf8'))?.[1] ?? '';
    const made = Buffer.from(text, 'base64');
    expect(made.length).toBe(template.data.length);
    const both = template.data.reduce((sum, v, i) => sum + (v > 0.5 && (made[i] ?? 0) > 127 ? 1 : 0), 0);
    const either = template.data.reduce(
      (sum, v, i) => sum + (v > 0.5 ? 1 : 0) + ((made[i] ?? 0) > 127 ? 1 : 0),
      0,
    );
    expect((2 * both) / either).toBeGreaterThan(0.97);
  });
});
