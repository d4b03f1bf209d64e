/**
 * A study answered by keyboard in a real browser: Debian's Chromium, driven by playwright-core, which brings none of
 * its own. Skipped, with a message, where no Chromium is on the PATH (`apt-get install chromium`).
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../../../src/cli/program.js';
import type { StudyKey } from '../study/key.js';
import { fakeRenderings } from '../study/testing/fake-renderings.js';
import { createRuler } from './ruler.js';

const executablePath = (process.env.PATH ?? '')
  .split(path.delimiter)
  .flatMap((folder) =>
    ['chromium', 'chromium-browser', 'google-chrome'].map((name) => path.join(folder, name)),
  )
  .find(existsSync);
if (executablePath === undefined)
  process.stderr.write(
    'study page: no Chromium on the PATH (apt-get install chromium); its test is skipped\n',
  );

const QUESTIONS = 10;
let dir = '';
let browser: Browser;
let context: BrowserContext;
let page: Page;
let key: StudyKey;
let complaints: string[];
const at = (...names: string[]): string => path.join(dir, ...names);

async function cli(...args: string[]): Promise<string> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    loadRuler: async () => createRuler(),
  });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return out;
}

/** Which question is on the screen, by its place in the key's order. */
async function questionShown(): Promise<StudyKey['questions'][number]> {
  const number = Number(/^Question (\d+) of 10$/.exec(await page.locator('#counter').innerText())?.[1]);
  const question = key.questions.find(({ id }) => id === key.pages[0]?.questions[number - 1]);
  if (question === undefined) throw new Error('no such question');
  return question;
}

