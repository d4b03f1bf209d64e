/** The package as the product takes it: its version, its networks, its names. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../../../src/deidentify/version.js';
import { listModels } from '../../../../src/node/networks/node-models.js';
import * as door from '../index.js';

const manifest = (file: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as Record<string, unknown>;

describe('prosopon-ruler', () => {
  it('has the version of the product, and asks for exactly that one', () => {
    expect(door.RULER_VERSION).toBe(VERSION);
    expect(door.ruler.version).toBe(VERSION);
    expect(manifest('../../package.json')).toMatchObject({
      version: VERSION,
      peerDependencies: { prosopon: VERSION },
    });
  });

  it('brings the networks that only it uses', async () => {
    expect(await listModels(door.rulerModels())).toEqual(['brain-age', 'segmentation', 'sqn']);
  });

  it('exports these values and no others', () => {
    expect(Object.keys(door).sort()).toEqual(['RULER_VERSION', 'createRuler', 'ruler', 'rulerModels']);
  });

  it('has the peers that the product no longer has', () => {
    const peers = (file: string): string[] => Object.keys((manifest(file).peerDependencies ?? {}) as object);
    expect(peers('../../package.json')).toEqual([
      '@tensorflow/tfjs',
      '@tensorflow/tfjs-backend-wasm',
      '@vladmandic/face-api',
      'prosopon',
    ]);
    expect(peers('../../../../package.json')).toEqual(['onnxruntime-web']);
  });
});
