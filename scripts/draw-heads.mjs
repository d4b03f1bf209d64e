/**
 * Heads as cp-mae draws them: what the painted residual (`train paint`) is trained on beside registered heads. Per head of the
 * splits and seed one `ID_drawN.npy`, bytes of 1/100 brain level on the trimmed grid at 2 mm [128, 128, 96]. Brain masks from
 * the label maps, as `prosopon prepare` takes them. Resumes. Drawn around real brains: --out must lie outside the repository or
 * in an ignored folder. Needs `npm run build`.
 *
 * Usage: node scripts/draw-heads.mjs SPLIT[,SPLIT] --out DIR [--seeds 2]
 *
 * @example
 * node scripts/draw-heads.mjs train,val --out prepared/draws
 */
import './lib/help.mjs';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cohort, dataFolder } from '../bench/lib/cohort.mjs';
import { makeHead } from '../dist/brain/head.js';
import { maskFromLabels } from '../dist/brain/reference-mask.js';
import { BYTES_PER_LEVEL } from '../dist/contract/contract.js';
import { parseSeed } from '../dist/deidentify/seed.js';
import { scaledData } from '../dist/formats/stored-image.js';
import { createMethods } from '../dist/methods/registry.js';
import { loadImage } from '../dist/node/image-files.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { encodeNpy } from '../dist/node/npy.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, seeds: { type: 'string', default: '2' } },
});
if (values.out === undefined || positionals[0] === undefined) {
  console.error('expected SPLIT --out DIR');
  process.exit(2);
}
mkdirSync(values.out, { recursive: true, mode: 0o700 });
const method = createMethods().get('cp-mae');
if (method.kind !== 'remodel') throw new Error('expected cp-mae to draw');
const networks = new NodeNetworkRunner({ threads: 1 });
const load = async (path) => {
  const image = await loadImage(path);
  return { grid: image.grid, data: scaledData(image, 0) };
};
for (let seed = 0; seed < Number(values.seeds); seed++)
  for (const split of positionals[0].split(','))
    for (const { id, scan, labels } of await cohort(dataFolder(), split)) {
      const path = join(values.out, `${id}_draw${seed}.npy`);
      if (existsSync(path)) continue;
      const head = makeHead(await load(scan), maskFromLabels(await load(labels)));
      /** @type {import('../dist/methods/method.js').MethodContext} */
      const context = { networks, resolution: 128 };
      const gamma = await method.condition(head, context);
      const { grid, data } = await method.synthesize(gamma, parseSeed(`draw-heads ${seed} ${id}`), context);
      const bytes = Uint8Array.from(data, (v) => Math.max(0, Math.min(255, Math.round(BYTES_PER_LEVEL * v))));
      writeFileSync(`${path}.part`, encodeNpy(bytes, grid.shape.toReversed()), { mode: 0o600 });
      renameSync(`${path}.part`, path);
      console.log(`${id} ${seed}`);
    }
await networks.close();
