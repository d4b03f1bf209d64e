/**
 * The library from outside: README's examples as they stand there, on the demo head, in Node and in a module worker of
 * Chromium that has neither `process` nor `Buffer`.
 */
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Browser, chromium } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scaledData } from '../src/index.js';
import { loadImage } from '../src/node.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const demo = join(root, 'demo/head.nii.gz');
const executablePath = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(folder, name)))
  .find(existsSync);
if (executablePath === undefined)
  process.stderr.write(
    'doors: no Chromium on the PATH (apt-get install chromium); not tested in a browser\n',
  );

/** README's blocks of TypeScript in the section on the library. */
const [inNode = '', networks = '', treat = ''] = [
  ...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g),
].map(([, code]) => code);

let folder = '';
beforeAll(() => {
  // Inside the package, which is then found by its own name.
  folder = mkdtempSync(join(root, 'test/guard-'));
  copyFileSync(demo, join(folder, 'head.nii.gz'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('in Node', () => {
  it('the example of README treats a head, and the brain is the same to the bit', async () => {
    writeFileSync(join(folder, 'example.mjs'), inNode);
    const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: folder });
    expect(stdout).toContain('keptVoxelsIdentical');
    // Another look at both files, with a brain that was found again: every bit of it is the same.
    expect(stdout).toMatch(/brainIdentical: \{ passed: true, value: '\d{5,} voxels' \}/);
    expect(stdout).not.toContain('passed: false');
    const [before, after] = await Promise.all([loadImage(demo), loadImage(join(folder, 'new-head.nii.gz'))]);
    let differing = 0;
    for (let o = 0; o < before.stored.length; o++) if (before.stored[o] !== after.stored[o]) differing++;
    expect(differing).toBeGreaterThan(before.stored.length / 10);
    expect(scaledData(after, 0).every(Number.isFinite)).toBe(true);
  });
});

/** The worker that the page starts: what only Node has is not there. */
const WORKER = `
import { treat } from './treat.js';
import { decodeImage } from 'prosopon';
import { browserGzip } from 'prosopon/browser';
globalThis.addEventListener('message', async ({ data: { url, options } }) => {
  try {
    if (typeof process !== 'undefined' || typeof Buffer !== 'undefined') throw new Error('this is Node');
    const blob = await (await fetch(url)).blob();
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const before = (await decodeImage({ name: 'x', bytes }, browserGzip)).stored;
    if (options === undefined) return postMessage({ voxels: before.length, sum: before.reduce((a, b) => a + Number(b), 0) });
    const done = await treat(new File([blob], 'head.nii.gz'), options);
    const after = (await decodeImage(done.images[0].files[0], browserGzip)).stored;
    let [brain, exact, changed] = [0, 0, 0];
    done.brainMask.data.forEach((v, o) => {
      if (v === 1) { brain++; if (before[o] === after[o]) exact++; }
      else if (before[o] !== after[o]) changed++;
    });
    postMessage({ checks: done.checks, brain, exact, changed, name: done.images[0].files[0].name });
  } catch (error) {
    postMessage({ error: String(error?.stack ?? error) });
  }
});
`;
const PAGE = `<!doctype html><title>doors</title><script type="module">
window.ask = (data) => new Promise((resolve, reject) => {
  const worker = new Worker('/worker.js', { type: 'module' });
  worker.onmessage = ({ data }) => { resolve(data); worker.terminate(); };
  worker.onerror = (event) => reject(new Error(event.message));
  worker.postMessage(data);
});
window.ready = true;
</script>`;
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.html': 'text/html',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

describe.skipIf(executablePath === undefined)('in a module worker of Chromium', () => {
  let server: Server;
  let browser: Browser;
  let site = '';
  const ask = async (data: unknown): Promise<Record<string, unknown>> => {
    const page = await browser.newPage();
    try {
      await page.goto(site);
      await page.waitForFunction('window.ready');
      return await page.evaluate(
        (given) =>
          (globalThis as unknown as { ask(d: unknown): Promise<Record<string, unknown>> }).ask(given),
        data,
      );
    } finally {
      await page.close();
    }
  };

  beforeAll(async () => {
    const built = join(folder, 'site');
    mkdirSync(built);
    for (const [name, text] of Object.entries({ networks, treat, worker: WORKER }))
      writeFileSync(join(folder, `${name}.js`), text);
    const bundle = await rolldown({
      input: { worker: join(folder, 'worker.js'), networks: join(folder, 'networks.js') },
      platform: 'browser',
    });
    await bundle.write({
      dir: built,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
    });
    await bundle.close();
    writeFileSync(join(built, 'index.html'), PAGE);
    const raw = readFileSync(demo);
    writeFileSync(join(built, 'head.nii.gz'), raw);
    const plain = (await import('node:zlib')).gunzipSync(raw);
    const half = plain.length >> 1;
    const members = [
      gzipSync(plain.subarray(0, 100)),
      gzipSync(plain.subarray(100, half)),
      gzipSync(plain.subarray(half)),
    ];
    writeFileSync(join(built, 'members.nii.gz'), Buffer.concat(members));
    writeFileSync(join(built, 'padded.nii.gz'), Buffer.concat([raw, Buffer.alloc(700, 7)]));
    writeFileSync(join(built, 'zeros.nii.gz'), Buffer.concat([...members, Buffer.alloc(512)]));
    const folders: Readonly<Record<string, string>> = {
      models: join(root, 'models'),
      ort: join(root, 'node_modules/onnxruntime-web/dist'),
    };
    server = createServer((request, response) => {
      const path = (request.url ?? '/').split('?')[0] ?? '/';
      const [, first = '', ...rest] = path.split('/');
      const file =
        folders[first] === undefined
          ? join(built, path === '/' ? 'index.html' : path)
          : join(folders[first], ...rest);
      if (!existsSync(file)) return response.writeHead(404).end();
      response.writeHead(200, {
        'content-type': TYPES[extname(file).replace('.mjs', '.js')] ?? 'application/octet-stream',
      });
      response.end(readFileSync(file));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    site = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await chromium.launch({ executablePath: executablePath ?? '', args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await new Promise((resolve) => server?.close(resolve));
  });

  it.each(['quickshear', 'cp-mae'])('the example of README treats a head with %s', async (method) => {
    const options = { method, seed: 42, resolution: 128 };
    const found = await ask({ url: '/head.nii.gz', options });
    expect(found.error).toBeUndefined();
    const checks = Object.values(found.checks as Record<string, { passed: boolean }>);
    expect(checks.length).toBeGreaterThan(5);
    expect(checks.every(({ passed }) => passed)).toBe(true);
    expect(found.exact).toBe(found.brain);
    expect(found.brain).toBeGreaterThan(100_000);
    expect(found.changed).toBeGreaterThan(100_000);
    expect(found.name).toBe('head.nii.gz');
  });

  it('gzip of several members, and with bytes behind them, is read as in Node', async () => {
    const { stored } = await loadImage(demo);
    const expected = { voxels: stored.length, sum: (stored as Int16Array).reduce((a, b) => a + b, 0) };
    for (const name of ['head', 'members', 'padded', 'zeros'])
      expect(await ask({ url: `/${name}.nii.gz` })).toEqual(expected);
  });
});
