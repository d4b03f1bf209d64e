/** A header that says twice where its voxels stand is compared with itself. */
import { describe, expect, it } from 'vitest';
import { niftiBytes } from '../../deidentify/testing/fixtures.js';
import { nodeGzip } from '../../node/gzip.js';
import { doubtsOf } from '../codecs.js';
import { decodeImage } from '../stored-image.js';

const grid = { shape: [12, 10, 8], affine: [2, 0, 0, -11, 0, 2, 0, -9, 0, 0, 2, -7, 0, 0, 0, 1] } as const;
const values = Float32Array.from({ length: 960 }, (_, i) => i);

/** The same place in the qform, unless it is told otherwise. */
async function doubts(given: {
  code?: number;
  qfac?: number;
  x?: number;
  turned?: boolean;
}): Promise<readonly string[]> {
  const bytes = niftiBytes({ grid, volumes: [values] });
  const view = new DataView(bytes.buffer);
  view.setInt16(252, given.code ?? 1, true);
  view.setFloat32(76, given.qfac ?? 1, true);
  // b, c, d: no rotation, or half a turn about z.
  [0, 0, given.turned === true ? 1 : 0, given.x ?? -11, -9, -7].forEach((v, i) => {
    view.setFloat32(256 + 4 * i, v, true);
  });
  return doubtsOf(await decodeImage({ name: 'a.nii', bytes }, nodeGzip));
}

describe('doubtsOf', () => {
  it('has none where both forms agree, to a millimetre, or one has no code', async () => {
    expect(await doubts({})).toEqual([]);
    expect(await doubts({ x: -11.9 })).toEqual([]);
    expect(await doubts({ code: 0, qfac: -1, x: 40 })).toEqual([]);
  });

  it('says that one is mirrored, whichever that is', async () => {
    expect(await doubts({ qfac: -1 })).toEqual([
      expect.stringMatching(/mirrored: left and right are in doubt/),
    ]);
  });

  it('says how far the two lie apart, by the worst corner', async () => {
    expect(await doubts({ x: -8 })).toEqual([
      expect.stringMatching(/up to 3\.0 mm apart; the sform is used here/),
    ]);
    // Half a turn: the far corner, at (11, 9) of the sform, is at (-33, -27) in the qform.
    expect(await doubts({ turned: true })).toEqual([expect.stringMatching(/up to 56\.9 mm apart/)]);
  });
});
