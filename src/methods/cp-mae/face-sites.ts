/**
 * Which sites of the codes' lattices are the face's: brow to chin, ears and neck. The vault must fit the brain; these need
 * not, so they are drawn first, as the faces of people in general are, and the rest given them and the brain.
 *
 * @example
 * const first = faceSites(sites); // 1 where a code is drawn without the brain
 */
import { CUBE_CENTRE_MM, CUBE_EDGE_MM, FIELD_MM, FIELD_SHAPE } from '../../contract/contract.js';
import type { Sites } from './sites.js';

/** In the brain's frame, mm: in front of the temporal lobes and below the frontal ones. */
const [FRONT_MM, BROW_MM] = [45, -8];
/** Beside the brain, below its middle, from behind the ears on. */
const [SIDE_MM, EAR_TOP_MM, EAR_BACK_MM] = [62, -20, -40];
/** Below the cerebellum. */
const NECK_MM = -75;

/** For a point in the brain's frame (right, front, up), mm. */
export function inFace(x: number, y: number, z: number): boolean {
  if (z < NECK_MM) return true;
  if (y > FRONT_MM && z < BROW_MM) return true;
  return Math.abs(x) > SIDE_MM && z < EAR_TOP_MM && y > EAR_BACK_MM;
}

/** 1 for the sites whose middle lies in the face; x fastest. */
export function faceSites({ x: nx, y: ny, z: nz, count }: Sites): Uint8Array {
  const edge = (FIELD_MM * FIELD_SHAPE[1]) / ny;
  const out = new Uint8Array(count);
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++)
      for (let i = 0; i < nx; i++, o++) {
        const x = (i + 0.5 - nx / 2) * edge + CUBE_CENTRE_MM[0];
        const y = (j + 0.5) * edge - CUBE_EDGE_MM / 2 + CUBE_CENTRE_MM[1];
        const z = (k + 0.5) * edge - CUBE_EDGE_MM / 2 + CUBE_CENTRE_MM[2];
        if (inFace(x, y, z)) out[o] = 1;
      }
  return out;
}
