/**
 * The product's side of scripts/check-quickshear.py: the region that quickshear blanks, for each mask of a list.
 *
 * @example
 * node scripts/quickshear-driver.mjs JOBS.json   # [{ "mask": PATH, "output": PATH, "grid": { shape, affine } }, ...]
 */
import './lib/help.mjs';
import { readFileSync, writeFileSync } from 'node:fs';
import { closestCanonical } from '../dist/methods/quickshear/canonical.js';
import { sheared, shearLine, warningsFor } from '../dist/methods/quickshear/quickshear.js';
import { voxelSizes } from '../dist/volume/volume.js';

for (const { mask, output, grid } of JSON.parse(readFileSync(process.argv[2], 'utf8'))) {
  const canonical = closestCanonical(grid, voxelSizes(grid));
  const line = shearLine({ grid, data: new Uint8Array(readFileSync(mask)) }, canonical);
  writeFileSync(output, sheared(canonical, line));
  console.log(JSON.stringify({ ...line, warnings: warningsFor(line) }));
}
