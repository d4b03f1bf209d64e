/** DICOM from end to end: what appears, what never does, and what nobody may find in it. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { niftiBytes } from '../deidentify/testing/fixtures.js';
import { text, uidText, words16 } from '../dicom/assemble.js';
import { EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE } from '../dicom/syntax.js';
import { compressed, encodeRle } from '../dicom/testing/compress.js';
import { type Extra, encodeAll, makeSlices, type SlicesOptions } from '../dicom/testing/make-slices.js';
import { Values } from '../dicom/values.js';
import { type WalkedFile, walk } from '../dicom/walker.js';
import { Refusal } from '../errors/errors.js';
import { fakeMethod } from '../methods/testing/fake-method.js';
import { makeZip } from '../node/dicom/testing/make-zip.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import type { Mask, Volume } from '../volume/volume.js';
import { type Ran, runFake } from './testing/run-fake.js';

const grid = headGrid({ spacing: [8, 8, 8] });
const head = syntheticHead({ grid });
const brain = head.brainMask;
const [nx, ny, nz] = grid.shape;
/** The same head in a scanner that was turned. */
const turned = syntheticHead({ grid: headGrid({ spacing: [8, 8, 8], turn: [0.3, 0, 0] }) });
const perSlice = nx * ny;
let dir = '';
const at = (...names: string[]): string => path.join(dir, ...names);

async function put(folder: string, files: readonly Uint8Array[], name = 'IM'): Promise<void> {
  await mkdir(at(folder), { recursive: true });
  for (const [i, bytes] of files.entries()) await writeFile(at(folder, `${name}${i}`), bytes);
}
const series = (options: SlicesOptions = {}): Uint8Array[] => makeSlices(head.volume, options);

const run = (args: readonly string[], method = fakeMethod()): Promise<Ran> =>
  runFake(maskOn, ['dicom', '--quiet', ...args.map((arg) => (arg.startsWith('-') ? arg : at(arg)))], method);
