/**
 * The inference process: the only place where ONNX Runtime is loaded. Started by node-runner.ts, spoken to in
 * frames over file descriptor 3, one request at a time; it may be killed at any moment and holds no files.
 *
 * It ends itself when the program that started it is gone, even in the middle of a run: `run` blocks this
 * thread, so a second thread watches the parent.
 *
 * @example
 * spawn(process.execPath, ['network-child.js'], { stdio: ['ignore', 'ignore', 'pipe', 'overlapped'] });
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { InferenceSession } from 'onnxruntime-common';
import { Refusal } from '../../errors/errors.js';
import { fromOrt, toOrt } from '../../networks/ort-tensors.js';
import type { Tensor } from '../../networks/runner.js';
import { wireError } from '../../networks/wire-errors.js';
import { type Frame, FrameReader, sendFrame } from './messages.js';
import { wrongHash } from './node-models.js';
import { loadOnnxRuntime } from './onnxruntime.js';

/** What a request's head holds. */
export interface Request {
  readonly kind: 'run' | 'load' | 'release';
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
  readonly threads: number;
  readonly device: 'cpu' | 'webgpu';
  /** Keep memory from run to run: for networks that are asked many times for a little. */
  readonly arena: boolean;
}

const { InferenceSession: Session, Tensor: OrtTensor } = loadOnnxRuntime();
const sessions = new Map<string, InferenceSession>();

async function sessionFor(request: Request): Promise<InferenceSession> {
  const { name, file, sha256 } = request;
  const cached = sessions.get(name);
  if (cached !== undefined) return cached;
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new Refusal('model-unavailable', `the weights of the model ${name} cannot be read`, { cause });
  }
  // The bytes that are hashed are the bytes that are run: the file is not opened a second time.
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== sha256) throw wrongHash(name, sha256, found);
  const session = await create(bytes, {
    executionProviders: request.device === 'webgpu' ? ['webgpu', 'cpu'] : ['cpu'],
    intraOpNumThreads: request.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // The arena keeps what one run needed for ever: two convolutions at 144^3 peaked at 406 MB and held 378 MB
    // with it, 307 and 179 MB without, in the same time. The slabs of texture take a third less time with it.
    enableCpuMemArena: request.arena,
    logSeverityLevel: 3,
    webgpu: request.device === 'webgpu',
  });
  sessions.set(name, session);
  return session;
}

async function create(
  bytes: Uint8Array,
  options: InferenceSession.SessionOptions & { readonly webgpu: boolean },
): Promise<InferenceSession> {
  const { webgpu, ...settings } = options;
  try {
    return await Session.create(bytes, settings);
  } catch (cause) {
    if (!webgpu || !/adapter|webgpu|dawn|vulkan/i.test(String(cause))) throw cause;
    throw new Refusal(
      'device-unavailable',
      'expected a GPU that WebGPU can use (--device webgpu), found none; --device cpu needs none',
      { cause },
    );
  }
}

async function run(request: Request, tensors: Frame['tensors']): Promise<Frame> {
  const loading = performance.now();
  const session = await sessionFor(request);
  const running = performance.now();
  const feeds = toOrt(session, tensors, OrtTensor);
  const results = await session.run(feeds);
  const outputs: Record<string, Tensor> = {};
  for (const name of session.outputNames) outputs[name] = fromOrt(name, results[name]);
  const ended = performance.now();
  return {
    head: { loadSeconds: (running - loading) / 1000, runSeconds: (ended - running) / 1000 },
    tensors: outputs,
  };
}

async function release(name: string): Promise<Frame> {
  const session = sessions.get(name);
  sessions.delete(name);
  await session?.release();
  return { head: {}, tensors: {} };
}

/** Of a wish to load nothing is told: what fails fails again, with words, when the network is run. */
async function answer(frame: Frame): Promise<Frame | undefined> {
  const request = frame.head as unknown as Request;
  if (request.kind === 'load')
    return sessionFor(request).then(
      () => undefined,
      () => undefined,
    );
  try {
    if (request.kind === 'release') return await release(request.name);
    return await run(request, frame.tensors);
  } catch (error) {
    return { head: { error: wireError(error) }, tensors: {} };
  }
}

/** Kills this process within a quarter of a second of its parent's end. */
const WATCH_PARENT = `
  const parent = process.ppid;
  setInterval(() => {
    let gone = process.ppid !== parent;
    try { process.kill(parent, 0); } catch (error) { gone = gone || error.code === 'ESRCH'; }
    if (gone) process.kill(process.pid, 'SIGKILL');
  }, 250);
`;
new Worker(WATCH_PARENT, { eval: true }).unref();

// Ctrl-C reaches the whole group: the parent decides when this process ends, and how that is reported.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

const pipe = new Socket({ fd: 3, readable: true, writable: true });
// One after the other, in the order they came.
let turn: Promise<void> = Promise.resolve();
const reader = new FrameReader((frame) => {
  turn = turn.then(async () => {
    const reply = await answer(frame);
    if (reply === undefined) return;
    const peakMemoryMb = process.resourceUsage().maxRSS / 1024;
    sendFrame(pipe, { ...reply, head: { ...reply.head, peakMemoryMb } });
  });
});
pipe.on('data', (chunk) => reader.push(chunk));
pipe.on('end', () => process.exit(0));
pipe.on('error', () => process.exit(0));
