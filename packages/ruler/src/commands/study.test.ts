import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../../../src/cli/program.js';
import type { StudyKey } from '../study/key.js';
import { fakeRenderings, subjectName } from '../study/testing/fake-renderings.js';
import { createRuler } from './ruler.js';

let dir = '';
const at = (...names: string[]): string => path.join(dir, ...names);
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'study-'));
  const { queries, methods } = fakeRenderings({ subjects: 6, methods: ['quickshear', 'cp-mae'], size: 16 });
  for (const [name, pictures] of [['original', queries] as const, ...methods]) {
    await mkdir(at('evaluation', 'renderings', name), { recursive: true });
    for (const [subject, png] of pictures)
      await writeFile(at('evaluation', 'renderings', name, `${subject}.png`), png);
  }
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(['study', ...args], {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    loadRuler: async () => createRuler(),
  });
  return { code, out, err };
}
const readKey = async (name = 'study'): Promise<StudyKey> =>
  JSON.parse(await readFile(at(name, 'key.json'), 'utf8')) as StudyKey;

/** What a worker would save who chooses by `choose`. */
async function answers(key: StudyKey, worker: number, choose: (q: StudyKey['questions'][number]) => string) {
  const asked = key.pages.find((page) => page.worker === worker)?.questions ?? [];
  const lines = key.questions
    .filter(({ id }) => asked.includes(id))
    .map((q) => `${key.study},${worker},${q.id},${choose(q)},1.5`);
  const file = at(`answers-${worker}.csv`);
  await writeFile(file, ['study,worker,question,answer,seconds', ...lines, ''].join('\r\n'));
  return file;
}

describe('prosopon study build', () => {
  it('writes a page for each worker and the key, and says what to do with them', async () => {
    const built = await run(
      'build',
      at('evaluation'),
      at('study'),
      '--workers',
      '3',
      '--questions',
      '8',
      '--seed',
      '1',
    );
    expect(built).toMatchObject({ code: 0, err: '' });
    expect(built.out).toContain('3 pages of 8 questions (24 different ones), 2 methods, 6 subjects');
    expect((await readdir(at('study'))).sort()).toEqual(['key.json', 'pages']);
    expect((await readdir(at('study', 'pages'))).sort()).toEqual(
      ['01', '02', '03'].map((worker) => `worker-${worker}.html`),
    );
  });

  it('reads a plan too, and makes the same study of it', async () => {
    await run('build', at('evaluation'), at('study'), '--seed', 'x', '--methods', 'cp-mae');
    const paths = (name: string) =>
      Object.fromEntries(
        Array.from({ length: 6 }, (_, p) => [
          subjectName(p),
          path.join('evaluation', 'renderings', name, `${subjectName(p)}.png`),
        ]),
      );
    await writeFile(
      at('plan.json'),
      JSON.stringify({ queries: paths('original'), methods: { 'cp-mae': paths('cp-mae') } }),
    );
    expect((await run('build', at('plan.json'), at('planned'), '--seed', 'x')).code).toBe(0);
    expect(await readFile(at('planned', 'key.json'))).toEqual(await readFile(at('study', 'key.json')));
  });

  it.each([
    [['--methods', 'other'], 1, 'expected renderings of other, found cp-mae, quickshear'],
    [['--workers', '2', '--answers-per-question', '4'], 2, 'found 2'],
    [['--questions', '0'], 2, 'whole number from 1'],
  ])('refuses %j and writes nothing', async (more, code, message) => {
    const built = await run('build', at('evaluation'), at('study'), ...more);
    expect(built.code).toBe(code);
    expect(built.err).toContain(message);
    expect(await readdir(dir)).toEqual(['evaluation']);
  });

  it('refuses a missing picture, no originals, a folder in use; names no subject', async () => {
    const refusal = async (from: string, message: string): Promise<void> => {
      const built = await run('build', from, at('study'));
      expect(built.code).toBe(1);
      expect(built.err).toContain(message);
      expect(built.err).not.toContain('secret');
    };
    await rm(at('evaluation', 'renderings', 'cp-mae', `${subjectName(2)}.png`));
    await refusal(at('evaluation'), 'of each of the 6 subjects by cp-mae, found 1 missing');
    await refusal(at('nothing'), 'cannot be read (ENOENT)');
    await refusal(at('evaluation', 'renderings', 'cp-mae'), 'expected a folder original/');
    await mkdir(at('study'));
    await writeFile(at('study', 'note.txt'), '');
    await refusal(at('evaluation'), 'new or empty output folder, found 1 entries');
    expect(await readdir(at('study'))).toEqual(['note.txt']);
  });
});

describe('prosopon study score', () => {
  beforeEach(async () => {
    await run('build', at('evaluation'), at('study'), '--workers', '2', '--questions', '12', '--seed', '1');
  });
  const key = (): string => at('study', 'key.json');

  it('finds what the answers say: quickshear always found, cp-mae never or uncertain', async () => {
    const choose = (q: StudyKey['questions'][number]): string =>
      q.method === 'quickshear' ? String(q.answer) : q.answer === 1 ? 'u' : '1';
    const read = await readKey();
    const files = [await answers(read, 1, choose), await answers(read, 2, choose)];
    const { code, out } = await run('score', ...files, '--key', key(), '--json');
    expect(code).toBe(0);
    const [cpMae, quickshear] = JSON.parse(out).results.methods;
    const unsure = read.questions.filter((q) => q.method === 'cp-mae' && q.answer === 1).length;
    expect(unsure).toBeGreaterThan(0);
    expect(quickshear).toMatchObject({ answers: 12, right: 12, guess: { value: 1, sd: 0 } });
    expect(cpMae).toMatchObject({ answers: 12, right: 0, uncertain: unsure, zero: { value: 0 } });
    expect(cpMae.guess.value).toBeCloseTo(unsure / 5 / 12, 12);

    const table = await run('score', ...files, '--key', key());
    expect(table.out).toMatch(/^quickshear +12 +6 +12 +0 +100\.0 /m);
    expect(table.out).toContain('24 answers of 2 of 2 workers');
  });

  it('takes the answers of some, says who is not through, and refuses what does not fit', async () => {
    const read = await readKey();
    const file = await answers(read, 2, () => 'u');
    const lines = (await readFile(file, 'utf8')).split('\r\n');
    await writeFile(file, lines.slice(0, 6).join('\n'));
    const { code, out } = await run('score', file, '--key', key());
    expect(code).toBe(0);
    expect(out).toContain('5 answers of 1 of 2 workers; not all questions answered by worker 2 (5 of 12)');

    expect((await run('score', file, file, '--key', key())).err).toContain('found 5 given twice');
    expect((await run('score', key(), '--key', key())).err).toContain('expected answers with the columns');
    expect((await run('score', file, '--key', file)).err).toContain('not JSON');
    expect((await run('score', file)).code).toBe(2);
    await run('build', at('evaluation'), at('second'), '--seed', '2');
    expect((await run('score', file, '--key', at('second', 'key.json'))).err).toContain('found 5 of another');
  });
});
