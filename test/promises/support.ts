/**
 * What the promise tests share: the methods and heads that they run over, and the command as a process of its own.
 *
 * Methods: a small fake that needs no network, and every registered method whose networks are installed. Heads: the
 * synthetic one, and real ones where the data is (PROSOPON_DATA, or ../shared/data beside the repository).
 *
 * @example
 * describe.each(await methodsUnderTest())('$name', ({ method, services }) => { ... });
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { makeHead } from '../../src/brain/head.js';
import { maskFromLabels } from '../../src/brain/reference-mask.js';
import { type DeidentifyServices, deidentify } from '../../src/deidentify/pipeline.js';
import { parseSeed } from '../../src/deidentify/seed.js';
import { fakeServices, niftiBytes } from '../../src/deidentify/testing/fixtures.js';
import { decodeImage, type StoredImage, scaledData } from '../../src/formats/stored-image.js';
import { createMethods, type Method } from '../../src/methods/registry.js';
import { fakeMethod } from '../../src/methods/testing/fake-method.js';
import { nodeGzip } from '../../src/node/gzip.js';
import { loadImage } from '../../src/node/image-files.js';
import { listModels } from '../../src/node/networks/node-models.js';
import { NodeNetworkRunner } from '../../src/node/networks/node-runner.js';
import { headGrid, syntheticHead } from '../../src/volume/testing/synthetic-head.js';
import type { Grid } from '../../src/volume/volume.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface MethodUnderTest {
  readonly name: string;
  readonly method: Method;
  readonly services: Required<Omit<DeidentifyServices, 'signal' | 'onStage'>>;
}

/** Those that draw a face: P1 and a seed mean nothing to a method that removes. */
export async function remodellersUnderTest(): Promise<MethodUnderTest[]> {
  return (await methodsUnderTest()).filter(({ method }) => method.kind === 'remodel');
}

/** The fake, and whatever is registered and can be run here. */
export async function methodsUnderTest(): Promise<MethodUnderTest[]> {
  const installed = await listModels();
  const found: MethodUnderTest[] = [{ name: 'fake', method: fakeMethod(), services: fakeServices(nodeGzip) }];
  for (const method of createMethods().all) {
    const missing = method.models.filter((model) => !installed.includes(model));
    if (missing.length > 0) {
      console.warn(`promise tests skip ${method.name}: models not installed: ${missing.join(', ')}`);
      continue;
    }
    const services = { ...fakeServices(nodeGzip), makeHead, networks: new NodeNetworkRunner({ threads: 1 }) };
    found.push({ name: method.name, method, services });
  }
  return found;
}

export interface HeadUnderTest {
  readonly name: string;
  readonly grid: Grid;
  readonly values: Float32Array;
  readonly brain: Uint8Array;
  /** Voxels of another head on the same grid. */
  readonly other: Float32Array;
}

/** @param spacing of the synthetic head, mm */
export async function headsUnderTest(spacing = 6): Promise<HeadUnderTest[]> {
  const grid = headGrid({ spacing: [spacing, spacing, spacing], turn: [0.1, -0.05, 0.15] });
  const { volume, brainMask } = syntheticHead({ grid });
  const other = syntheticHead({ grid, variant: 2 }).volume.data;
  const heads: HeadUnderTest[] = [
    { name: 'synthetic', grid, values: volume.data, brain: brainMask.data, other },
  ];
  const real = await realHead();
  if (real !== undefined) heads.push(real);
  return heads;
}

async function realHead(): Promise<HeadUnderTest | undefined> {
  const data = process.env.PROSOPON_DATA ?? path.join(ROOT, '..', 'shared', 'data');
  const ixi = path.join(data, 'ixi');
  if (!existsSync(ixi)) {
    console.warn('promise tests skip the real head: no data at PROSOPON_DATA or ../shared/data');
    return undefined;
  }
  const subjects = (await readdir(ixi)).filter((name) => name.startsWith('sub-')).sort();
  const [first = '', second = ''] = subjects;
  const anat = (subject: string): string => path.join(ixi, subject, 'anat', `${subject}_T1w.nii.gz`);
  const image = await loadImage(anat(first));
  const labelFolder = path.join(ixi, 'derivatives', 'dlmuse', first, 'anat');
  const [labelFile = ''] = (await readdir(labelFolder)).filter((name) => name.endsWith('.nii.gz'));
  const labels = await loadImage(path.join(labelFolder, labelFile));
  const mask = maskFromLabels({ grid: labels.grid, data: scaledData(labels, 0) });
  const values = scaledData(image, 0);
  const foreign = scaledData(await loadImage(anat(second)), 0);
  return {
    name: 'real',
    grid: image.grid,
    values,
    brain: mask.data,
    other: Float32Array.from(values, (_, o) => foreign[o % foreign.length] as number),
  };
}

/** Decodes a NIfTI made of values on the head's grid. */
export function imageOf(head: HeadUnderTest, values: Float32Array = head.values): Promise<StoredImage> {
  return decodeImage({ name: 'a.nii', bytes: niftiBytes({ grid: head.grid, volumes: [values] }) }, nodeGzip);
}

export function maskOf(head: HeadUnderTest, brain: Uint8Array = head.brain): Promise<StoredImage> {
  const bytes = niftiBytes({ grid: head.grid, volumes: [Float32Array.from(brain)], datatype: 'uint8' });
  return decodeImage({ name: 'm.nii', bytes }, nodeGzip, { allowConstant: true });
}

/** Bytes of the result, or the refusal as text: what the outside world learns. */
export async function outcomeFor(
  { method, services }: MethodUnderTest,
  image: StoredImage,
  brainMask: StoredImage,
  seed: string | null = 'promise',
  trustMask = false,
): Promise<Uint8Array | string> {
  try {
    const done = await deidentify(
      { image, brainMask, outputName: 'out.nii' },
      { method, resolution: 128, trustMask, ...(seed === null ? {} : { seed: parseSeed(seed) }) },
      services,
    );
    return done.images[0].files[0].bytes;
  } catch (error) {
    if (error instanceof Error && 'tag' in error) return `${String(error.tag)}: ${error.message}`;
    throw error;
  }
}

/**
 * Compiles the program if need be and writes, into `folder`, an entry that runs it with the fake method.
 * @returns its path
 */
export async function fakeProgram(folder: string, waitMs = 0): Promise<string> {
  const { build } = await import(new URL('../../scripts/build.mjs', import.meta.url).href);
  build({ ifStale: true });
  const dist = new URL('../../dist/', import.meta.url).href;
  for (const file of ['methods/testing/fake-method', 'deidentify/testing/fixtures']) {
    const source = await readFile(path.join(ROOT, 'src', `${file}.ts`), 'utf8');
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    const absolute = outputText.replaceAll("from '../../", `from '${dist}`);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, `${path.basename(file)}.mjs`), absolute);
  }
  const entry = path.join(folder, 'fake-cli.mjs');
  await writeFile(
    entry,
    `import { fakeMethod } from './fake-method.mjs';
import { simpleHead } from './fixtures.mjs';
import { MethodRegistry } from '${dist}methods/registry.js';
import { runMain } from '${dist}cli/run-main.js';
await runMain({ methods: new MethodRegistry().register(fakeMethod({ waitMs: ${waitMs} })), makeHead: simpleHead });
`,
  );
  return entry;
}

export interface Finished {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Starts a command; `done` settles when it has ended. */
export function start(
  command: string,
  args: readonly string[],
  options: { uid?: number; gid?: number } = {},
): { child: ChildProcess; done: Promise<Finished> } {
  const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const done = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, out, err }));
  });
  return { child, done };
}
