/** Many scans into one folder: what is bad is refused alone, what is done is not done again, also after kill -9. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeProgram, start } from '../../test/promises/support.js';
import { niftiBytes } from '../deidentify/testing/fixtures.js';
import { headGrid, syntheticHead } from '../volume/testing/synthetic-head.js';
import { type Ran, runFake } from './testing/run-fake.js';

const grid = headGrid({ spacing: [8, 8, 8] });
const head = syntheticHead({ grid });
let dir = '';
const at = (...names: string[]): string => path.join(dir, ...names);
const scans = ['a.nii', 'b.nii.gz', 'bad.nii', 'c.nii'];

beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'deid-many-'));
  await mkdir(at('in'));
  for (const name of scans)
    await writeFile(at('in', name), niftiBytes({ grid, volumes: [head.volume.data] }));
  await writeFile(at('in', 'bad.nii'), 'junk');
  await writeFile(at('brain.bin'), head.brainMask.data);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const run = (args: readonly string[]): Promise<Ran> => runFake(head.brainMask.data, ['deid', ...args]);
const inputs = (): string[] => scans.map((name) => at('in', name));
const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** The program with a fake method and a brain that it is given; `before` may do something to the process that is asked for it. */
async function entryOf(folder: string, before = '() => undefined'): Promise<string> {
  const program = await fakeProgram(folder, 300);
  const entry = path.join(folder, 'many.mjs');
  const { href } = pathToFileURL(at('brain.bin'));
  const source = (await readFile(program, 'utf8')).replace(
    'makeHead: simpleHead',
    `makeHead: simpleHead, extractBrain: async ({ grid, data }) => {
  const { readFileSync } = await import('node:fs');
  (${before})(readFileSync, grid, data);
  return { mask: { grid, data: new Uint8Array(readFileSync(new URL('${href}'))) } };
}`,
  );
  await writeFile(entry, source);
  return entry;
}