describe.skipIf(executablePath === undefined)('the page of a study in Chromium', () => {
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'study-page-'));
    const { queries, methods } = fakeRenderings({ subjects: 7, methods: ['blur', 'cut'], size: 64 });
    for (const [name, pictures] of [['original', queries] as const, ...methods]) {
      await mkdir(at('renderings', name), { recursive: true });
      for (const [subject, png] of pictures) await writeFile(at('renderings', name, `${subject}.png`), png);
    }
    await cli('study', 'build', dir, at('study'), '--questions', String(QUESTIONS), '--seed', '5');
    key = JSON.parse(await readFile(at('study', 'key.json'), 'utf8')) as StudyKey;
    // The sandbox wants rights that a container's root does not have; the page is our own.
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    complaints = [];
    context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 800 } });
    page = await context.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('request', (request) => {
      if (!/^(file|data|blob):/.test(request.url())) complaints.push('a request to somewhere');
    });
    await page.goto(pathToFileURL(at('study', 'pages', 'worker-01.html')).href);
  });
  afterEach(async () => {
    await context.close();
    // No script error, no violation of the page's own content policy, no request.
    expect(complaints).toEqual([]);
  });

  it('is answered by keyboard, survives a reload, and saves what score reads', async () => {
    const given = new Map<string, string>();
    const answer = async (press: string): Promise<void> => {
      given.set((await questionShown()).id, press);
      await page.keyboard.press(press);
    };
    await page.keyboard.press('3'); // not begun: nothing to answer
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    for (const press of ['1', '2', 'u']) await answer(press);

    await page.keyboard.press('b');
    expect(await page.locator('#uncertain').getAttribute('aria-pressed')).toBe('true');
    await answer('4');
    expect(await page.locator('#counter').innerText()).toBe('Question 4 of 10');

    await page.reload();
    expect(await page.locator('#counter').innerText()).toBe('Question 4 of 10');
    await page.keyboard.press('b');
    expect(await page.locator('#candidates button').nth(3).getAttribute('aria-pressed')).toBe('true');
    await answer('4');

    // From here on always right, and the last by Tab and Enter alone.
    for (let n = 4; n < QUESTIONS; n++) await answer(String((await questionShown()).answer));
    const last = await questionShown();
    for (let k = 0; k < last.answer; k++) await page.keyboard.press('Tab');
    given.set(last.id, String(last.answer));
    await page.keyboard.press('Enter');
    expect(await page.locator('#summary').innerText()).toContain('You answered 10 of 10 questions');

    await page.keyboard.press('Tab');
    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
    expect(download.suggestedFilename()).toMatch(/^answers-[0-9a-f]{8}-worker-01\.csv$/);
    await download.saveAs(at('answers.csv'));
    const lines = (await readFile(at('answers.csv'), 'utf8')).trim().split('\r\n').slice(1);
    expect(lines.map((line) => line.split(',').slice(0, 4))).toEqual(
      key.pages[0]?.questions.map((id) => [key.study, '1', id, given.get(id)]),
    );

    const report = JSON.parse(
      await cli('study', 'score', at('answers.csv'), '--key', at('study', 'key.json'), '--json'),
    );
    const right = key.questions.filter(({ id, answer: truth }) => given.get(id) === String(truth)).length;
    const found = report.results.methods as { right: number; answers: number }[];
    expect(found.reduce((sum, method) => sum + method.answers, 0)).toBe(QUESTIONS);
    expect(found.reduce((sum, method) => sum + method.right, 0)).toBe(right);
    expect(right).toBeGreaterThanOrEqual(7);
  });

  it('shows the pictures of the key, and tells the answer in no text or attribute', async () => {
    await page.getByRole('button', { name: 'Start: 10 questions' }).click();
    const question = await questionShown();
    const bytes = async (name: string, subject: string): Promise<string> =>
      (await readFile(at('renderings', name, `${subject}.png`))).toString('base64');
    const sources = await page
      .locator('main:not([hidden]) img')
      .evaluateAll((images) => images.map((image) => image.getAttribute('src')?.split(',')[1]));
    expect(sources).toEqual(
      await Promise.all([
        bytes('original', question.query),
        ...question.candidates.map((subject) => bytes(question.method, subject)),
      ]),
    );
    expect(await page.locator('#task').ariaSnapshot()).toMatchInlineSnapshot(`
      "- main:
        - heading "Question 1 of 10" [level=1]
        - progressbar "Questions answered"
        - figure "This person …":
          - text: This person …
          - img "Head of the person to find"
        - heading "… is which of these?" [level=2]
        - group "… is which of these?":
          - button "Head 1":
            - img "Head 1"
          - button "Head 2":
            - img "Head 2"
          - button "Head 3":
            - img "Head 3"
          - button "Head 4":
            - img "Head 4"
          - button "Head 5":
            - img "Head 5"
        - button "Back" [disabled]
        - button "I am uncertain""
    `);
    const source = (await page.content()).replace(/data:image\/png;base64,[^"]*/g, '');
    expect(source).not.toMatch(/secret|blur|"cut|"method|"answer"/);
  });

  it('answers once for a key held down, by click, and never scrolls sideways at 200 % zoom', async () => {
    // 200 % zoom of 1280 x 800.
    await page.setViewportSize({ width: 640, height: 400 });
    await page.getByRole('button', { name: /^Start/ }).click();
    await page.keyboard.down('2');
    await page.keyboard.down('2');
    await page.keyboard.down('2');
    await page.keyboard.up('2');
    expect(await page.locator('#counter').innerText()).toBe('Question 2 of 10');
    await page.getByRole('button', { name: 'Head 5' }).click();
    await page.getByRole('button', { name: 'I am uncertain' }).click();
    expect(await page.locator('#counter').innerText()).toBe('Question 4 of 10');
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow).toBe(0);
    // A candidate larger than the others would be chosen more often.
    const boxes = await page.locator('#candidates img').all();
    const widths = await Promise.all(boxes.map(async (box) => (await box.boundingBox())?.width));
    expect(Math.max(...widths.map(Number)) - Math.min(...widths.map(Number))).toBeLessThan(1);
  });

  it('deletes the answers when told twice', async () => {
    await page.getByRole('button', { name: /^Start/ }).click();
    for (let n = 0; n < QUESTIONS; n++) await page.keyboard.press('u');
    await page.getByRole('button', { name: 'Delete my answers' }).click();
    await page.reload();
    await page.getByRole('button', { name: 'Delete my answers' }).click();
    await page.getByRole('button', { name: 'Really delete?' }).click();
    await page.reload();
    expect(await page.getByRole('button', { name: /^Start/ }).isVisible()).toBe(true);
    expect(await page.evaluate('localStorage.length')).toBe(0);
  });
});
