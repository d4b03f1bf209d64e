/**
 * Where the neck of a drawn head ends: at a drawn plane just below the chin, not where the scan happens to end.
 *
 * @example
 * endNeck(head, chinOf(displacement), random.fork('neck'));
 */
import { CUBE_EDGE_MM } from '../../contract/contract.js';
import type { Random } from '../../volume/random.js';
import type { Volume } from '../../volume/volume.js';
import { pointReading } from './landmark.js';

/** The lowest point of the learned head's chin, in mm from the cube's centre (right, front, up); skin, at 1 mm. */
const CHIN_MM = [0, 72, -107] as const;

/**
 * Where the chin of the drawn head is: the point that reads the learned head's chin.
 * @param displacement [3, 64, 64, 48] in normalised coordinates, x, y, z, where each point reads the learned head
 * @returns mm from the cube's centre (right, front, up)
 */
export function chinOf(displacement: Float32Array): [number, number, number] {
  return pointReading(displacement, CHIN_MM);
}

/** The plane passes so far below the chin. Half of the scans end within 6 mm of there, and show their own ends below it. */
const [BELOW_CHIN_MM, RANGE_MM] = [0.5, 4];
/** Slopes: up to the back by 5 to 17 degrees, clear of the jaw's angle; to the sides 3 degrees either way. */
const [NOD, NOD_RANGE, TILT] = [-0.08, -0.22, 0.05];

/**
 * Ends the neck at a drawn plane: where a scan ends, and how its plane lies to the brain, are its own.
 * @param head on the trimmed model grid, 2 or 1 mm; changed in place @param chin see {@link chinOf}
 */
export function endNeck(head: Volume, chin: readonly [number, number, number], random: Random): void {
  const [nx, ny, nz] = head.grid.shape;
  const mm = CUBE_EDGE_MM / nz;
  const height = chin[2] - BELOW_CHIN_MM - RANGE_MM * random.uniform();
  const nod = NOD + NOD_RANGE * random.uniform();
  const tilt = TILT * (2 * random.uniform() - 1);
  for (let k = 0; k < nz; k++) {
    const z = (k - (nz - 1) / 2) * mm;
    for (let j = 0; j < ny; j++) {
      const y = (j - (ny - 1) / 2) * mm;
      for (let i = 0; i < nx; i++) {
        const x = (i - (nx - 1) / 2) * mm;
        if (z < height + nod * (y - chin[1]) + tilt * (x - chin[0])) head.data[i + nx * (j + ny * k)] = 0;
      }
    }
  }
}
