/**
 * Makes docs/images/region-map.png: the map of regions as an evaluation draws it, of figures that are made up (the regions
 * are the group atlas' own). Needs `npm run build`.
 *
 * Usage: node scripts/draw-region-map.mjs [OUT.png]
 */
import './lib/help.mjs';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodeDeflate } from '../dist/node/deflate.js';
import { encodePng } from '../dist/render/png.js';
import { drawRegionMap } from '../packages/ruler/dist/report/region-map.js';
import { SEGMENTATION_CLASSES } from '../packages/ruler/dist/utility/segmentation-classes.js';

const out = process.argv[2] ?? fileURLToPath(new URL('../docs/images/region-map.png', import.meta.url));
const changes = SEGMENTATION_CLASSES.slice(1).map(({ id, name, group }) => {
  const change = {
    grey: -0.004 - 0.006 * (id % 6),
    white: 0.003 * ((id % 5) - 1),
    'ventricular-csf': 0.02 + 0.01 * (id % 4),
    stem: 0.001,
    csf: -0.06,
  }[group];
  return { id, change, consistent: Math.abs(change) > 0.019 && !name.startsWith('left-cerebellar'), n: 18 };
});
writeFileSync(out, encodePng(drawRegionMap([{ title: 'Figures made up', changes }]), nodeDeflate));
console.log(out);
