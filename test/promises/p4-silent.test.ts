/** P4: text planted wherever a file can carry it appears in no output, report, log or error. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32, deflateRawSync, gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.js';
import { mghBytes, niftiBytes, simpleHead } from '../../src/deidentify/testing/fixtures.js';
import { MethodRegistry } from '../../src/methods/registry.js';
import { headGrid, syntheticHead } from '../../src/volume/testing/synthetic-head.js';
import { methodsUnderTest } from './support.js';

/** Short, so that it fits every field; rare, so that no voxels spell it. */
const PLANT = 'DoeJane71';
const SHORT = 'Jd';
const SEED = 'seed-Qx83kk';
const grid = headGrid({ spacing: [6, 6, 6] });
const { volume, brainMask } = syntheticHead({ grid });
const text = (s: string): number[] => Array.from(s, (c) => c.charCodeAt(0));

let dir = '';
let inputs = '';
let outputs = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'p4-'));
  inputs = path.join(dir, `sub-${PLANT}`);
  outputs = path.join(dir, 'out');
  await mkdir(inputs);
  await mkdir(outputs);
  const mask = niftiBytes({ grid, volumes: [Float32Array.from(brainMask.data)], datatype: 'uint8' });
  await writeFile(path.join(inputs, `${PLANT}-mask.nii`), planted(mask));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** A NIfTI-1 file with text in each field that holds text or could, and in two extensions and after the voxels. */
function planted(nifti: Uint8Array): Uint8Array {
  const fields = { 4: 10, 14: 18, 32: 7, 56: 14, 74: 2, 120: 3, 124: 24, 148: 80, 228: 24, 328: 16 };
  const header = nifti.slice(0, 352);
  for (const [first, length] of Object.entries(fields)) {
    const words = text((length >= PLANT.length ? PLANT : SHORT).repeat(10)).slice(0, length);
    header.set(words, Number(first));
  }
  header[348] = 1;
  const extension = new Uint8Array(32);
  new DataView(extension.buffer).setInt32(0, 32, true);
  new DataView(extension.buffer).setInt32(4, 6, true);
  extension.set(text(PLANT), 8);
  new DataView(header.buffer).setFloat32(108, 352 + 64, true);
  return Uint8Array.from([...header, ...extension, ...extension, ...nifti.subarray(352), ...text(PLANT)]);
}

/** Gzip with a file name, a comment and an extra field. */
function gzipWithNames(bytes: Uint8Array): Uint8Array {
  const tail = new DataView(new ArrayBuffer(8));
  tail.setUint32(0, crc32(bytes), true);
  tail.setUint32(4, bytes.length, true);
  const extra = text(PLANT);
  return Buffer.concat([
    Uint8Array.of(0x1f, 0x8b, 8, 4 | 8 | 16, 1, 2, 3, 4, 0, 3, extra.length, 0, ...extra),
    Uint8Array.of(...text(`${PLANT}.nii`), 0, ...text(PLANT), 0),
    deflateRawSync(bytes),
    new Uint8Array(tail.buffer),
  ]);
}

const methods = await methodsUnderTest();

async function run(args: readonly string[], index = 0): Promise<{ code: number; out: string; err: string }> {
  const under = methods[index];
  if (under === undefined) throw new Error('no method');
  let out = '';
  let err = '';
  const code = await runCli(args, {
    methods: new MethodRegistry().register(under.method),
    makeHead: under.name === 'fake' ? simpleHead : under.services.makeHead,
    stdout: { write: (t) => (out += t) },
    stderr: { write: (t) => (err += t) },
  });
  return { code, out, err };
}

/** Everything that the program gave out: files (inflated), their names, streams. */
async function everything(streams: { out: string; err: string }): Promise<Buffer> {
  const parts: Buffer[] = [Buffer.from(streams.out), Buffer.from(streams.err)];
  for (const name of await readdir(outputs)) {
    const bytes = await readFile(path.join(outputs, name));
    parts.push(Buffer.from(name), bytes, bytes[0] === 0x1f ? gunzipSync(bytes) : Buffer.alloc(0));
  }
  return Buffer.concat(parts);
}

