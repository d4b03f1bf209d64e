/** What a site asks for on the command line of `dicom`: what stays, and the private file that leads back. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text, uidText } from '../dicom/assemble.js';
import { type Extra, makeSlices } from '../dicom/testing/make-slices.js';
import { Values } from '../dicom/values.js';
import { walk } from '../dicom/walker.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import { type Ran, runFake } from './testing/run-fake.js';

const head = syntheticHead({ grid: headGrid({ spacing: [8, 8, 8] }) });
const nz = head.volume.grid.shape[2];
let dir = '';
const at = (...names: string[]): string => path.join(dir, ...names);
const run = (...args: readonly string[]): Promise<Ran> =>
  runFake(head.brainMask.data, ['dicom', '--quiet', ...args]);
const KEPT: readonly Extra[] = [
  ['00081010', 'SH', text('MR7')],
  ['00101010', 'AS', text('034Y')],
  ['00181000', 'LO', text('SERIAL-35162')],
];

async function put(folder: string, series = '7', extra: readonly Extra[] = []): Promise<string> {
  await mkdir(at(folder));
  const made = makeSlices(head.volume, { series, extra: [...KEPT, ...extra] });
  for (const [k, bytes] of made.entries()) await writeFile(at(folder, `IM${k}`), bytes);
  return at(folder);
}
async function resultsIn(folder: string): Promise<Values[]> {
  const names = (await readdir(at(folder), { recursive: true })).filter((name) => name.endsWith('.dcm'));
  return Promise.all(
    names.map(async (name) => new Values(walk(new Uint8Array(await readFile(at(folder, name)))))),
  );
}
interface MappingFile {
  readonly key: string;
  readonly patients: readonly {
    readonly patientId: string;
    readonly newPatientId: string;
    readonly daysBack?: number;
  }[];
  readonly uids: Readonly<Record<string, string>>;
}
const readMapping = async (name: string): Promise<MappingFile> =>
  JSON.parse(await readFile(at(name), 'utf8'));

beforeAll(async () => {
  dir = await realpath(await mkdtemp(path.join(tmpdir(), 'dicom-options-')));
  await put('in');
  await writeFile(at('key'), 'a key of a site that is long enough');
  await writeFile(at('other-key'), 'another key that is long enough');
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('options of prosopon dicom', () => {
  it('keep what they name, say so in the report, and let the rest go', async () => {
    const ends = async (out: string, ...args: string[]): Promise<readonly string[]> => {
      const { code, err } = await run(at('in'), at(out), ...args);
      expect([out, code, err]).toEqual([out, 0, '']);
      const [values] = await resultsIn(out);
      return [0x00081010, 0x00101010, 0x00181000].map((tag) => values?.text(tag) ?? '');
    };
    expect(await ends('plain')).toEqual(['', '', '']);
    expect(await ends('patient', '--retain-patient-characteristics')).toEqual(['', '034Y', '']);
    expect(await ends('device', '--retain-device')).toEqual(['MR7', '', 'SERIAL-35162']);
    expect(JSON.parse(await readFile(at('device', 'report.json'), 'utf8')).retained).toEqual([
      'device identity',
    ]);
    await ends('uids', '--retain-uids', '--dates=keep');
    const then = new Values(walk(new Uint8Array(await readFile(at('in', 'IM0')))));
    const study = new Set((await resultsIn('uids')).map((values) => values.text(0x0020000d)));
    expect(study).toEqual(new Set([then.text(0x0020000d)]));
    expect(new Set((await resultsIn('uids')).map((values) => values.text(0x00080020)))).toEqual(
      new Set([then.text(0x00080020)]),
    );
    // UIDs of some makers hold the serial number: that is no reason not to keep them.
    await put('of-maker', '7', [
      ['0020000d', 'UI', uidText('1.3.35162.7')],
      ['00181000', 'LO', text('35162')],
    ]);
    expect((await run(at('of-maker'), at('of-maker-out'), '--retain-uids')).code).toBe(0);
  });

  it('refuse a list of private elements that is none', async () => {
    await writeFile(at('list'), '0029,MAKER,10 DS');
    const { code, err } = await run(at('in'), at('listed'), `--keep-safe-private=${at('list')}`);
    expect([code, existsSync(at('listed'))]).toEqual([2, false]);
    expect(err).toMatch(/found another in line 1/);
  });
});

describe('a mapping file', () => {
  it('leads from every new UID, ID and date to the old, for its owner alone; a run with the same key adds to it', async () => {
    const asked = [`--key-file=${at('key')}`, `--mapping=${at('map.json')}`, '--dates=shift'];
    expect(await run(at('in'), at('first'), ...asked)).toMatchObject({ code: 0, err: '' });
    if (process.platform !== 'win32') expect((await stat(at('map.json'))).mode & 0o777).toBe(0o600);
    const mapping = await readMapping('map.json');
    const back = new Map(Object.entries(mapping.uids).map(([original, now]) => [now, original]));
    const results = await resultsIn('first');
    expect(results.length).toBe(nz);
    const originals = new Set<string | undefined>();
    for (const values of results) {
      for (const tag of [0x0020000d, 0x0020000e]) expect(back.has(values.text(tag))).toBe(true);
      originals.add(back.get(values.text(0x00080018)));
    }
    const input = await readdir(at('in'));
    const asRead = await Promise.all(
      input.map(async (name) => new Values(walk(new Uint8Array(await readFile(at('in', name)))))),
    );
    expect(originals).toEqual(new Set(asRead.map((values) => values.text(0x00080018))));
    const [then] = asRead;
    const [now] = results;
    const [person, ...others] = mapping.patients;
    expect(others).toEqual([]);
    expect(person?.patientId).toBe(then?.text(0x00100020));
    expect(person?.newPatientId).toBe(now?.text(0x00100020));
    const day = (said = ''): number => Date.parse(`${said.slice(0, 4)}-${said.slice(4, 6)}-${said.slice(6)}`);
    expect((day(then?.text(0x00080020)) - day(now?.text(0x00080020))) / 86_400_000).toBe(person?.daysBack);
    // Neither the report nor what is said holds any of it.
    expect(await readFile(at('first', 'report.json'), 'utf8')).not.toContain(person?.patientId);
    await put('second', '8');
    expect((await run(at('second'), at('second-out'), ...asked)).code).toBe(0);
    const more = await readMapping('map.json');
    expect(more.patients).toEqual(mapping.patients);
    expect(Object.keys(more.uids).length).toBeGreaterThan(Object.keys(mapping.uids).length);
    expect(more.uids).toMatchObject(mapping.uids);
  });

  it('is refused in the output, in the input, over another file, and for another key; nothing is written then', async () => {
    for (const place of [at('o1'), at('o1', 'map.json'), at('in', 'map.json')]) {
      const { code, err } = await run(at('in'), at('o1'), `--mapping=${place}`);
      expect([place, code, existsSync(at('o1'))]).toEqual([place, 2, false]);
      expect(err).toMatch(/apart from one another/);
    }
    await writeFile(at('somebody.json'), '{"what": "else"}');
    const over = await run(at('in'), at('o2'), `--mapping=${at('somebody.json')}`);
    expect([over.code, over.err]).toEqual([1, expect.stringContaining('found another file')]);
    expect(await readFile(at('somebody.json'), 'utf8')).toBe('{"what": "else"}');
    const first = [`--key-file=${at('key')}`, `--mapping=${at('of-key.json')}`];
    expect((await run(at('in'), at('o3'), ...first)).code).toBe(0);
    const other = await run(at('in'), at('o4'), `--key-file=${at('other-key')}`, first[1] as string);
    expect([other.code, other.err]).toEqual([
      1,
      expect.stringContaining('the same key, found one of another'),
    ]);
    expect([existsSync(at('o2')), existsSync(at('o4'))]).toEqual([false, false]);
    const nowhere = await run(at('in'), at('o5'), `--mapping=${at('no', 'such', 'map.json')}`);
    expect([nowhere.code, existsSync(at('o5'))]).toEqual([1, false]);
  });
});
