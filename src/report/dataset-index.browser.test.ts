/**
 * The page of a data set worked through in a real browser: Debian's Chromium, driven by playwright-core, which brings none of its
 * own. Skipped, with a message, where no Chromium is on the PATH (`apt-get install chromium`).
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ScanRecord } from '../bids/record.js';
import { parseTsv } from '../bids/tsv.js';
import { datasetIndexPage } from './dataset-index.js';
import { fakeRecords } from './testing/fake-records.js';

const executablePath = (process.env.PATH ?? '')
  .split(path.delimiter)
  .flatMap((folder) =>
    ['chromium', 'chromium-browser', 'google-chrome'].map((name) => path.join(folder, name)),
  )
  .find(existsSync);
if (executablePath === undefined)
  process.stderr.write(
    'page of a data set: no Chromium on the PATH (apt-get install chromium); its test is skipped\n',
  );

const EVIL = `sub-1/<script>alert(1)</script>"'\u2028</script><img src=x onerror=alert(1)>`;
const about = {
  title: 'Study',
  version: '1',
  method: 'cp-mae',
  layout: 'derivative',
  left: [],
  warnings: [],
};

let dir = '';
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];

async function open(records: readonly ScanRecord[], name = 'index.html'): Promise<void> {
  const file = path.join(dir, name);
  await writeFile(file, datasetIndexPage({ ...about, records }));
  await page.goto(pathToFileURL(file).href);
}
const rows = (): Locator => page.locator('#rows > tr:not(.details)');
const pathAt = (n: number): Promise<string> => rows().nth(n).locator('.path').first().innerText();
const column = (key: string): Locator => page.locator(`#scans th:has([data-column="${key}"])`);
const sort = (key: string): Promise<void> => column(key).getByRole('button').click();
const current = (): Promise<string> => page.locator('tr[aria-current] .path').first().innerText();
async function press(...keys: string[]): Promise<void> {
  for (const key of keys) await page.keyboard.press(key);
}
async function saved(): Promise<{ readonly name: string; readonly text: string }> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save decisions' }).click(),
  ]);
  const file = path.join(dir, 'saved.tsv');
  await download.saveAs(file);
  return { name: download.suggestedFilename(), text: await readFile(file, 'utf8') };
}

describe.skipIf(executablePath === undefined)('the page of a data set in Chromium', () => {
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'dataset-index-'));
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
    page.on('dialog', (dialog) => {
      complaints.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!/^(file|data|blob):/.test(request.url())) complaints.push('a request to somewhere');
    });
  });
  afterEach(async () => {
    await context.close();
    // No script error, no violation of the page's own content policy, no request.
    expect(complaints).toEqual([]);
  });

  it('sorts the worst first, by every column, by click and by keyboard', async () => {
    const records = fakeRecords(40);
    await open(records);
    expect(await pathAt(0)).toContain('sub-00008');
    expect(await pathAt(1)).toContain('sub-00004');
    expect(await column('place').getAttribute('aria-sort')).toBe('ascending');

    const by = (figure: 'faceKept' | 'surfaceMovedMm', sign: 1 | -1): string | undefined =>
      records
        .filter(({ figures }) => figures !== undefined)
        .sort((a, b) => sign * ((a.figures?.[figure] ?? 0) - (b.figures?.[figure] ?? 0)))[0]?.path;
    await sort('faceKept');
    expect(await column('faceKept').getAttribute('aria-sort')).toBe('descending');
    expect(await column('place').getAttribute('aria-sort')).toBe('none');
    const kept = records.find(({ path }) => path === by('faceKept', -1))?.figures?.faceKept ?? Number.NaN;
    expect(await rows().nth(0).locator('td').nth(5).innerText()).toBe((100 * kept).toFixed(1));
    // What has no figures stays at the end, whichever way it is sorted.
    await sort('faceKept');
    expect(await column('faceKept').getAttribute('aria-sort')).toBe('ascending');
    expect(await rows().nth(0).locator('td').nth(5).innerText()).toBe('0.0');
    expect(await rows().nth(39).innerText()).toMatch(/refused|failed/);

    await column('surfaceMovedMm').getByRole('button').focus();
    await press('Enter');
    expect(await pathAt(0)).toBe(by('surfaceMovedMm', 1));
    for (const key of [
      'path',
      'status',
      'checks',
      'seam',
      'maskAgreement',
      'brainMl',
      'seconds',
      'warnings',
      'decision',
    ]) {
      await sort(key);
      expect(await column(key).getAttribute('aria-sort'), key).not.toBe('none');
      expect(await rows().count()).toBe(40);
    }
    await sort('path');
    expect(await pathAt(0)).toContain('sub-00001');
  });

  it('filters by text, status, reason and decision', async () => {
    await open(fakeRecords(40));
    await press('/');
    await page.keyboard.type('SUB-0000 t1w');
    expect(await rows().count()).toBe(9);
    await press('Escape');
    expect(await current()).toContain('sub-00008');
    await page.getByRole('button', { name: 'refused 4' }).click();
    expect(await page.locator('#shown').innerText()).toBe('Showing 1 of 40');
    await page.getByRole('button', { name: 'Show the scans of brain-implausible' }).click();
    expect(await rows().count()).toBe(4);
    expect(await rows().nth(0).innerText()).toMatch(/expected a brain, found none\s+Try: Look at the image/);
    await press('r');
    await page.locator('#filter').fill('');
    await page.locator('#by-decision').selectOption('rejected');
    expect(await rows().count()).toBe(1);
    await page.locator('#filter').fill('nothing is called this');
    expect(await page.getByText('No scan is like that.').isVisible()).toBe(true);
  });

  it('is decided by keyboard, keeps it over a reload, and saves a table that can be loaded again', async () => {
    const evil: ScanRecord = { path: EVIL, key: '', status: 'done', message: EVIL, warnings: [EVIL] };
    await open([...fakeRecords(20), evil]);
    await press('j', 'j', 'ArrowDown', 'k');
    expect(await current()).toBe(await pathAt(1));
    const second = await current();
    await press('r', 'n');
    await page.keyboard.type('=1+1 j "odd" a/r?');
    await press('Enter', 'ArrowDown', 'a');
    const third = await current();
    expect(await page.locator('#decided').innerText()).toBe('1 accepted, 1 rejected, 19 open');
    await press('a');
    expect(await page.locator('#decided').innerText()).toBe('0 accepted, 1 rejected, 20 open');
    await press('a');
    await page.locator('#filter').fill('alert(1)');
    await press('Enter', 'a', 'd');
    expect(await page.locator('tr.details').innerText()).toContain(EVIL);

    await page.reload();
    expect(await page.locator('#decided').innerText()).toBe('2 accepted, 1 rejected, 18 open');
    const { name, text } = await saved();
    expect(name).toMatch(/^decisions-[0-9a-f]{8}\.tsv$/);
    const table = parseTsv(text);
    expect(table).toHaveLength(21);
    expect(table.filter(({ decision }) => decision !== 'n/a')).toEqual([
      ...[
        { path: second, status: 'refused', decision: 'reject', note: '\'=1+1 j "odd" a/r?' },
        { path: third, status: 'refused', decision: 'accept', note: 'n/a' },
      ].sort((a, b) => (a.path < b.path ? -1 : 1)),
      { path: EVIL.replace('\u2028', ' '), status: 'done', decision: 'accept', note: 'n/a' },
    ]);

    // On another computer, where the data set has one scan less.
    await page.evaluate('localStorage.clear()');
    await open(fakeRecords(20), 'other.html');
    expect(await page.locator('#decided').innerText()).toBe('0 accepted, 0 rejected, 20 open');
    await page
      .locator('#file')
      .setInputFiles({ name: 'd.tsv', mimeType: 'text/plain', buffer: Buffer.from(text) });
    await expect
      .poll(() => page.locator('#status').innerText())
      .toBe('2 rows taken; 1 of scans that are not here.');
    expect(await page.getByLabel(`Note on ${second}`).inputValue()).toBe('=1+1 j "odd" a/r?');
    expect(parseTsv((await saved()).text)).toEqual(table.slice(0, 20));
  });

  it('shows hostile text as text', async () => {
    await open([
      { path: EVIL, key: '', status: 'failed', reason: EVIL, message: EVIL, warnings: [EVIL], output: EVIL },
      { path: '__proto__', key: '', status: 'done', checks: { [EVIL]: { passed: false, value: EVIL } } },
    ]);
    await press('j', 'd', 'j', 'd');
    expect(await pathAt(0)).toBe(EVIL);
    expect(await page.locator('tr.details').nth(1).innerText()).toContain(`${EVIL}: FAILED (${EVIL})`);
    const strange = await page.evaluate(() =>
      [...document.querySelectorAll('*')]
        .flatMap((element) => [element.tagName, ...element.getAttributeNames()])
        .filter((name) => /^(IMG|A|IFRAME|OBJECT|on.*|src|href)$/.test(name)),
    );
    expect(strange).toEqual([]);
    expect(await page.locator('script').count()).toBe(2);
  });

  it('works without storage, and says that decisions have to be saved', async () => {
    await page.addInitScript(() => {
      Object.defineProperty(window, 'localStorage', {
        get: () => {
          throw new Error('not allowed');
        },
      });
    });
    await open(fakeRecords(4));
    await press('j', 'a');
    expect(await page.getByRole('alert').innerText()).toContain('save them as a table');
    expect(parseTsv((await saved()).text).filter(({ decision }) => decision === 'accept')).toHaveLength(1);
  });

  it('shows pictures where they are looked at, names its controls, and fits a narrow window', async () => {
    await open(fakeRecords(40));
    await rows().nth(10).scrollIntoViewIfNeeded();
    const image = rows().nth(10).locator('img').first();
    await expect.poll(() => image.evaluate((element: HTMLImageElement) => element.naturalWidth)).toBe(16);
    expect(await rows().nth(39).locator('img').first().getAttribute('src')).toBeNull();
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll('button, input, select, img')].filter(
        (element) =>
          !element.getAttribute('aria-label') &&
          !element.getAttribute('alt') &&
          !element.textContent &&
          !element.closest('label') &&
          element.id !== 'sort-way',
      ),
    );
    expect(nameless).toHaveLength(0);
    for (const width of [1280, 1000, 400, 320]) {
      await page.setViewportSize({ width, height: 800 });
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(overflow, String(width)).toBe(0);
    }
    await page.getByLabel('Sort by').selectOption('seam');
    await page.getByRole('button', { name: 'Descending' }).click();
    expect(await page.getByRole('button', { name: 'Ascending' }).isVisible()).toBe(true);
  });

  it('of 2,000 scans opens and sorts in seconds, and brings rows as they are scrolled to', async () => {
    await open(fakeRecords(2000));
    expect(await page.locator('#shown').innerText()).toBe('Showing 2000 of 2000');
    const seconds = await page.evaluate(() => {
      const started = performance.now();
      for (const key of ['seam', 'path', 'faceKept', 'place'])
        document.querySelector<HTMLButtonElement>(`[data-column="${key}"]`)?.click();
      return (performance.now() - started) / 1000;
    });
    // A guard against work that grows with the square of the scans, not a measure of speed.
    expect(seconds).toBeLessThan(20);
    expect(await rows().count()).toBeLessThan(200);
    for (let n = 0; n < 130; n++) await press('j');
    await expect.poll(() => rows().count()).toBeGreaterThan(130);
    expect(await current()).toBe(await pathAt(129));
    expect(await page.locator('tr[aria-current]').count()).toBe(1);
  });
});