function expectSilent(found: Buffer): void {
  for (const secret of [PLANT, PLANT.toLowerCase(), PLANT.slice(0, 7), SEED])
    for (const encoding of ['latin1', 'utf16le', 'base64'] as const) {
      const needle =
        encoding === 'base64'
          ? Buffer.from(Buffer.from(secret).toString('base64').slice(0, -2))
          : Buffer.from(secret, encoding);
      expect(found.includes(needle), `${secret} as ${encoding}`).toBe(false);
    }
}

const FILES: Record<string, { bytes: () => Uint8Array; ending: string }> = {
  'NIfTI, plain': { ending: '.nii', bytes: () => planted(niftiBytes({ grid, volumes: [volume.data] })) },
  'NIfTI, gzip with names': {
    ending: '.nii.gz',
    bytes: () => gzipWithNames(planted(niftiBytes({ grid, volumes: [volume.data] }))),
  },
  'MGH with footer and tags': {
    ending: '.mgh',
    bytes: () => {
      const bytes = mghBytes({ grid, volumes: [volume.data] });
      bytes.set(text(PLANT.repeat(20)).slice(0, 190), 90);
      return Uint8Array.from([...bytes, ...text(PLANT.repeat(40))]);
    },
  },
};

describe.each(methods.map(({ name }, index) => ({ name, index })))('P4 with $name', ({ index }) => {
  // What a method that removes may add is words: one kind of file shows them.
  const removes = methods[index]?.method.kind === 'remove';
  const files = Object.entries(FILES).slice(removes ? 1 : 0, removes ? 2 : undefined);
  it.each(files.map(([name, file]) => ({ name, file })))('$name', async ({ file }) => {
    const input = path.join(inputs, `${PLANT}_T1w${file.ending}`);
    await writeFile(input, file.bytes());
    const to = (name: string): string => path.join(outputs, `${name}${file.ending}`);
    const streams = await run(
      [
        ...['deid', input, to('a'), '--brain-mask', path.join(inputs, `${PLANT}-mask.nii`)],
        ...(removes ? [] : ['--seed', SEED, '--resolution', '128']),
        ...['--save-brain-mask', to('b'), '--save-altered', to('c'), '--json'],
        ...['--qc', path.join(outputs, 'report.html')],
      ],
      index,
    );
    expect(streams.code).toBe(0);
    // Quickshear may doubt its cut, cp-gan is not for release, the mask may be tight; nothing else is said.
    const known =
      /^prosopon: warning: (quickshear: .*|the outline of the head .* not for release|the given mask leaves out \d+ % of the brain .*)\n/gm;
    expect(streams.err.replaceAll(known, '')).toBe('');
    expectSilent(await everything(streams));
  });
});

describe('P4 when it fails', () => {
  const mask = (): string => path.join(inputs, `${PLANT}-mask.nii`);
  const target = (): string => path.join(outputs, 'a.nii');

  it.each([
    ['a file that is not there', 1, () => ['deid', path.join(inputs, `no-${PLANT}.nii`), target()]],
    ['no image', 1, () => ['deid', path.join(inputs, `${PLANT}.txt`), target()]],
    ['another output format', 2, () => ['deid', mask(), path.join(outputs, 'a.mgz'), '--brain-mask', mask()]],
    ['a folder', 1, () => ['deid', inputs, target()]],
    [
      'an output in a folder that is not there',
      1,
      () => ['deid', mask(), path.join(inputs, 'none', 'a.nii')],
    ],
    ['an argument too many', 2, () => ['deid', mask(), target(), path.join(inputs, PLANT)]],
    ['a bad option', 2, () => ['deid', mask(), target(), '--resolution', PLANT]],
    ['a bad pair', 2, () => ['deid', mask(), target(), '--apply-to', path.join(inputs, PLANT)]],
    ['a command that is none', 2, () => [path.join(inputs, PLANT)]],
    ['an unknown option', 2, () => ['deid', mask(), target(), `--name=${PLANT}`]],
  ])('tells nothing of the names given: %s', async (_, code, args) => {
    await writeFile(path.join(inputs, `${PLANT}.txt`), PLANT);
    for (const more of [[], ['--json']]) {
      const streams = await run([...args(), ...more]);
      expect(streams.code).toBe(code);
      expect(streams.err).not.toBe('');
      expectSilent(await everything(streams));
    }
  });
});
