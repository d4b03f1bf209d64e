/**
 * Is there a face in a picture? Two detectors of `@vladmandic/face-api` (SSD-MobileNet, and the tiny one as a second
 * opinion), on the wasm backend of TensorFlow.js; the weights lie in the npm package, nothing is downloaded.
 * Prints one JSON object a line: {file, detected, score, box, tiny: {detected, score, box}, descriptor?}.
 *
 * @example
 * node detect.mjs [--descriptor] [--min-score 0.5] renders/ front.png
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { inflateSync } from 'node:zlib';

const require = createRequire(import.meta.url);

/** Reads the PNGs that Prosopon writes (8-bit grey or RGB, not interlaced, filters None, Sub and Up). */
function decodePng(bytes) {
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const channels = bytes[25] === 2 ? 3 : bytes[25] === 0 ? 1 : 0;
  if (bytes[24] !== 8 || channels === 0 || bytes[28] !== 0)
    throw new Error('expected an 8-bit grey or RGB PNG');
  const parts = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at))
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const data = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    if (filter > 2) throw new Error(`expected PNG filters 0 to 2, found ${filter}`);
    for (let i = 0; i < stride; i++) {
      const before =
        filter === 1 && i >= channels
          ? data[y * stride + i - channels]
          : filter === 2 && y > 0
            ? data[(y - 1) * stride + i]
            : 0;
      data[y * stride + i] = raw[y * (stride + 1) + 1 + i] + before;
    }
  }
  const rgb = new Int32Array(width * height * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = channels === 3 ? data[i] : data[Math.floor(i / 3)];
  return { width, height, rgb };
}

/** The wasm backend must be registered, and its files found, before face-api is loaded. */
async function loadFaceApi() {
  const log = console.log;
  // TensorFlow.js greets on stdout, which is ours.
  console.log = (...words) => console.error(...words);
  const tf = require('@tensorflow/tfjs');
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
  await tf.setBackend('wasm');
  await tf.ready();
  const weights = join(dirname(require.resolve('@vladmandic/face-api/package.json')), 'model');
  for (const net of ['ssdMobilenetv1', 'tinyFaceDetector', 'faceLandmark68Net', 'faceRecognitionNet'])
    await faceapi.nets[net].loadFromDisk(weights);
  console.log = log;
  return { tf, faceapi };
}

function summary(found, minScore) {
  if (!found) return { detected: false, score: 0, box: null };
  const detection = found.detection ?? found;
  const { x, y, width, height } = detection.box;
  return {
    detected: detection.score >= minScore,
    score: Number(detection.score.toFixed(4)),
    box: [x, y, width, height].map((v) => Number(v.toFixed(1))),
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    descriptor: { type: 'boolean', default: false },
    'min-score': { type: 'string', default: '0.5' },
  },
});
const minScore = Number(values['min-score']);
const files = positionals.flatMap((path) =>
  statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((n) => n.endsWith('.png'))
        .sort()
        .map((n) => join(path, n))
    : [path],
);
if (files.length === 0 || !(minScore > 0 && minScore <= 1)) {
  console.error('usage: node detect.mjs [--descriptor] [--min-score 0.5] PNG-or-directory ...');
  process.exit(2);
}
const { tf, faceapi } = await loadFaceApi();
// Scores below the threshold are reported too: a rendering that just fails is worth knowing.
const ssd = new faceapi.SsdMobilenetv1Options({ minConfidence: 0.05, maxResults: 1 });
const tiny = new faceapi.TinyFaceDetectorOptions({ inputSize: 320, scoreThreshold: 0.05 });
for (const file of files) {
  const { width, height, rgb } = decodePng(readFileSync(file));
  const tensor = tf.tensor3d(rgb, [height, width, 3], 'int32');
  const found = values.descriptor
    ? await faceapi.detectSingleFace(tensor, ssd).withFaceLandmarks().withFaceDescriptor()
    : await faceapi.detectSingleFace(tensor, ssd);
  const second = await faceapi.detectSingleFace(tensor, tiny);
  tensor.dispose();
  const line = { file, ...summary(found, minScore), tiny: summary(second, minScore) };
  if (found?.descriptor) line.descriptor = Array.from(found.descriptor, (v) => Number(v.toFixed(5)));
  console.log(JSON.stringify(line));
}