/** The head's own mask, whichever way round its slices are. */
function maskOn({ grid: { affine, shape } }: Volume): Mask {
  const straight = Math.abs(affine[9] as number) < 1;
  const source = straight ? brain.data : turned.brainMask.data;
  const backwards = (affine[10] as number) < 0;
  const data = source.map((_, o) => {
    const k = Math.floor(o / perSlice);
    return source[backwards ? o + (nz - 1 - 2 * k) * perSlice : o] as number;
  });
  return { grid: { affine, shape }, data };
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(at(folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(at(folder), path.join(entry.parentPath, entry.name)))
    .sort();
}
async function resultsIn(folder: string): Promise<WalkedFile[]> {
  const names = (await filesIn(folder)).filter((name) => name.endsWith('.dcm'));
  return Promise.all(names.map(async (name) => walk(new Uint8Array(await readFile(at(folder, name))))));
}
function voxels(file: WalkedFile): number[] {
  const element = file.elements.at(-1);
  if (element?.tag !== 0x7fe00010) throw new Error('no voxels');
  const view = new DataView(file.bytes.buffer, file.bytes.byteOffset);
  return Array.from({ length: perSlice }, (_, o) =>
    view.getUint16(element.valueFrom + 2 * o, file.syntax.littleEndian),
  );
}
/** Every file is a slice of the input with its brain's bits and another face. @returns share of voxels that are new */
function compare(before: readonly Uint8Array[], after: readonly WalkedFile[]): number {
  expect(after.length).toBe(before.length);
  const place = (file: WalkedFile): string => new Values(file).text(0x00200032);
  let different = 0;
  for (const [k, bytes] of before.entries()) {
    const original = walk(bytes);
    const result = after.find((file) => place(file) === place(original));
    if (result === undefined) throw new Error('a slice is missing');
    const [old, now] = [voxels(original), voxels(result)];
    for (let o = 0; o < perSlice; o++) {
      if (old[o] === now[o]) continue;
      different++;
      expect(brain.data[k * perSlice + o]).toBe(0);
    }
  }
  return different / (perSlice * before.length);
}

beforeAll(async () => {
  dir = await realpath(await mkdtemp(path.join(tmpdir(), 'dicom-')));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A method whose result is refused as the pipeline refuses one in which the face still stands (`face-gone.test.ts` has the check). */
function keepsTheFace(): ReturnType<typeof fakeMethod> {
  const refuse = async (): Promise<never> => {
    throw new Refusal(
      'face-kept',
      "expected a result without the original's face, found 90 % of it in its place",
    );
  };
  return { ...fakeMethod(), synthesize: refuse } as ReturnType<typeof fakeMethod>;
}

describe('prosopon dicom', () => {
  it('a file appears in the output only when its face is gone and its header is clean', async () => {
    const files = series();
    await put('first', files);
    const ok = await run(['first', 'first-out']);
    expect([ok.code, ok.err]).toEqual([0, '']);
    const results = await resultsIn('first-out');
    expect(compare(files, results)).toBeGreaterThan(0.1);
    for (const file of results) {
      const values = new Values(file);
      expect(values.text(0x00120062)).toBe('YES');
      expect(values.text(0x00280302)).toBe('NO');
      expect(values.text(0x00080008)).toBe('DERIVED\\PRIMARY\\M');
      const codes = file.elements.find(({ tag }) => tag === 0x00120064)?.items;
      expect(codes?.length).toBe(2);
    }
    // One whose face stays: nothing of it, not even a folder.
    const kept = await run(['first', 'kept-out'], keepsTheFace());
    expect(kept.code).toBe(1);
    expect(kept.err).toMatch(/without the original's face/);
    expect(existsSync(at('kept-out'))).toBe(false);
  });

  it('keeps brain voxels in every syntax, sign, scaling and photometric sense', async () => {
    const kinds: Readonly<Record<string, SlicesOptions>> = {
      implicit: { syntax: IMPLICIT_LITTLE },
      big: { syntax: EXPLICIT_BIG },
      slopes: { slope: (k) => 0.5 + k / 64 },
      inverted: { inverted: true },
      signed: { signed: true, bits: 16, air: -1000 },
      twelve: { signed: true, bits: 12 },
    };
    for (const [name, options] of Object.entries(kinds)) {
      const files = series(options);
      await put(name, files);
      const { code, err } = await run([name, `${name}-out`]);
      expect([name, code, err]).toEqual([name, 0, '']);
      const results = await resultsIn(`${name}-out`);
      expect(compare(files, results)).toBeGreaterThan(0.1);
      expect(results.every(({ syntax }) => syntax.uid === (options.syntax ?? EXPLICIT_LITTLE).uid)).toBe(
        true,
      );
    }
  });

  it('reads a ZIP archive, deflated files and compressed voxels, and writes them plain, with the marks of a loss', async () => {
    const files = series({ extra: [['00282110', 'CS', text('01')]] });
    const packed = files.map((bytes, k) => ({
      name: `QZWITNESS/IM${k}`,
      bytes: k % 2 === 0 ? bytes : compressed(bytes, '1.2.840.10008.1.2.5', encodeRle),
    }));
    await put('zip', [makeZip(packed), makeZip([{ name: 'QZ', bytes: makeZip(packed.slice(0, 1)) }])]);
    const { code, out, err } = await run(['zip', 'zip-out']);
    expect([code, err]).toEqual([1, expect.stringContaining('1 files left out')]);
    const results = await resultsIn('zip-out');
    expect(compare(files, results)).toBeGreaterThan(0.1);
    for (const file of results) {
      expect(file.syntax).toEqual(EXPLICIT_LITTLE);
      expect(new Values(file).text(0x00282110)).toBe('01');
    }
    const report = await readFile(at('zip-out', 'report.json'), 'utf8');
    expect(report).toContain('a ZIP archive in a ZIP archive');
    expect(`${report} ${out} ${err}`).not.toContain('QZ');
  });

  it('says the smallest and largest voxel that there are now', async () => {
    const extra: Extra[] = [
      ['00280106', 'US', Uint8Array.of(9, 0)],
      ['00280107', 'US', Uint8Array.of(9, 0)],
    ];
    await put('extremes', series({ extra }));
    expect((await run(['extremes', 'extremes-out'])).code).toBe(0);
    for (const file of await resultsIn('extremes-out')) {
      const values = new Values(file);
      const there = voxels(file);
      expect([values.word(0x00280106), values.word(0x00280107)]).toEqual([
        Math.min(...there),
        Math.max(...there),
      ]);
    }
  });

  it("draws new air where the header's padding value says that it is, and asks no voxel outside of the brain", async () => {
    await writeFile(at('key-air'), 'a key of a site that is long enough');
    const air = -500;
    const bytesOf = async (variant: number): Promise<string[]> => {
      const { volume } = syntheticHead({ grid, variant });
      // All of the brain lies above 0: it cannot say where air is.
      const data = volume.data.map((v) => 20 * Math.max(0, v - 250));
      const name = `air-${variant}`;
      const extra: Extra[] = [['00280120', 'SS', words16([air], EXPLICIT_LITTLE)]];
      await put(name, makeSlices({ grid, data }, { signed: true, bits: 16, air, extra }));
      const { code, err } = await run([name, `${name}-out`, '--seed=7', `--key-file=${at('key-air')}`]);
      expect([code, err]).toEqual([0, '']);
      const results = await resultsIn(`${name}-out`);
      const corners = results.flatMap((file) => voxels(file).slice(0, 3));
      const signed = corners.map((v) => (v << 16) >> 16);
      const mean = signed.reduce((sum, v) => sum + v, 0) / signed.length;
      expect(Math.abs(mean - air)).toBeLessThan(150);
      return results.map((file) => Buffer.from(file.bytes).toString('base64'));
    };
    expect(await bytesOf(1)).toEqual(await bytesOf(0));
  });

  it('draws with a seed what deid draws with it: voxel by voxel the same, whoever the header says it is', async () => {
    const data = head.volume.data.map((v) => Math.round(v));
    await put('twin', makeSlices({ grid, data }, { patient: 'QZTWIN' }));
    await writeFile(at('twin.nii'), niftiBytes({ grid, volumes: [data] }));
    expect(await run(['twin', 'twin-out', '--seed=words of a site'])).toMatchObject({ code: 0, err: '' });
    const nifti = await runFake(maskOn, [
      'deid',
      at('twin.nii'),
      at('twin-new.nii'),
      '--seed=words of a site',
      '--quiet',
    ]);
    expect(nifti).toMatchObject({ code: 0, err: '' });
    const bytes = await readFile(at('twin-new.nii'));
    const stored = new Int16Array(
      bytes.buffer.slice(bytes.byteOffset + 352, bytes.byteOffset + bytes.length),
    );
    const slices = (await resultsIn('twin-out')).flatMap((file) => voxels(file));
    // What is below 0 in NIfTI, whose voxels have a sign, is 0 here.
    const differs = slices.filter((v, o) => v !== Math.max(0, stored[o] as number)).length;
    expect([slices.length, differs]).toEqual([stored.length, 0]);
  });

  it('leaves nothing of the person in bytes, names, report or log, whatever it is planted in', async () => {
    const said = text('QZWITNESS^ANNA of QZHOSPITAL');
    const utf16 = new Uint8Array(Buffer.from('QZWITNESS^ANNA ', 'utf16le'));
    let deep: Uint8Array = encodeAll([['00100010', 'PN', said]], EXPLICIT_LITTLE);
    for (let n = 0; n < 5; n++) deep = encodeAll([['00290011', 'SQ', [deep]]], EXPLICIT_LITTLE);
    const extra: Extra[] = [
      ['00080005', 'CS', text('ISO_IR 192')],
      ['00080080', 'LO', text('QZHOSPITAL')],
      ['00080050', 'SH', text('QZACCESSION')],
      ['00080070', 'LO', text('made for QZWITNESS')],
      ['00081140', 'SQ', [encodeAll([['00081155', 'UI', uidText('1.2.3.99994711.55')]], EXPLICIT_LITTLE)]],
      ['00082218', 'SQ', [encodeAll([['00100010', 'PN', said]], EXPLICIT_LITTLE)]],
      ['00180015', 'CS', text('QZWITNESS')],
      ['00180020', 'CS', text('QZWITNESS')],
      ['00180080', 'DS', text('QZWITNESS')],
      ['00290010', 'LO', text('QZWITNESS')],
      ['00290011', 'SQ', [deep]],
      ['00290012', 'OB', utf16],
      ['00400275', 'SQ', [encodeAll([['00400007', 'LO', said]], EXPLICIT_LITTLE)]],
      ['00880200', 'SQ', [encodeAll([['00100010', 'PN', said]], EXPLICIT_LITTLE)]],
      ['04000561', 'SQ', [encodeAll([['04000550', 'SQ', [deep]]], EXPLICIT_LITTLE)]],
      ['50003000', 'OW', said],
      ['60000022', 'LO', said],
      ['fffcfffc', 'OB', said],
    ];
    await put('planted/QZWITNESS', series({ extra, preamble: 'made for QZWITNESS^ANNA' }), 'QZWITNESS_');
    await writeFile(at('planted', 'QZWITNESS.txt'), 'QZWITNESS');
    const { code, out, err } = await run(['planted', 'planted-out']);
    expect(code).toBe(0);
    const names = await filesIn('planted-out');
    expect(names.filter((name) => name.endsWith('.dcm')).length).toBe(nz);
    const all = Buffer.concat(await Promise.all(names.map((name) => readFile(at('planted-out', name)))));
    const hay = [all.toString('latin1'), names.join(), out, err].join('\n').toUpperCase();
    for (const needle of ['QZWIT', 'QZHOS', 'QZACC', 'ANNA^', '99994711', '20240305'])
      for (const form of [needle, [...needle].join('\0')])
        expect([form, hay.includes(form)]).toEqual([form, false]);
    for (const file of await resultsIn('planted-out')) {
      expect(file.elements.every(({ tag }) => (tag >>> 16) % 2 === 0)).toBe(true);
      expect(file.bytes.subarray(0, 128).every((byte) => byte === 0)).toBe(true);
    }
  });

  it('refuses by name what no straight grid is true of, and writes nothing', async () => {
    const files = series();
    const cases: Readonly<Record<string, readonly [readonly Uint8Array[], RegExp]>> = {
      missing: [
        files.filter((_, k) => k !== 9),
        /gap of 16\.00 mm after slice \d+ of \d+: a slice is missing/,
      ],
      doubled: [
        [
          ...files,
          ...series({ series: '7.2', extra: [['0020000e', 'UI', uidText('1.2.3.99994711.9.7')]] }).slice(
            9,
            10,
          ),
        ],
        /found two at/,
      ],
      uneven: [series({ move: (k) => [0, 0, 0.02 * k * k] }), /found steps of/],
      sheared: [series({ move: (k) => [0, 1.2 * k, 0] }), /sheared by 8\.5 degrees/],
      colour: [series({ extra: [['00280004', 'CS', text('RGB')]] }), /found colour/],
      burned: [series({ extra: [['00280301', 'CS', text('YES')]] }), /burned into the picture/],
      compressed: [
        files.map((bytes) => {
          const copy = bytes.slice();
          // ...1.2.1 becomes ...1.2.5: RLE, with voxels in no fragments.
          copy[132 + 8 + 18] = 0x35;
          return copy;
        }),
        /expected voxels in fragments/,
      ],
    };
    for (const [name, [made, why]] of Object.entries(cases)) {
      await put(name, made);
      const { code, err } = await run([name, `${name}-out`]);
      expect([name, code]).toEqual([name, 1]);
      expect(err).toMatch(why);
      expect([name, existsSync(at(`${name}-out`))]).toEqual([name, false]);
    }
  });

  it('takes one of two copies, and leaves out what is no head series, each named in the report', async () => {
    const files = series();
    await put('mixed/a', files);
    await put('mixed/b', [
      files[3] as Uint8Array,
      new Uint8Array(0),
      text('not a DICOM file, but long enough'),
      (files[4] as Uint8Array).slice(0, 900),
      ...series({ extra: [['00080016', 'UI', uidText('1.2.840.10008.5.1.4.1.1.7')]] }).slice(0, 1),
      ...series({ series: '8', extra: [['00080008', 'CS', text('ORIGINAL\\PRIMARY\\LOCALIZER')]] }).slice(
        0,
        3,
      ),
    ]);
    const { code } = await run(['mixed', 'mixed-out']);
    expect(code).toBe(1);
    const report = JSON.parse(await readFile(at('mixed-out', 'report.json'), 'utf8'));
    expect(report.copies).toBe(1);
    expect(report.treated.map(({ files: n }: { files: number }) => n)).toEqual([nz]);
    expect(report.leftOut.map(({ what }: { what: string }) => what).sort()).toEqual([
      'a DICOM file that breaks off',
      'a file that is not DICOM',
      'an empty file',
      'secondary capture',
    ]);
    expect(report.refused[0].message).toMatch(/localizer/);
    expect(await readFile(at('mixed-out', 'report.html'), 'utf8')).toContain('secondary capture');
    expect((await run(['mixed', 'mixed-ok', '--refusals-ok'])).code).toBe(0);
  });

  it('maps UIDs, IDs and dates by the key: the same with it, others without, one shift a person', async () => {
    await put('two/a', series());
    await put(
      'two/b',
      series({ series: '8', study: '1.2.3.99994711.2', extra: [['00080020', 'DA', text('20240405')]] }),
    );
    await put('two/c', series({ series: '9', study: '1.2.3.99994711.3', patient: 'QZOTHER' }));
    await writeFile(at('key'), 'a key of a site that is long enough');
    const facts = async (folder: string, ...more: string[]): Promise<Map<string, string[]>> => {
      const { code, err } = await run(['two', folder, '--dates=shift', ...more]);
      expect([code, err]).toEqual([0, '']);
      const studies = new Map<string, string[]>();
      for (const file of await resultsIn(folder)) {
        const values = new Values(file);
        studies.set(values.text(0x0020000d), [values.text(0x00100020), values.text(0x00080020)]);
      }
      return studies;
    };
    const once = await facts('two-1', `--key-file=${at('key')}`);
    const again = await facts('two-2', `--key-file=${at('key')}`);
    const without = await facts('two-3');
    expect(again).toEqual(once);
    expect([...without.keys()].some((uid) => once.has(uid))).toBe(false);
    const byPatient = new Map<string, number[]>();
    for (const [id, date] of once.values()) {
      const days = Date.parse(`${date?.slice(0, 4)}-${date?.slice(4, 6)}-${date?.slice(6)}`) / 86_400_000;
      byPatient.set(id as string, [...(byPatient.get(id as string) ?? []), days]);
    }
    const [both = [], single = []] = [...byPatient.values()].sort((a, b) => b.length - a.length);
    expect(Math.max(...both) - Math.min(...both)).toBe(31);
    expect(single[0]).not.toBe(Math.min(...both));
  });

  it('gives each orientation of a series its own stack, and one head; a series appears whole or not at all', async () => {
    const second = makeSlices(turned.volume, {
      extra: (k) => [['00080018', 'UI', uidText(`1.2.3.99994711.77.${k + 1}`)]],
    });
    await put('stacks', [...series(), ...second]);
    expect(await run(['stacks', 'stacks-out'])).toMatchObject({ code: 0, err: '' });
    const report = JSON.parse(await readFile(at('stacks-out', 'report.json'), 'utf8'));
    expect(report.treated[0].stacks.length).toBe(2);
    expect((await resultsIn('stacks-out')).length).toBe(2 * nz);
    // Without one slice of the second the first does not appear either.
    await put('stacks-broken', [...series(), ...second.filter((_, k) => k !== 5)]);
    const broken = await run(['stacks-broken', 'stacks-broken-out']);
    expect(broken.code).toBe(1);
    expect(broken.err).toMatch(/a slice is missing/);
    expect(existsSync(at('stacks-broken-out'))).toBe(false);
  });

  it('wants an output that is empty and apart from the input', async () => {
    await put('apart', series());
    await put('full', [new Uint8Array(1)]);
    expect((await run(['apart', 'full'])).code).toBe(1);
    expect((await run(['apart', 'apart/out'])).code).toBe(2);
    expect((await run(['nowhere', 'out'])).code).toBe(1);
    await writeFile(at('short'), 'short');
    expect((await run(['apart', 'out', `--key-file=${at('short')}`])).code).toBe(2);
  });
});
