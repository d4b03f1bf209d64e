/** Enhanced multi-frame objects from end to end: the face of their classic twin, the brain's bits frame by frame, and nothing of a name. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../dicom/assemble.js';
import { EXPLICIT_LITTLE } from '../dicom/syntax.js';
import { compressed, encodeRle } from '../dicom/testing/compress.js';
import { group, makeObject, nested, type ObjectOptions } from '../dicom/testing/make-object.js';
import { type Extra, makeSlices } from '../dicom/testing/make-slices.js';
import { Values } from '../dicom/values.js';
import { type WalkedFile, walk } from '../dicom/walker.js';
import { Refusal } from '../errors/errors.js';
import { fakeMethod } from '../methods/testing/fake-method.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import type { Mask, Volume } from '../volume/volume.js';
import { type Ran, runFake } from './testing/run-fake.js';

const grid = headGrid({ spacing: [8, 8, 8] });
const head = syntheticHead({ grid });
const [nx, ny, nz] = grid.shape;
const perFrame = nx * ny;
const slices = makeSlices(head.volume);
const shuffled = slices.map((_, i) => (i * 7) % nz);
let dir = '';
const at = (...names: string[]): string => path.join(dir, ...names);

async function put(folder: string, files: readonly Uint8Array[]): Promise<void> {
  await mkdir(at(folder), { recursive: true });
  for (const [i, bytes] of files.entries()) await writeFile(at(folder, `IM${i}`), bytes);
}
const maskOn = ({ grid: { affine, shape } }: Volume): Mask => ({
  grid: { affine, shape },
  data: head.brainMask.data,
});
const run = (args: readonly string[], method = fakeMethod()): Promise<Ran> =>
  runFake(maskOn, ['dicom', '--quiet', '--seed=7', ...args.map((arg) => at(arg))], method);

async function resultsIn(folder: string): Promise<WalkedFile[]> {
  const entries = await readdir(at(folder), { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.dcm'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(names.map(async (name) => walk(new Uint8Array(await readFile(name)))));
}
/** One object's frames, each with its words; the slice that it is, by the place that its group says. */
function framesOf(file: WalkedFile): { readonly place: string; readonly words: Uint16Array }[] {
  const element = file.elements.at(-1);
  const groups = new Values(file).get(0x52009230)?.items;
  if (element?.tag !== 0x7fe00010 || groups === undefined) throw new Error('no frames');
  return groups.map(({ elements }, i) => {
    const from = element.valueFrom + 2 * i * perFrame;
    const place = new Values({ ...file, elements }).item(0x00209113)?.text(0x00200032) ?? '';
    return { place, words: new Uint16Array(file.bytes.slice(from, from + 2 * perFrame).buffer) };
  });
}
const placeOf = (bytes: Uint8Array): string => new Values(walk(bytes)).text(0x00200032);
const asked = slices.map(placeOf);
async function only(folder: string): Promise<WalkedFile> {
  const [file, ...others] = await resultsIn(folder);
  if (file === undefined || others.length > 0) throw new Error('not one object');
  return file;
}
/** Brain bits as before, in the frames' order. @returns share of voxels that are new */
function compare(before: Uint8Array, after: WalkedFile): number {
  const [old, now] = [framesOf(walk(before)), framesOf(after)];
  expect(now.map(({ place }) => place)).toEqual(old.map(({ place }) => place));
  let different = 0;
  for (const [i, { place, words }] of now.entries()) {
    const k = asked.indexOf(place);
    for (let o = 0; o < perFrame; o++) {
      if (words[o] === old[i]?.words[o]) continue;
      different++;
      expect(head.brainMask.data[k * perFrame + o]).toBe(0);
    }
  }
  return different / (perFrame * now.length);
}

