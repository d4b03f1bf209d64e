/**
 * Where the classes of the segmentation lie in most people: a majority vote over the train heads in the posed brain's
 * frame, at 4 mm, cropped to the brain. Made by `scripts/make-region-atlas.py`; nobody's brain.
 *
 * @example
 * const atlas = regionAtlas();
 * atlas.at([22, 4, -20]); // 15, the right hippocampus
 */
import { MODEL_CENTRE, MODEL_EDGE_MM, type Vec3 } from 'prosopon/imaging';
import { REGION_ATLAS_BASE64, REGION_ATLAS_FIRST, REGION_ATLAS_SHAPE } from './region-atlas-data.js';

export const REGION_ATLAS_MM = 4;

export interface RegionAtlas {
  /** Voxels along x (to the right), y (to the front), z (up). */
  readonly shape: Vec3;
  /** Classes, 0 (none) to 52; x runs fastest. */
  readonly data: Uint8Array;
  /** The class at a point of the brain frame (mm, origin at the brain's centre); 0 outside. */
  at(point: Vec3): number;
}

let cached: RegionAtlas | undefined;

export function regionAtlas(): RegionAtlas {
  cached ??= decode();
  return cached;
}

/** Index of the voxel, along one axis of the box, that holds a point of the brain frame. */
export function atlasIndex(axis: 0 | 1 | 2, mm: number): number {
  const half = (MODEL_EDGE_MM / REGION_ATLAS_MM - 1) / 2;
  return Math.round((mm - MODEL_CENTRE[axis]) / REGION_ATLAS_MM + half) - REGION_ATLAS_FIRST[axis];
}

function decode(): RegionAtlas {
  const [nx, ny, nz] = REGION_ATLAS_SHAPE;
  const runs = atob(REGION_ATLAS_BASE64);
  const data = new Uint8Array(nx * ny * nz);
  let end = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const start = end;
    end += runs.charCodeAt(i + 1);
    data.fill(runs.charCodeAt(i), start, end);
  }
  return {
    shape: REGION_ATLAS_SHAPE,
    data,
    at([mmX, mmY, mmZ]) {
      const [x, y, z] = [atlasIndex(0, mmX), atlasIndex(1, mmY), atlasIndex(2, mmZ)];
      const inside = x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz;
      return inside ? (data[x + nx * (y + ny * z)] as number) : 0;
    },
  };
}
