/**
 * Whole-head tissue label maps (SynthSeg's numbers, see the README beside them) as class volumes on the model grid at
 * 1 mm, for training on drawn contrasts. Needs `npm run build`; the output holds real people's anatomy: an ignored folder.
 *
 * Usage: node scripts/prepare-label-heads.mjs LABEL_DIR OUT_DIR
 */
import './lib/help.mjs';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeHead } from '../dist/brain/head.js';
import { modelGrid } from '../dist/brain/model-grid.js';
import { maskFromLabels } from '../dist/brain/reference-mask.js';
import { scaledData } from '../dist/formats/stored-image.js';
import { loadImage } from '../dist/node/image-files.js';
import { encodeNpy } from '../dist/node/npy.js';
import { sampleNearest } from '../dist/volume/nearest.js';
import { resampleLinear } from '../dist/volume/resample.js';

const [folder, out] = process.argv.slice(2);
if (folder === undefined || out === undefined) {
  console.error('usage: node scripts/prepare-label-heads.mjs LABEL_DIR OUT_DIR');
  process.exit(2);
}

/** Class numbers of the output, by the labels they hold; 0 is air. Sides are joined. */
/** @type {[string, number[]][]} */
export const CLASSES = [
  ['air', [0]],
  ['white matter', [2, 41, 77, 85]],
  ['cortex', [3, 42]],
  ['ventricles', [4, 5, 14, 15, 31, 43, 44, 63, 72]],
  ['cerebellar white', [7, 46]],
  ['cerebellar cortex', [8, 47]],
  ['thalamus', [10, 49]],
  ['striatum', [11, 12, 26, 50, 51, 58]],
  ['pallidum', [13, 52]],
  ['brain stem', [16, 28, 60]],
  ['hippocampus and amygdala', [17, 18, 53, 54]],
  ['brain vessels and rests', [25, 57, 30, 62, 136, 137, 163, 164]],
  ['fluid', [24]],
  ['artery', [502]],
  ['vein', [514]],
  ['eye', [506]],
  ['eye muscle', [508]],
  ['optic nerve', [530]],
  ['mucosa', [509]],
  ['skin', [511]],
  ['spinal cord', [512]],
  ['cortical bone', [515]],
  ['cancellous bone', [516]],
  ['other tissue', [507]],
  ['skull', [165]],
  ['head without classes', [258, 259]],
];
/** The last class that is brain. */
const BRAIN = 11;
/** Brain, fluid, artery, vein, and the specks of air that the maps have between them. */
const MAY_FILL = new Set([...Array(BRAIN + 1).keys(), 12, 13, 14]);
const table = new Map(CLASSES.flatMap(([, labels], number) => labels.map((label) => [label, number])));

const SPLIT = {
  val: ['training_seg_17', 'training_seg_18', 'training_seg_19', 'subject01', 'subject06', 'subject09'],
  test: ['training_seg_14', 'training_seg_15', 'training_seg_16', 'subject10', 'subject11', 'subject13'],
};

const names = readdirSync(folder)
  .filter((file) => file.endsWith('.nii'))
  .sort();
if (names.length === 0) {
  console.error(`${folder}: no label maps (*.nii); unpack the archive that they come in first`);
  process.exit(1);
}
mkdirSync(out, { recursive: true });
const heads = [];
for (const name of names) {
  const id = name.replace(/(_seg)?\.nii$/, '');
  const image = await loadImage(join(folder, name));
  const labels = scaledData(image, 0);
  const classes = Uint8Array.from(labels, (label) => {
    const found = table.get(label);
    if (found === undefined) throw new Error(`${id}: unknown label ${label}`);
    return found;
  });
  const brain = Float32Array.from(classes, (c) => (c > 0 && c <= BRAIN ? 1 : 0));
  // These labels hug the gyri where DLMUSE's are fat: closed by 4 mm as those are, the fissure between the hemispheres stayed open
  // and the network learnt two conventions. Closed by 9 mm, and fluid or vessel where it is not tissue.
  const closed = maskFromLabels({ grid: image.grid, data: brain }, 9);
  const mask = {
    grid: image.grid,
    data: closed.data.map((v, o) => (v === 1 && MAY_FILL.has(classes[o]) ? 1 : brain[o])),
  };
  const head = makeHead({ grid: image.grid, data: Float32Array.from(mask.data) }, mask);
  const grid = modelGrid(head.pose, 256);
  const shape = [...grid.shape].reverse();
  const sampled = sampleNearest({ grid: image.grid, data: classes }, grid);
  const inside = resampleLinear(mask, grid);
  writeFileSync(join(out, `${id}_classes.npy`), encodeNpy(sampled, shape));
  writeFileSync(
    join(out, `${id}_brain.npy`),
    encodeNpy(
      Uint8Array.from(inside, (v) => (v > 0.5 ? 1 : 0)),
      shape,
    ),
  );
  const split = SPLIT.val.includes(id) ? 'val' : SPLIT.test.includes(id) ? 'test' : 'train';
  heads.push({ id, split, age: null, sex: 'n/a', detailed: id.startsWith('training') });
  console.error(id, split);
}
writeFileSync(
  join(out, 'index.json'),
  JSON.stringify({ version: 1, resolution: 256, classes: CLASSES.map(([name]) => name), heads }, null, 1),
);
