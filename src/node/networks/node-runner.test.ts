import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Failure, Refusal } from '../../errors/errors.js';
import type { Tensor } from '../../networks/runner.js';
import { listModels, readModel, verifyModel } from './node-models.js';
import { NodeNetworkRunner, type RunRecord } from './node-runner.js';

const models = fileURLToPath(new URL('../../networks/testing/models', import.meta.url));

/** Repeatable values in -1 to 1. */
function ramp(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 7919) % 2003) / 1001 - 1);
}

/** A run of about an hour: a matrix multiplied by itself a million times. */
const ENDLESS = {
  x: { data: ramp(512 * 512), shape: [512, 512] },
  steps: { data: Int32Array.of(1_000_000), shape: [] },
} satisfies Record<string, Tensor>;

/** Processes of this system that were started with that file as their program (Linux). */
async function processesRunning(file: string): Promise<number[]> {
  const found: number[] = [];
  for (const id of await readdir('/proc')) {
    if (!/^\d+$/.test(id)) continue;
    const status = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '');
    const command = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');
    const parent = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]);
    if (command.includes(file) && parent === process.pid) found.push(Number(id));
  }
  return found;
}

describe('a network in a process of its own', () => {
  const records: RunRecord[] = [];
  const runner = new NodeNetworkRunner({ models, onRun: (record) => records.push(record) });
  afterAll(() => runner.close());

  it('gives the right numbers, from a view into a larger buffer too', async () => {
    const all = Float32Array.of(9, 9, 1, -2, 0.5, 9);
    const { y } = await runner.run('affine-plus', { x: { data: all.subarray(2, 5), shape: [3] } });
    expect(y).toEqual({ data: Float32Array.of(3, -3, 2), shape: [3] });
  });

  it('says that there is no GPU where it was told to use one, and finds one where there is', async () => {
    const gpu = new NodeNetworkRunner({ models, device: 'webgpu' });
    const run = gpu.run('affine-plus', { x: { data: Float32Array.of(1), shape: [1] } });
    const found: unknown = await run.catch((error: unknown) => error);
    await gpu.close();
    if (found instanceof Refusal) {
      expect(found.tag).toBe('device-unavailable');
      expect(found.message).toMatch(/expected a GPU.*found none/);
    } else expect(found).toEqual({ y: { data: Float32Array.of(3), shape: [1] } });
  });

  it('carries int64, int32 and uint8', async () => {
    const out = await runner.run('every-type', {
      long: { data: Int32Array.of(-5, 2 ** 31 - 2), shape: [2] },
      int: { data: Int32Array.of(7, -8), shape: [2] },
      byte: { data: Uint8Array.of(0, 255), shape: [2] },
    });
    expect(out).toEqual({
      long_out: { data: Int32Array.of(-4, 2 ** 31 - 1), shape: [2] },
      int_out: { data: Int32Array.of(8, -7), shape: [2] },
      byte_out: { data: Uint8Array.of(0, 255), shape: [2] },
    });
  });

  it('does not let an int64 result wrap around', async () => {
    const one = { data: Int32Array.of(0), shape: [1] };
    const run = runner.run('every-type', {
      long: { data: Int32Array.of(2 ** 31 - 1), shape: [1] },
      int: one,
      byte: { data: Uint8Array.of(0), shape: [1] },
    });
    await expect(run).rejects.toMatchObject({ tag: 'network-failed' });
  });

  it('carries a 256^3 volume there and back', async () => {
    const data = ramp(256 ** 3);
    const { y } = await runner.run('affine-plus', { x: { data, shape: [data.length] } });
    const [first, last] = [data[0] as number, data[data.length - 1] as number];
    expect(y?.data.length).toBe(data.length);
    expect(y?.data[0]).toBe(Math.fround(2 * first + 1));
    expect(y?.data[data.length - 1]).toBe(Math.fround(Math.fround(2 * last) + 1));
    expect(runner.peakMemoryMb).toBeGreaterThan(128);
  });

  it('does runs in the order asked, and keeps sessions', async () => {
    records.length = 0;
    const x = { data: Float32Array.of(1), shape: [1] };
    await Promise.all([runner.run('affine-plus', { x }), runner.run('affine-plus', { x })]);
    await runner.release('affine-plus');
    await runner.release();
    const { y } = await runner.run('affine-plus', { x });
    expect(y?.data[0]).toBe(3);
    expect(records.map((record) => record.name)).toEqual(['affine-plus', 'affine-plus', 'affine-plus']);
  });

  it('says what is wrong with the feeds, and goes on', async () => {
    const x = { data: Float32Array.of(1, 2), shape: [2] };
    const wrong: Record<string, Tensor>[] = [
      { z: x },
      {},
      { x: { data: x.data, shape: [3] } },
      { x: { data: Int32Array.of(1), shape: [1] } },
      { x: { data: x.data, shape: [1, 2] } },
    ];
    for (const feeds of wrong) {
      await expect(runner.run('affine-plus', feeds)).rejects.toMatchObject({
        kind: 'failure',
        tag: 'network-failed',
      });
    }
    expect((await runner.run('affine-plus', { x })).y?.data).toEqual(Float32Array.of(3, 5));
  });
});

