/**
 * Treats every head of a split with a method, brain masks from the label maps: what an adaptive attacker studies
 * (scripts/render-for-sqn.mjs --treated). A method that draws gets another seed for each head. Resumes. The results are
 * made of real brains: --out must lie outside the repository or in an ignored folder. Needs `npm run build`.
 *
 * Usage: node scripts/treat-cohort.mjs SPLIT[,SPLIT] --out DIR [--method cp-mae] [--resolution 128] [--seed TEXT]
 *
 * @example
 * node scripts/treat-cohort.mjs train,val --out prepared/treated-cp-mae
 */
import './lib/help.mjs';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cohort, dataFolder } from '../bench/lib/cohort.mjs';
import { makeHead } from '../dist/brain/head.js';
import { maskFromLabels } from '../dist/brain/reference-mask.js';
import { deidentify, FOUND_MARGIN_MM } from '../dist/deidentify/pipeline.js';
import { parseSeed } from '../dist/deidentify/seed.js';
import { createImage } from '../dist/formats/create-image.js';
import { scaledData } from '../dist/formats/stored-image.js';
import { createMethods } from '../dist/methods/registry.js';
import { nodeGzip } from '../dist/node/gzip.js';
import { loadImage } from '../dist/node/image-files.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    method: { type: 'string', default: 'cp-mae' },
    resolution: { type: 'string', default: '128' },
    seed: { type: 'string', default: 'adaptive' },
  },
});
if (values.out === undefined || positionals[0] === undefined) {
  console.error('expected SPLIT --out DIR');
  process.exit(2);
}
mkdirSync(values.out, { recursive: true });
const method = createMethods().get(values.method);
const networks = new NodeNetworkRunner({ threads: 1 });
const load = async (path) => {
  const image = await loadImage(path);
  return { grid: image.grid, data: scaledData(image, 0) };
};
for (const split of positionals[0].split(','))
  for (const head of await cohort(dataFolder(), split)) {
    const path = join(values.out, `${head.id}.nii.gz`);
    if (existsSync(path)) continue;
    const image = await loadImage(head.scan);
    const mask = maskFromLabels(await load(head.labels));
    const done = await deidentify(
      { image, outputName: path, brainMask: createImage(image.grid, mask.data) },
      {
        method,
        seed: parseSeed(`${values.seed} ${head.id}`),
        resolution: values.resolution === '256' ? 256 : 128,
        brainMarginMm: FOUND_MARGIN_MM,
      },
      {
        networks,
        gzip: nodeGzip,
        makeHead,
        extractBrain: () => {
          throw new Error('the mask is given');
        },
      },
    );
    writeFileSync(`${path}.part`, done.images[0].files[0].bytes);
    renameSync(`${path}.part`, path);
    console.log(head.id);
  }
await networks.close();
