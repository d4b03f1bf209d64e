/**
 * Whether a brain looks T1-weighted, as those do of which faces were learnt: its correlation with the mean brain of the
 * training heads at 8 mm. Brain voxels decide, nothing else (promise P1).
 *
 * @example
 * t1Correlation(brainBlocks(gamma)) >= MIN_T1_CORRELATION;
 */
import { modelGrid } from '../../brain/model-grid.js';
import { IDENTITY, multiply, translation } from '../../volume/affine.js';
import type { Volume } from '../../volume/volume.js';
import { MEAN_BRAIN_BASE64 } from './t1-likeness-data.js';

const [NX, NY, NZ] = [24, 32, 32];
/** T1-weighted heads reach 0.29 to 0.95, a T2-weighted one -0.39, a FLAIR -0.21: see docs/results.md. */
export const MIN_T1_CORRELATION = 0.1;

/** The mean brain in the brain frame at 8 mm, bytes proportional to intensity, 0 where fewer heads have brain. */
export function meanBrain(): Volume<Uint8Array> {
  const whole = modelGrid(IDENTITY, 32);
  return {
    grid: { shape: [NX, NY, NZ], affine: multiply(whole.affine, translation((32 - NX) / 2, 0, 0)) },
    data: Uint8Array.from(atob(MEAN_BRAIN_BASE64), (c) => c.charCodeAt(0)),
  };
}

/** @param blocks mask fraction and mean intensity at 4 mm, [2, 64, 64, 48]; returns -1 to 1 */
export function t1Correlation(blocks: Float32Array): number {
  const mean = meanBrain().data;
  const plane = 64 * 64 * 48;
  let [n, sa, sb, saa, sbb, sab] = [0, 0, 0, 0, 0, 0];
  for (let k = 0, o = 0; k < NZ; k++)
    for (let j = 0; j < NY; j++)
      for (let i = 0; i < NX; i++, o++) {
        const expected = mean[o] as number;
        if (expected === 0) continue;
        let mask = 0;
        let value = 0;
        for (let c = 0; c < 8; c++) {
          const v = 2 * i + (c & 1) + 48 * (2 * j + ((c >> 1) & 1) + 64 * (2 * k + (c >> 2)));
          mask += blocks[v] as number;
          value += blocks[plane + v] as number;
        }
        if (mask < 6) continue;
        const found = value / mask;
        n++;
        sa += found;
        sb += expected;
        saa += found * found;
        sbb += expected * expected;
        sab += found * expected;
      }
  if (n < 100) return 0;
  const spread = Math.sqrt((saa - (sa * sa) / n) * (sbb - (sb * sb) / n));
  return spread > 0 ? (sab - (sa * sb) / n) / spread : 0;
}
