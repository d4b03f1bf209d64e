/** What `prosopon dicom` writes, read by pydicom where Python has it; and real series, where they are. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../src/cli/program.js';
import { runFake } from '../src/cli/testing/run-fake.js';
import { text, uidText, unchanged } from '../src/dicom/assemble.js';
import { EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE } from '../src/dicom/syntax.js';
import { type Extra, makeSlices } from '../src/dicom/testing/make-slices.js';
import { Values } from '../src/dicom/values.js';
import { walk } from '../src/dicom/walker.js';
import { headGrid, syntheticHead } from '../src/volume/testing/synthetic-head.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const data = path.join(process.env.PROSOPON_DATA ?? path.join(root, '../shared/data'), 'dicom');
const MISSING = 77;
let dir = '';

beforeAll(async () => {
  dir = await realpath(await mkdtemp(path.join(tmpdir(), 'dicom-outside-')));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function pydicom(input: string, output: string): { status: number | null; output: string } {
  const script = path.join(root, 'scripts/check-dicom-pydicom.py');
  const run = spawnSync('python3', [script, input, output], { encoding: 'utf8' });
  if (run.error !== undefined) return { status: MISSING, output: 'python3 cannot be started' };
  return { status: run.status, output: `${run.stdout}${run.stderr}` };
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** Series as they are, and those packed unpacked. */
async function realSeries(): Promise<string[]> {
  if (!existsSync(data)) return [];
  const folders: string[] = [];
  for (const name of await readdir(data)) {
    if (!name.endsWith('.tar.xz')) {
      folders.push(path.join(data, name));
      continue;
    }
    const into = path.join(dir, name);
    await mkdir(into);
    if (spawnSync('tar', ['xJf', path.join(data, name), '-C', into]).status === 0) folders.push(into);
  }
  return folders;
}

describe('pydicom', () => {
  it('reads every file that is written, finds each in its place, and no element that should not be there', async (context) => {
    const head = syntheticHead({ grid: headGrid({ spacing: [8, 8, 8] }) });
    const list = path.join(dir, 'safe');
    await writeFile(list, '0029,"MAKER 1",10 DS\n');
    const options = [
      ...['--retain-patient-characteristics', '--retain-device', '--retain-uids', '--dates=keep'],
      `--keep-safe-private=${list}`,
    ];
    const kinds = {
      little: [EXPLICIT_LITTLE, []],
      implicit: [IMPLICIT_LITTLE, []],
      big: [EXPLICIT_BIG, []],
      retained: [EXPLICIT_LITTLE, options],
      'retained-implicit': [IMPLICIT_LITTLE, options],
    } as const;
    const extra: readonly Extra[] = [
      ['00081010', 'SH', text('MR7')],
      ['00081090', 'LO', text('Model 12')],
      ['00100040', 'CS', text('F')],
      ['00101010', 'AS', text('034Y')],
      ['00101030', 'DS', text('64.5')],
      ['00102160', 'SH', text('Group 3')],
      ['00181000', 'LO', text('35162')],
      ['00181002', 'UI', uidText('1.2.3.5.35162')],
      ['00290011', 'LO', text('MAKER 1')],
      ['00291110', 'DS', text('2.5')],
    ];
    for (const [name, [syntax, asked]] of Object.entries(kinds)) {
      const input = path.join(dir, name);
      await mkdir(input);
      const made = makeSlices(head.volume, { syntax, slope: (k) => 1 + k / 64, extra });
      for (const [k, bytes] of made.entries()) await writeFile(path.join(input, `${k}`), bytes);
      const output = path.join(dir, `${name}-out`);
      const { code } = await runFake(head.brainMask.data, ['dicom', input, output, '--quiet', ...asked]);
      expect([name, code]).toEqual([name, 0]);
      const { status, output: said } = pydicom(input, output);
      if (status === MISSING) return context.skip(`not read by pydicom: ${said.trim()}`);
      expect([name, status, said]).toEqual([name, 0, expect.stringContaining('{')]);
      expect(JSON.parse(said)).toMatchObject({ files: made.length, differ: {} });
    }
  });
});

describe('real series', () => {
  it('come out of a pass that changes nothing to the byte, every file', async (context) => {
    const folders = await realSeries();
    if (folders.length === 0)
      return context.skip('no real series: set PROSOPON_DATA to the folder that has dicom/');
    let seen = 0;
    for (const folder of folders)
      for (const name of await filesUnder(folder)) {
        const bytes = new Uint8Array(await readFile(name));
        if (bytes.subarray(128, 132).join() !== '68,73,67,77') continue;
        seen++;
        expect(Buffer.compare(unchanged(walk(bytes)), bytes)).toBe(0);
      }
    expect(seen).toBeGreaterThan(50);
  });

  it('keep the brain in every slice and get another face (the whole Philips series)', async (context) => {
    const input = (await realSeriesOf('philips')) ?? '';
    if (input === '') return context.skip('no real series: set PROSOPON_DATA to the folder that has dicom/');
    const output = path.join(dir, 'philips-out');
    let [said, wrong] = ['', ''];
    const code = await runCli(['dicom', input, output, '--resolution=128', '--json'], {
      stdout: { write: (text) => (said += text) },
      stderr: { write: (text) => (wrong += text) },
    });
    expect([code, wrong]).toEqual([0, expect.not.stringContaining('error')]);
    const { checks } = JSON.parse(said.trim().split('\n').at(-1) as string);
    const kept: number = checks.keptVoxelsIdentical.value;
    const before = await byPlace(input);
    const after = await byPlace(output);
    expect(after.size).toBe(170);
    let same = 0;
    for (const [place, now] of after) {
      const old = before.get(place);
      if (old === undefined) throw new Error('a slice that has no original');
      for (let o = 0; o < now.length; o++) if (now[o] === old[o]) same++;
    }
    expect(kept).toBeGreaterThan(1_000_000);
    expect(same).toBeGreaterThanOrEqual(kept);
    expect(same).toBeLessThan(0.6 * 170 * 256 * 256);
  });
});

async function realSeriesOf(word: string): Promise<string | undefined> {
  const packed = existsSync(data) ? (await readdir(data)).find((name) => name.includes(word)) : undefined;
  if (packed === undefined) return undefined;
  const into = path.join(dir, `${packed}-2`);
  await mkdir(into);
  return spawnSync('tar', ['xJf', path.join(data, packed), '-C', into]).status === 0 ? into : undefined;
}

async function byPlace(folder: string): Promise<Map<string, Uint16Array>> {
  const slices = new Map<string, Uint16Array>();
  for (const name of await filesUnder(folder)) {
    const bytes = new Uint8Array(await readFile(name));
    if (bytes.subarray(128, 132).join() !== '68,73,67,77') continue;
    const file = walk(bytes);
    const element = file.elements.find(({ tag }) => tag === 0x7fe00010);
    if (element !== undefined)
      slices.set(
        new Values(file).text(0x00200032),
        new Uint16Array(bytes.slice(element.valueFrom, element.valueTo).buffer),
      );
  }
  return slices;
}