describe('threads', () => {
  it('1 and 2 give the same bytes', async () => {
    const feeds = { x: { data: ramp(40 ** 3), shape: [1, 1, 40, 40, 40] } };
    const results: Record<string, Tensor>[] = [];
    for (const threads of [1, 2]) {
      const runner = new NodeNetworkRunner({ models, threads });
      results.push(await runner.run('small-conv', feeds));
      await runner.close();
    }
    expect(results[0]?.y?.shape).toEqual([1, 4, 40, 40, 40]);
    expect(results[1]).toEqual(results[0]);
  });

  it('a number that cannot be one is refused', () => {
    for (const threads of [0, -1, 1.5, Number.NaN, 1e9]) {
      expect(() => new NodeNetworkRunner({ threads })).toThrow(Refusal);
    }
  });
});

describe('what leaves the machine', () => {
  it('nothing: the runtime keeps no log, no identifier and no queue of events', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'prosopon-quiet-'));
    const before = { TMPDIR: process.env.TMPDIR, HOME: process.env.HOME };
    Object.assign(process.env, { TMPDIR: folder, HOME: folder });
    const runner = new NodeNetworkRunner({ models });
    try {
      await runner.run('affine-plus', { x: { data: Float32Array.of(1, 2, 3), shape: [3] } });
      const [child] = await processesRunning('network-child.js');
      const environment = await readFile(`/proc/${child}/environ`, 'utf8');
      expect(environment.split('\0')).toContain('ORT_DISABLE_TELEMETRY=1');
      // With events on, ONNX Runtime 1.30 puts mat-debug-PID.log here as soon as it is loaded.
      expect(await readdir(folder)).toEqual([]);
    } finally {
      for (const [name, value] of Object.entries(before))
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      await runner.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('stopping', () => {
  it('an abort ends a run at once, its process too, and leaves the next run whole', async () => {
    const runner = new NodeNetworkRunner({ models });
    const controller = new AbortController();
    const endless = runner.run('endless', ENDLESS, controller.signal);
    const after = runner.run('affine-plus', { x: { data: Float32Array.of(4), shape: [1] } });
    setTimeout(() => controller.abort(), 700);
    await expect(endless).rejects.toMatchObject({ name: 'AbortError' });
    expect((await after).y?.data[0]).toBe(9);
    await runner.close();
    if (process.platform === 'linux') expect(await processesRunning('network-child.js')).toEqual([]);
  });

  it('a signal that is aborted already starts nothing', async () => {
    const runner = new NodeNetworkRunner({ models });
    await expect(runner.run('endless', ENDLESS, AbortSignal.abort())).rejects.toMatchObject({
      name: 'AbortError',
    });
    await runner.close();
  });

  it('close ends a run, and no more are taken', async () => {
    const runner = new NodeNetworkRunner({ models });
    const endless = runner.run('endless', ENDLESS);
    endless.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    await runner.close();
    await expect(endless).rejects.toMatchObject({ tag: 'network-failed' });
    await expect(runner.run('endless', ENDLESS)).rejects.toMatchObject({ tag: 'network-failed' });
  });

  it.runIf(process.platform === 'linux')('a process that dies is a failure, and is replaced', async () => {
    const runner = new NodeNetworkRunner({ models });
    const endless = runner.run('endless', ENDLESS);
    endless.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    for (const id of await processesRunning('network-child.js')) process.kill(id, 'SIGSEGV');
    await expect(endless).rejects.toThrow(/signal SIGSEGV/);
    expect(
      (await runner.run('affine-plus', { x: { data: Float32Array.of(4), shape: [1] } })).y?.data[0],
    ).toBe(9);
    await runner.close();
  });
});

describe('models that are not what they should be', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'prosopon-models-'));
    await cp(models, folder, { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function runIn(name: string): Promise<unknown> {
    const runner = new NodeNetworkRunner({ models: folder });
    try {
      return await runner.run(name, { x: { data: Float32Array.of(4), shape: [1] } });
    } finally {
      await runner.close();
    }
  }

  it('missing, or a path in place of a name: refused, and what is there is said', async () => {
    await expect(runIn('no-such-model')).rejects.toThrow(
      /expected the model no-such-model; installed are affine-plus/,
    );
    await expect(runIn('../models/affine-plus')).rejects.toMatchObject({
      kind: 'refusal',
      tag: 'model-unavailable',
    });
    expect(await listModels(join(folder, 'nowhere'))).toEqual([]);
  });

  it('a folder of something else (subjects, say): none of its names is told', async () => {
    const others = await mkdtemp(join(tmpdir(), 'prosopon-others-'));
    await mkdir(join(others, 'doe-jane'));
    await writeFile(join(others, 'doe-jane', 'scan.nii'), '');
    expect(await listModels(others)).toEqual([]);
    await expect(readModel('small-conv', others)).rejects.toThrow(
      /^expected the model small-conv; none is installed$/,
    );
    await expect(readModel('../doe-jane', others)).rejects.toThrow(
      /^expected the name of a model, found something else$/,
    );
    await rm(others, { recursive: true });
  });

  it('one byte changed: not run', async () => {
    const file = join(folder, 'affine-plus', 'model.onnx');
    const bytes = await readFile(file);
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
    await writeFile(file, bytes);
    await expect(runIn('affine-plus')).rejects.toMatchObject({ kind: 'failure', tag: 'model-corrupt' });
    await expect(verifyModel('affine-plus', folder)).rejects.toMatchObject({ tag: 'model-corrupt' });
    await rm(file);
    await expect(runIn('affine-plus')).rejects.toMatchObject({ kind: 'refusal', tag: 'model-unavailable' });
  });

  it('several folders: the first that has a model gives it', async () => {
    const empty = join(folder, 'nowhere');
    expect(await listModels([empty, folder, models])).toEqual(await listModels(models));
    await rm(join(folder, 'every-type'), { recursive: true });
    expect((await readModel('every-type', [folder, models])).name).toBe('every-type');
    await writeFile(join(folder, 'affine-plus', 'model.json'), '{}');
    await expect(verifyModel('affine-plus', [folder, models])).rejects.toMatchObject({
      tag: 'model-corrupt',
    });
    expect((await verifyModel('affine-plus', [empty, models, folder])).name).toBe('affine-plus');
    await expect(readModel('no-such', [empty, models])).rejects.toMatchObject({
      tag: 'model-unavailable',
      message: expect.stringContaining('affine-plus'),
    });
    const both = new NodeNetworkRunner({ models: [empty, models] });
    const { y } = await both.run('affine-plus', { x: { data: Float32Array.of(4), shape: [1] } });
    await both.close();
    expect(y?.data[0]).toBe(9);
  });

  it('a description that is not one: the field is named', async () => {
    const file = join(folder, 'small-conv', 'model.json');
    const good = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    await writeFile(file, JSON.stringify({ ...good, sha256: 'abc' }));
    await expect(readModel('small-conv', folder)).rejects.toThrow(/sha256/);
    await writeFile(file, JSON.stringify({ ...good, name: 'other' }));
    await expect(readModel('small-conv', folder)).rejects.toThrow(/describes other/);
    await writeFile(file, '{');
    await expect(readModel('small-conv', folder)).rejects.toBeInstanceOf(Failure);
  });

  it('those as made pass', async () => {
    for (const name of await listModels(models)) {
      expect((await verifyModel(name, models)).settings).toEqual({ answer: 42 });
    }
  });
});
