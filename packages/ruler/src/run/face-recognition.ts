/**
 * The face recognition attacker: detector, landmarks and the 128-number descriptor that ship inside the npm package
 * `@vladmandic/face-api`, on the wasm backend of TensorFlow.js. All three packages are optional: without them the
 * section says so. Nothing is downloaded.
 *
 * @example
 * const faces = await loadFaceRecognition();
 * if (faces !== undefined) (await faces.look(picture)).descriptor;
 */
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { type PixelImage, toRgb } from 'prosopon/imaging';

/** What was seen in one picture. */
export interface FaceSeen {
  /** The detector's score is at least `MIN_SCORE`. */
  readonly detected: boolean;
  /** Of the best detection, 0 to 1; 0 when there was none at all. */
  readonly score: number;
  /** 128 numbers; two pictures of one person are nearer than 0.6 in Euclidean distance on photographs. Null when not detected. */
  readonly descriptor: Float32Array | null;
}

export interface FaceRecognition {
  /** Package and version, for provenance. */
  readonly name: string;
  look(image: PixelImage): Promise<FaceSeen>;
}

export const MIN_SCORE = 0.5;
/** What has to be installed, for the sentence that says it is not. */
export const FACE_PACKAGES = [
  '@vladmandic/face-api',
  '@tensorflow/tfjs',
  '@tensorflow/tfjs-backend-wasm',
] as const;

interface Tensor3 {
  dispose(): void;
}
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor3d(data: Int32Array, shape: readonly [number, number, number], type: 'int32'): Tensor3;
}
interface Detection {
  readonly detection: { readonly score: number };
  readonly descriptor: Float32Array;
}
interface FaceApi {
  readonly nets: Readonly<Record<string, { loadFromDisk(folder: string): Promise<void> } | undefined>>;
  readonly SsdMobilenetv1Options: new (options: { minConfidence: number; maxResults: number }) => object;
  detectSingleFace(
    picture: Tensor3,
    options: object,
  ): { withFaceLandmarks(): { withFaceDescriptor(): Promise<Detection | undefined> } };
}

/**
 * @param folder Where the packages are installed (its node_modules); default: where Node finds them from here.
 * @returns undefined when one of the packages is not installed.
 */
export async function loadFaceRecognition(folder?: string): Promise<FaceRecognition | undefined> {
  const require = createRequire(
    folder === undefined ? import.meta.url : join(resolve(folder), 'package.json'),
  );
  const paths: string[] = [];
  for (const name of FACE_PACKAGES) {
    try {
      paths.push(dirname(require.resolve(`${name}/package.json`)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
      throw error;
    }
  }
  const [home = '', , wasmHome = ''] = paths;
  const { log, warn } = console;
  // TensorFlow.js greets on stdout, where --json prints its object.
  console.log = () => undefined;
  console.warn = () => undefined;
  try {
    const tf = require('@tensorflow/tfjs') as TensorFlow;
    const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
    wasm.setWasmPaths(`${join(wasmHome, 'dist')}/`);
    // The backend must be registered, and its files found, before face-api is loaded.
    const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js') as FaceApi;
    await tf.setBackend('wasm');
    await tf.ready();
    for (const net of ['ssdMobilenetv1', 'faceLandmark68Net', 'faceRecognitionNet'])
      await faceapi.nets[net]?.loadFromDisk(join(home, 'model'));
    const { version } = require('@vladmandic/face-api/package.json') as { version: string };
    return recognition(tf, faceapi, `@vladmandic/face-api ${version}`);
  } finally {
    Object.assign(console, { log, warn });
  }
}

function recognition(tf: TensorFlow, faceapi: FaceApi, name: string): FaceRecognition {
  // Scores below the limit are remembered too: a rendering that just fails is worth knowing.
  const options = new faceapi.SsdMobilenetv1Options({ minConfidence: 0.05, maxResults: 1 });
  return {
    name,
    async look(image: PixelImage): Promise<FaceSeen> {
      const { width, height, data } = toRgb(image);
      const tensor = tf.tensor3d(Int32Array.from(data), [height, width, 3], 'int32');
      try {
        const found = await faceapi
          .detectSingleFace(tensor, options)
          .withFaceLandmarks()
          .withFaceDescriptor();
        if (found === undefined) return { detected: false, score: 0, descriptor: null };
        const { score } = found.detection;
        const detected = score >= MIN_SCORE;
        return { detected, score, descriptor: detected ? Float32Array.from(found.descriptor) : null };
      } finally {
        tensor.dispose();
      }
    },
  };
}