beforeAll(async () => {
  dir = await realpath(await mkdtemp(path.join(tmpdir(), 'dicom-objects-')));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('prosopon dicom, enhanced objects', () => {
  it('have the face of their classic twin, voxel by voxel, in whatever order and with whatever compression they come', async () => {
    await put('classic', slices);
    expect(await run(['classic', 'classic-out'])).toMatchObject({ code: 0, err: '' });
    const twin = new Map(
      (await resultsIn('classic-out')).map((file) => {
        const element = file.elements.at(-1);
        const words = file.bytes.slice(element?.valueFrom, element?.valueTo);
        return [new Values(file).text(0x00200032), words];
      }),
    );
    const plain = makeObject(slices, { order: shuffled });
    const kinds = { plain, rle: compressed(makeObject(slices), '1.2.840.10008.1.2.5', encodeRle) };
    for (const [name, bytes] of Object.entries(kinds)) {
      await put(name, [bytes]);
      expect([name, await run([name, `${name}-out`])]).toMatchObject([name, { code: 0, err: '' }]);
      const file = await only(`${name}-out`);
      expect(new Values(file).text(0x00080016)).toBe('1.2.840.10008.5.1.4.1.1.4.1');
      expect(file.syntax).toEqual(EXPLICIT_LITTLE);
      for (const { place, words } of framesOf(file))
        expect(Buffer.compare(Buffer.from(words.buffer), twin.get(place) ?? new Uint8Array(0))).toBe(0);
    }
    expect(compare(plain, await only('plain-out'))).toBeGreaterThan(0.1);
  });

  it('keep brain bits with a slope for each frame, and in each of two echoes, which get one head', async () => {
    const sloped = makeSlices(head.volume, { slope: (k) => 0.5 + k / 64 });
    const dark = makeSlices({ grid, data: head.volume.data.map((v) => v / 2) });
    const kinds: Readonly<Record<string, [readonly Uint8Array[], ObjectOptions]>> = {
      sloped: [sloped, { order: shuffled }],
      echoes: [[...slices, ...dark], { echo: (i) => (i < nz ? 3 : 6) }],
    };
    for (const [name, [from, options]] of Object.entries(kinds)) {
      const bytes = makeObject(from, options);
      await put(name, [bytes]);
      expect([name, await run([name, `${name}-out`])]).toMatchObject([name, { code: 0, err: '' }]);
      expect(compare(bytes, await only(`${name}-out`))).toBeGreaterThan(0.1);
    }
    const report = JSON.parse(await readFile(at('echoes-out', 'report.json'), 'utf8'));
    expect(report.treated[0].stacks[0].shape).toEqual([nx, ny, nz, 2]);
    expect(report.treated[0].files).toBe(1);
  });

  it('leave nothing of the person, whatever group it is planted in', async () => {
    const planted: Extra[] = [
      ['00290010', 'LO', text('QZWITNESS')],
      ['00290011', 'SQ', nested(5, [['00100010', 'PN', text('QZWITNESS^ANNA')]])],
      ['00081140', 'SQ', nested(3, [['00081155', 'UI', text('1.2.3.99994711')]], '00081140')],
      ['00209071', 'SQ', group([['00082218', 'SQ', group([['00080104', 'LO', text('QZWITNESS')]])]])],
    ];
    await put('planted', [makeObject(slices, { shared: planted, frame: () => planted, extra: planted })]);
    const { code, out, err } = await run(['planted', 'planted-out']);
    expect([code, err]).toEqual([0, '']);
    const report = await readFile(at('planted-out', 'report.json'), 'utf8');
    const hay = [Buffer.from((await only('planted-out')).bytes).toString('latin1'), report, out].join('\n');
    for (const needle of ['QZ', 'ANNA^', '99994711', '20240305'])
      for (const form of [needle, [...needle].join('\0')])
        expect([form, hay.includes(form)]).toEqual([form, false]);
  });

  it('are refused by name, and nothing written, where the face stays, a frame is missing or text is burned in', async () => {
    const refuse = async (): Promise<never> => {
      throw new Refusal('face-kept', "expected a result without the original's face, found 90 %");
    };
    const keeps = { ...fakeMethod(), synthesize: refuse } as ReturnType<typeof fakeMethod>;
    const cases: Readonly<Record<string, [Uint8Array, RegExp, typeof keeps?]>> = {
      kept: [makeObject(slices), /without the original's face/, keeps],
      gap: [makeObject(slices, { order: shuffled.filter((k) => k !== 9) }), /a slice is missing/],
      burned: [makeObject(slices, { extra: [['00280301', 'CS', text('YES')]] }), /burned into the picture/],
      localizer: [makeObject(slices, { frameType: () => 'ORIGINAL\\PRIMARY\\LOCALIZER\\NONE' }), /localizer/],
    };
    for (const [name, [bytes, why, method]] of Object.entries(cases)) {
      await put(name, [bytes]);
      const { code, err } = await run([name, `${name}-out`], method);
      expect([name, code]).toEqual([name, 1]);
      expect(err).toMatch(why);
      expect([name, existsSync(at(`${name}-out`))]).toEqual([name, false]);
    }
  });

  it('that cannot be treated do not take the slices of their series UID with them', async () => {
    await put('beside', [...slices, makeObject(slices, { extra: [['00209161', 'UI', text('1.2.3')]] })]);
    const { code } = await run(['beside', 'beside-out']);
    expect(code).toBe(1);
    expect((await resultsIn('beside-out')).length).toBe(nz);
    const report = JSON.parse(await readFile(at('beside-out', 'report.json'), 'utf8'));
    expect(report.refused).toMatchObject([{ files: 1, message: expect.stringMatching(/concatenation/) }]);
  });
});
