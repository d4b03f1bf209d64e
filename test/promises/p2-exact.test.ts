/** P2: brain voxels hold the same stored bits; the grid, the affines and their codes too. Read without our codec. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { deidentify } from '../../src/deidentify/pipeline.js';
import { type FileContent, mghBytes, niftiBytes } from '../../src/deidentify/testing/fixtures.js';
import { DATATYPES } from '../../src/formats/datatypes.js';
import { decodeImage } from '../../src/formats/stored-image.js';
import { optionsOf } from '../../src/methods/options.js';
import type { Method } from '../../src/methods/registry.js';
import { nodeGzip } from '../../src/node/gzip.js';
import { headGrid, syntheticHead } from '../../src/volume/testing/synthetic-head.js';
import { methodsUnderTest } from './support.js';

const plain = headGrid({ spacing: [6, 6, 6] });
const CASES: Record<string, Partial<FileContent> & { mgh?: boolean; name?: string }> = {
  plain: {},
  oblique: { grid: headGrid({ spacing: [6, 5, 7], turn: [0.3, -0.4, 0.25] }) },
  // Turned further, quickshear's plane, which follows the voxels' axes, leaves this head its face and the result is refused.
  tilted: { grid: headGrid({ spacing: [6, 5, 7], turn: [0.1, -0.15, 0.1] }) },
  'left-handed': { grid: headGrid({ spacing: [6, 6, 6], flip: true }) },
  'thick slices': { grid: headGrid({ spacing: [3, 3, 12] }) },
  'scaled integers': { datatype: 'int16', slope: 0.37, intercept: -12.5 },
  'scaled bytes': { datatype: 'uint8', slope: 4.7 },
  'big endian': { littleEndian: false },
  'big-endian float64': { littleEndian: false, datatype: 'float64' },
  float32: { datatype: 'float32' },
  float64: { datatype: 'float64', slope: 1.5 },
  int32: { datatype: 'int32' },
  uint16: { datatype: 'uint16' },
  MGH: { mgh: true, name: 'out.mgh' },
  MGZ: { mgh: true, name: 'out.mgz' },
  compressed: { name: 'out.nii.gz' },
};
/**
 * Every case with the stand-in, which draws in no time. A method goes the same way to the file: what differs is what it
 * makes of a grid, and of its own values.
 */
const CASES_OF_REMOVAL = ['tilted', 'MGZ'];
const CASES_OF_NETWORKS = [
  ...['oblique', 'left-handed', 'thick slices', 'scaled integers', 'big-endian float64', 'float32'],
  ...['MGZ', 'compressed'],
];

function casesOf(method: Method): { names: readonly string[]; volumes: readonly number[] } {
  if (method.kind === 'remove') return { names: CASES_OF_REMOVAL, volumes: [3] };
  if (method.models.length > 0) return { names: CASES_OF_NETWORKS, volumes: [3] };
  return { names: Object.keys(CASES), volumes: [1, 3] };
}

function scaled(method: Method): boolean {
  return optionsOf(method).scale !== undefined;
}

describe.each(await methodsUnderTest())('P2 with $name', ({ method, services }) => {
  it.each(
    casesOf(method).names.flatMap((name) =>
      casesOf(method).volumes.map((volumes) => ({ name, content: CASES[name] ?? {}, volumes })),
    ),
  )('keeps the brain of a file that is $name with $volumes volume(s)', async ({ name, content, volumes }) => {
    const grid = content.grid ?? plain;
    const { volume, brainMask } = syntheticHead({ grid });
    const file: FileContent = {
      ...content,
      grid,
      volumes: Array.from({ length: volumes }, (_, t) => volume.data.map((v) => v / (1 + t))),
    };
    const before = content.mgh === true ? mghBytes(file) : niftiBytes(file);
    const packed = content.mgh === true ? new Uint8Array(gzipSync(before)) : before.slice();
    const mask = niftiBytes({ grid, volumes: [Float32Array.from(brainMask.data)], datatype: 'uint8' });
    const done = await deidentify(
      {
        image: await decodeImage({ name: 'in', bytes: packed }, nodeGzip),
        brainMask: await decodeImage({ name: 'mask', bytes: mask }, nodeGzip),
        outputName: content.name ?? 'out.nii',
      },
      // A head of another size around the brain must not touch the brain's own.
      { method, resolution: 128, ...(scaled(method) && name === 'oblique' ? { scale: 0.9 } : {}) },
      services,
    );
    const [{ bytes }] = done.images[0].files;
    const after = bytes[0] === 0x1f ? gunzipSync(bytes) : Buffer.from(bytes);
    expect(after.length).toBe(before.length);

    const width = content.mgh === true ? 2 : DATATYPES[content.datatype ?? 'int16'].bytes;
    const start = content.mgh === true ? 284 : 352;
    const count = brainMask.data.length;
    let kept = 0;
    let changed = 0;
    let outside = 0;
    for (let t = 0; t < volumes; t++)
      for (let o = 0; o < count; o++) {
        const at = start + (t * count + o) * width;
        const same = Buffer.compare(after.subarray(at, at + width), before.subarray(at, at + width)) === 0;
        if (brainMask.data[o] === 1) {
          if (!same) throw new Error(`brain voxel ${o} of volume ${t} differs`);
          kept++;
        } else {
          outside++;
          if (!same) changed++;
        }
      }
    expect(kept).toBeGreaterThan(500);
    // Noise in the air is not much; a method that removes leaves the most of a head.
    expect(changed / outside).toBeGreaterThan(method.kind === 'remodel' ? 0.5 : 0.01);

    // dim, datatype and bitpix, pixdim, scaling, units, codes and both affines; MGH: size, type, geometry.
    const geometry =
      content.mgh === true
        ? [
            [0, 24],
            [28, 90],
          ]
        : [
            [40, 56],
            [70, 74],
            [76, 92],
            [112, 120],
            [252, 328],
          ];
    for (const [first, end] of geometry as [number, number][])
      expect(Buffer.compare(after.subarray(first, end), before.subarray(first, end)), `${first}`).toBe(0);
  });
});