describe('prosopon deid IN... --out-dir', { timeout: 240_000 }, () => {
  it('treats what can be treated, says what was refused and why, and goes on where it was', async () => {
    const args = [...inputs(), '--out-dir', at('out'), '--seed', '5'];
    const first = await run([...args, '--json']);
    expect(first.code).toBe(1);
    expect(first.err).toContain('1 of 4 scans refused, 0 failed');
    const said = lines(first.out);
    expect(said).toHaveLength(5);
    expect(said.map(({ input, status }) => [input, status])).toEqual([
      ...scans.map((name) => [name, name === 'bad.nii' ? 'refused' : 'done']),
      [undefined, 'refused'],
    ]);
    expect(said[2]).toMatchObject({ reason: 'not-an-image', message: expect.stringContaining('expected') });
    expect(said[0]).toMatchObject({
      method: 'fake',
      seedGiven: true,
      checks: { faceGone: { passed: true } },
    });
    expect(said[4]).toMatchObject({ summary: { done: 3, refused: 1, failed: 0 }, reason: 'some-refused' });
    expect((await readdir(at('out'))).sort()).toEqual([
      '.prosopon-state.jsonl',
      'a.nii',
      'b.nii.gz',
      'c.nii',
    ]);
    expect((await stat(at('out', '.prosopon-state.jsonl'))).mode & 0o777).toBe(0o600);
    // The same bytes as one scan at a time, and no path of an input in what is kept.
    expect((await run([at('in', 'a.nii'), at('single.nii'), '--seed', '5'])).code).toBe(0);
    const treated = await readFile(at('out', 'a.nii'));
    expect(Buffer.compare(treated, await readFile(at('single.nii')))).toBe(0);
    expect(await readFile(at('out', '.prosopon-state.jsonl'), 'utf8')).not.toContain(dir);
    expect(said[0]?.outputs).toEqual([at('out', 'a.nii')]);

    await rm(at('out', 'c.nii'));
    const before = (await stat(at('out', 'a.nii'))).mtimeMs;
    const second = await run(args);
    expect(second.code).toBe(1);
    expect(second.out).toMatch(
      /^done {5}a\.nii\n.*\nrefused {2}bad\.nii +not-an-image: .*\n.*\n3 done, 1 refused/,
    );
    expect((await stat(at('out', 'a.nii'))).mtimeMs).toBe(before);
    expect((await readdir(at('out'))).sort()).toContain('c.nii');
    // Another seed is another result, and somebody's file is in its place.
    const other = await run([at('in', 'a.nii'), '--out-dir', at('out'), '--seed', '6', '--json']);
    expect(lines(other.out)[0]).toMatchObject({ status: 'refused', reason: 'output-exists' });
    expect(Buffer.compare(await readFile(at('out', 'a.nii')), treated)).toBe(0);
  });

  it('writes a page beside each result, with it or not at all, and says so', async () => {
    const args = [...inputs(), '--out-dir', at('paged'), '--seed', '5', '--json', '--qc'];
    const first = await run(args);
    expect(first.code).toBe(1);
    const said = lines(first.out);
    const both = (name: string): string[] => [at('paged', name), at('paged', `${name}.html`)];
    const good = scans.filter((name) => name !== 'bad.nii');
    expect(said.slice(0, -1).map(({ outputs }) => outputs)).toEqual(
      scans.map((name) => (name === 'bad.nii' ? undefined : both(name))),
    );
    expect(new Set(said.at(-1)?.outputs as string[])).toEqual(new Set(good.flatMap(both)));
    const results = ['a.nii', 'b.nii.gz', 'c.nii'].flatMap((name) => [name, `${name}.html`]);
    expect((await readdir(at('paged'))).sort()).toEqual(['.prosopon-state.jsonl', ...results]);
    const page = await readFile(at('paged', 'b.nii.gz.html'), 'utf8');
    expect(page).toContain('All checks passed.');
    for (const secret of ['b.nii', dir, 'ORIGINAL']) expect(page).not.toContain(secret);

    // A page that stands in the way: no result without it, and what stands there is left alone.
    await rm(at('paged', 'a.nii'));
    await writeFile(at('paged', 'a.nii.html'), 'mine');
    const second = await run(args.filter((arg) => arg !== '--json'));
    expect(second.out).toMatch(/^refused {2}a\.nii +output-exists: /);
    expect(second.out).toContain('the page of each beside it (NAME.html)');
    expect(await readdir(at('paged'))).not.toContain('a.nii');
    expect(await readFile(at('paged', 'a.nii.html'), 'utf8')).toBe('mine');

    // The original is shown only when it is asked for, and then to its owner alone.
    const shown = await run([at('in', 'a.nii'), '--out-dir', at('shown'), '--qc', '--qc-with-original']);
    expect(shown.code).toBe(0);
    expect(await readFile(at('shown', 'a.nii.html'), 'utf8')).toContain('ORIGINAL');
    expect((await stat(at('shown', 'a.nii.html'))).mode & 0o777).toBe(0o600);
  });

  it('refuses at once what cannot be meant', async () => {
    await mkdir(at('in2'));
    await writeFile(at('in2', 'A.nii'), 'x');
    const wrong = async (...args: string[]): Promise<number> => (await run(args)).code;
    expect(await wrong(at('in', 'a.nii'))).toBe(2);
    expect(await wrong(...inputs())).toBe(2);
    expect(await wrong(...inputs(), '--out-dir', at('in'))).toBe(2);
    expect(await run([at('in'), '--out-dir', at('of-a-folder')])).toMatchObject({
      code: 2,
      err: 'prosopon: expected images with --out-dir, found a folder; name what is in it (DIR/*.nii.gz)\n',
    });
    expect(await readdir(at())).not.toContain('of-a-folder');
    expect(await wrong(...inputs(), at('in2', 'A.nii'), '--out-dir', at('o'))).toBe(2);
    expect(await wrong(...inputs(), '--out-dir', at('o'), '--qc', at('q.html'))).toBe(2);
    expect(await wrong('--qc', ...inputs(), '--out-dir', at('o'))).toBe(2);
    expect(await wrong(...inputs(), '--out-dir', at('o'), '--qc-with-original')).toBe(2);
    expect(await wrong(at('in', 'a.nii'), at('o.nii'), '--qc')).toBe(2);
    expect(await wrong(...inputs(), '--out-dir', at('o'), '--brain-mask', at('m.nii'))).toBe(2);
  });

  it('tries a scan whose worker was killed once more, alone, and refuses it; the others are done; one run at a time', async () => {
    const folder = at('killing');
    const entry = await entryOf(
      folder,
      `(readFileSync, grid, data) => { if (data[0] === 77) process.kill(process.pid, 'SIGKILL'); }`,
    );
    await mkdir(at('in3'));
    const marked = Float32Array.from(head.volume.data);
    marked[0] = 77;
    for (const name of ['1.nii', '2.nii', '3.nii'])
      await writeFile(
        at('in3', name),
        niftiBytes({ grid, volumes: [name === '1.nii' ? marked : head.volume.data] }),
      );
    const args = ['1.nii', '2.nii', '3.nii'].map((name) => at('in3', name));
    const command = [entry, 'deid', ...args, '--out-dir', at('out3'), '--jobs', '2', '--json'];
    const first = start(process.execPath, command);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const second = await start(process.execPath, command).done;
    expect(JSON.parse(second.out)).toMatchObject({ status: 'refused', reason: 'output-in-use' });
    const { code, out } = await first.done;
    expect(code).toBe(1);
    const said = lines(out);
    expect(said.find(({ input }) => input === '1.nii')).toMatchObject({ reason: 'out-of-memory' });
    expect(said.at(-1)).toMatchObject({ summary: { done: 2, refused: 1, failed: 0 } });
    expect((await readdir(at('out3'))).sort()).toEqual(['.prosopon-state.jsonl', '2.nii', '3.nii']);
  });

  it('survives kill -9 of the whole run and of its workers, and ends with the bytes of an undisturbed one', async () => {
    const entry = await entryOf(at('program'));
    const good = inputs().filter((name) => !name.includes('bad'));
    const args = (out: string): string[] => [
      ...[entry, 'deid', ...good, '--out-dir', out, '--seed', '5', '--jobs', '2', '--json'],
    ];
    const calm = await start(process.execPath, args(at('calm'))).done;
    expect([calm.code, calm.err]).toEqual([0, expect.stringContaining('3 of 3')]);
    for (let i = 0, ended = false; i < 12 && !ended; i++) {
      const { child, done } = start(process.execPath, args(at('kill')));
      const late = setTimeout(() => child.kill('SIGKILL'), 2500 + 1500 * i);
      const { code, signal } = await done;
      clearTimeout(late);
      ended = code === 0;
      if (!ended) expect(signal).toBe('SIGKILL');
      // Its workers see that it is gone, and are over soon.
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    for (const name of ['a.nii', 'b.nii.gz', 'c.nii'])
      expect(Buffer.compare(await readFile(at('kill', name)), await readFile(at('calm', name)))).toBe(0);
    expect((await readdir(at('kill'))).sort()).toEqual([
      '.prosopon-state.jsonl',
      'a.nii',
      'b.nii.gz',
      'c.nii',
    ]);
  });
});
