/**
 * The brain stage (finding the brain, its plausibility and pose) of this build against another one's, alternating in one
 * run, so that the machine's other work falls on both: ratio of medians. Needs `npm run build` in both checkouts.
 *
 * Usage: node bench/brain-stage.mjs OTHER_CHECKOUT [--head FILE] [--runs N]
 */
import '../scripts/lib/help.mjs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { dataFolder } from './lib/cohort.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { head: { type: 'string' }, runs: { type: 'string', default: '7' } },
});
if (positionals[0] === undefined) {
  console.error('usage: node bench/brain-stage.mjs OTHER_CHECKOUT [--head FILE] [--runs N]');
  process.exit(2);
}
const head = values.head ?? join(dataFolder(), 'heads', 'adult_t1_sag_1mm_philips_elition.nii.gz');

async function load(checkout) {
  const from = (path) => import(pathToFileURL(join(checkout, 'dist', path)).href);
  const { extractBrain } = await from('brain/extract.js');
  const { makeHead } = await from('brain/head.js');
  // Called frameValues before decision 0035.
  const { scaledData, frameValues = scaledData } = await from('formats/stored-image.js');
  const { loadImage } = await from('node/image-files.js');
  const runner = await from('networks/node-runner.js').catch(() => from('node/networks/node-runner.js'));
  const image = await loadImage(head);
  const networks = new runner.NodeNetworkRunner({});
  return {
    networks,
    // A fresh array each time: measures are kept with the mask's own.
    run: async () => {
      const volume = { grid: image.grid, data: frameValues(image, 0) };
      const began = performance.now();
      const { mask } = await extractBrain(volume, networks, {});
      makeHead(volume, mask);
      return (performance.now() - began) / 1000;
    },
  };
}

const builds = { other: await load(resolve(positionals[0])), this: await load(process.cwd()) };
const seconds = { other: [], this: [] };
for (const name of ['other', 'this']) await builds[name].run();
for (let i = 0; i < Number(values.runs); i++)
  for (const name of ['other', 'this']) seconds[name].push(await builds[name].run());
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
for (const name of ['other', 'this'])
  console.log(
    `${name}: median ${median(seconds[name]).toFixed(2)} s of ${values.runs}, ${Math.min(...seconds[name]).toFixed(2)} to ${Math.max(...seconds[name]).toFixed(2)}`,
  );
console.log(`ratio this / other: ${(median(seconds.this) / median(seconds.other)).toFixed(2)}`);
await Promise.all(Object.values(builds).map(({ networks }) => networks.close()));
