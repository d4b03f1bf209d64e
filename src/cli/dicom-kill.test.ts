/** `prosopon dicom` killed at any moment: whatever stands anywhere in the output then is without the face. PROSOPON_KILLS=100 for more. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeProgram, start } from '../../test/promises/support.js';
import { PIXEL_DATA } from '../dicom/allow-list.js';
import { makeSlices } from '../dicom/testing/make-slices.js';
import { Values } from '../dicom/values.js';
import { walk } from '../dicom/walker.js';
import { Random } from '../volume/random.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';

const KILLS = Number(process.env.PROSOPON_KILLS ?? 5);
const grid = headGrid({ spacing: [8, 8, 8] });
const head = syntheticHead({ grid });
const [, , nz] = grid.shape;
let dir = '';
let entry = '';
const at = (...names: string[]): string => path.join(dir, ...names);

beforeAll(async () => {
  dir = await realpath(await mkdtemp(path.join(tmpdir(), 'dicom-kill-')));
  await mkdir(at('in'));
  for (const series of ['7', '8', '9'])
    for (const [k, bytes] of makeSlices(head.volume, { series }).entries())
      await writeFile(at('in', `${series}-${k}`), bytes);
  await writeFile(at('brain.bin'), head.brainMask.data);
  const program = await fakeProgram(at('program'), 100);
  entry = at('program', 'dicom.mjs');
  const brain = JSON.stringify(pathToFileURL(at('brain.bin')).href);
  const found = `extractBrain: async ({ grid }) => ({ mask: { grid, data: new Uint8Array(readFileSync(new URL(${brain}))) } })`;
  const source = (await readFile(program, 'utf8')).replace(
    'makeHead: simpleHead',
    `makeHead: simpleHead, ${found}`,
  );
  await writeFile(entry, `import { readFileSync } from 'node:fs';\n${source}`);
}, 120_000);
afterAll(() => rm(dir, { recursive: true, force: true }));

function voxelsOf(bytes: Uint8Array): { readonly place: string; readonly voxels: Uint8Array } | undefined {
  const file = walk(bytes);
  const element = file.elements.find(({ tag }) => tag === PIXEL_DATA);
  if (element === undefined) return undefined;
  return {
    place: new Values(file).text(0x00200032),
    voxels: bytes.subarray(element.valueFrom, element.valueTo),
  };
}

/** DICOM files anywhere under a folder, hidden ones too. @returns how many, and how many hold an original's picture */
async function look(folder: string, originals: ReadonlyMap<string, Uint8Array>): Promise<[number, number]> {
  if (!existsSync(folder)) return [0, 0];
  let [files, same] = [0, 0];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.dcm')) continue;
    const bytes = new Uint8Array(await readFile(path.join(entry.parentPath, entry.name)));
    files++;
    try {
      const now = voxelsOf(bytes);
      const before = now === undefined ? undefined : originals.get(now.place);
      if (before !== undefined && Buffer.compare(before, now?.voxels ?? before) === 0) same++;
    } catch {
      // Cut off in a folder that is no result's: no file.
      expect(entry.parentPath).toContain('.prosopon-');
    }
  }
  return [files, same];
}

describe('prosopon dicom, killed', () => {
  it(`leaves whole series without the face and nothing else, ${KILLS} times`, {
    timeout: 120_000 + 30_000 * KILLS,
  }, async () => {
    const originals = new Map<string, Uint8Array>();
    for (const bytes of makeSlices(head.volume)) {
      const one = voxelsOf(bytes);
      // Slices of air alone look alike in every head.
      if (one?.voxels.some((byte) => byte > 100) === true) originals.set(one.place, one.voxels);
    }
    const args = (out: string): string[] => [entry, 'dicom', at('in'), out, '--seed=5', '--quiet'];
    const began = Date.now();
    const calm = await start(process.execPath, args(at('calm'))).done;
    const took = Date.now() - began;
    expect([calm.code, calm.err]).toEqual([0, '']);
    expect(await look(at('calm'), originals)).toEqual([3 * nz, 0]);
    const random = new Random(new Uint32Array(8).fill(9));
    for (let n = 0; n < KILLS; n++) {
      const { child, done } = start(process.execPath, args(at(`out${n}`)));
      const late = setTimeout(() => child.kill('SIGKILL'), took * (0.1 + random.uniform()));
      await done;
      clearTimeout(late);
      const [, same] = await look(at(`out${n}`), originals);
      expect([n, same]).toEqual([n, 0]);
      // What has the name of a series is all of it.
      const named = existsSync(at(`out${n}`)) ? await readdir(at(`out${n}`), { recursive: true }) : [];
      for (const series of named.filter((name) => /^patient-\d+.study-\d+.series-\d+$/.test(name)))
        expect((await readdir(at(`out${n}`, series))).length).toBe(nz);
    }
  });
});
