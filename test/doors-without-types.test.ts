/** What JavaScript may pass to the doors of the library: undefined, null or an empty object is refused in words. */
import { describe, expect, it } from 'vitest';
import * as library from '../src/index.js';
import * as node from '../src/node.js';

type Call = (...given: unknown[]) => unknown;
const doors: Readonly<Record<string, unknown>> = {
  decodeImage: library.decodeImage,
  encodeImage: library.encodeImage,
  scaledData: library.scaledData,
  finiteVolume: library.finiteVolume,
  createImage: library.createImage,
  makeHead: library.makeHead,
  qcPage: library.qcPage,
  prepareSurface: library.prepareSurface,
  encodePng: library.encodePng,
  'deidentify (neutral)': library.deidentify,
  'findBrain (neutral)': library.findBrain,
  'checkResult (neutral)': library.checkResult,
  loadImage: node.loadImage,
  deidentify: node.deidentify,
  findBrain: node.findBrain,
  checkResult: node.checkResult,
  runScanJob: node.runScanJob,
  readDataset: node.readDataset,
};

describe('a door that is given nothing', () => {
  it.each(Object.entries(doors))('%s says what it expects', async (_name, door) => {
    for (const given of [undefined, null, {}]) {
      const error = await (async () => (door as Call)(given))().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(library.isRefusal(error, 'option-invalid'), `${JSON.stringify(given)}: ${error}`).toBe(true);
      expect((error as Error).message).toMatch(
        /^expected .*, found (undefined|null|object|an object without)/,
      );
    }
  });
});
