/**
 * How unlike several draws of a head are, and whether they tell whose head it is: the ruler's geometry attacker on draws of
 * every head of a split, labels as brain masks, 128^3, cut where the scan ends. A method's networks are compared by this.
 *
 * Usage: node bench/seeds.mjs SPLIT [--seeds 3] [--models DIR] [--method cp-mae]
 */
import '../scripts/lib/help.mjs';
import { parseArgs } from 'node:util';
import { makeHead } from '../dist/brain/head.js';
import { maskFromLabels } from '../dist/brain/reference-mask.js';
import { parseSeed } from '../dist/deidentify/seed.js';
import { scaledData } from '../dist/formats/stored-image.js';
import { createMethods } from '../dist/methods/registry.js';
import { loadImage } from '../dist/node/image-files.js';
import { NodeNetworkRunner } from '../dist/node/networks/node-runner.js';
import { Random } from '../dist/volume/random.js';
import { resampleLinear } from '../dist/volume/resample.js';
import { sha256 } from '../dist/volume/sha256.js';
import { headShape, shapeSimilarity, surfaceDistances } from '../packages/ruler/dist/privacy/geometry.js';
import { identify } from '../packages/ruler/dist/privacy/identification.js';
import { cohort, dataFolder } from './lib/cohort.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '3' },
    models: { type: 'string' },
    method: { type: 'string', default: 'cp-mae' },
  },
});
const networks = new NodeNetworkRunner(values.models ? { models: values.models } : {});
const method = createMethods().get(values.method);
if (method.kind !== 'remodel') throw new Error(`expected a method that draws, found ${values.method}`);
const count = Number(values.seeds);
const originals = [];
/** @type {import('../packages/ruler/dist/privacy/geometry.js').HeadShape[][]} */
const draws = Array.from({ length: count }, () => []);
const seconds = [];
for (const head of await cohort(dataFolder(), positionals[0] ?? 'val')) {
  const scan = await loadImage(head.scan);
  const volume = { grid: scan.grid, data: scaledData(scan, 0) };
  const labels = await loadImage(head.labels);
  const made = makeHead(volume, maskFromLabels({ grid: labels.grid, data: scaledData(labels, 0) }));
  originals.push(headShape(volume, made.pose));
  /** @type {import('../dist/methods/method.js').MethodContext} */
  const context = { networks, resolution: 128 };
  const gamma = await method.condition(made, context);
  for (let s = 0; s < count; s++) {
    const start = performance.now();
    const drawn = await method.synthesize(gamma, parseSeed(`seeds ${s}`), context);
    seconds.push((performance.now() - start) / 1000);
    draws[s]?.push(headShape({ grid: scan.grid, data: resampleLinear(drawn, scan.grid) }, made.pose));
  }
  process.stderr.write(`${head.id}\n`);
}
await networks.close();

const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
const n = originals.length;
for (const region of /** @type {const} */ (['face', 'head'])) {
  const off = (distances) => mean([...distances].filter((_, pair) => Math.floor(pair / n) !== pair % n));
  const strangers = off(surfaceDistances(originals, originals, region));
  const drawnStrangers = mean(draws.map((row) => off(surfaceDistances(row, row, region))));
  const seeds = [];
  for (let a = 0; a < count; a++)
    for (let b = 0; b < a; b++)
      for (let i = 0; i < n; i++) seeds.push(surfaceDistances([draws[a]?.[i]], [draws[b]?.[i]], region)[0]);
  const toAll = draws.map((row) => surfaceDistances(originals, row, region));
  const own = mean(toAll.flatMap((d) => originals.map((_, i) => d[i * n + i])));
  const others = mean(toAll.map(off));
  const found = draws.map((row, s) =>
    identify(shapeSimilarity(originals, row, region), n, new Random(sha256(Uint8Array.of(s))), 200),
  );
  const rate = (pick) => mean(found.map((f) => pick(f).value));
  console.log(
    JSON.stringify({
      region,
      heads: n,
      seeds: count,
      fiveWay: rate((f) => f.fiveWay),
      fiveWayBySeed: found.map((f) => Number(f.fiveWay.value.toFixed(3))),
      rank1: rate((f) => f.rank1),
      auc: rate((f) => f.auc),
      mmStrangers: strangers,
      mmSeeds: mean(seeds),
      mmDrawsOfTwoHeads: drawnStrangers,
      mmOwn: own,
      mmOthers: others,
    }),
  );
}
console.log(JSON.stringify({ secondsPerDraw: seconds.toSorted((a, b) => a - b)[seconds.length >> 1] }));
