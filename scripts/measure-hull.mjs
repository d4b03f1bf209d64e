/**
 * What the convex hull of cp-gan holds and tells, over the heads of a data set: seconds of the privacy transform, share of
 * the head inside the hull, volumes, and what the geometry attacker makes of gamma alone. Prints one line a head and a
 * summary; shares are of the head's filled outline within the scan. Needs `npm run build`.
 *
 * Two attacks per region, each original against the hulls of all: by the original's own surface, and (stronger) by the
 * hull that the attacker lays around the original with another seed. Brain alone is the control: what gamma of CP-MAE
 * tells the same attacker.
 *
 * Usage: node scripts/measure-hull.mjs [val,test] [N]
 */
import './lib/help.mjs';
import { cohort, dataFolder } from '../bench/lib/cohort.mjs';
import { makeHead } from '../dist/brain/head.js';
import { modelGrid } from '../dist/brain/model-grid.js';
import { prepareHead } from '../dist/brain/prepare.js';
import { maskFromLabels } from '../dist/brain/reference-mask.js';
import { FLAG } from '../dist/contract/contract.js';
import { scaledData } from '../dist/formats/stored-image.js';
import { cpGan } from '../dist/methods/cp-gan/cp-gan.js';
import { convexHull } from '../dist/methods/cp-gan/hull.js';
import { binaryHead } from '../dist/methods/cp-gan/surface.js';
import { loadImage } from '../dist/node/image-files.js';
import { Random } from '../dist/volume/random.js';
import { sha256 } from '../dist/volume/sha256.js';
import { gaussianSmooth } from '../dist/volume/smooth.js';
import { headShape, shapeSimilarity } from '../packages/ruler/dist/privacy/geometry.js';
import { identify } from '../packages/ruler/dist/privacy/identification.js';

const splits = (process.argv[2] ?? 'val,test').split(',');
const most = Number(process.argv[3] ?? Number.POSITIVE_INFINITY);
const people = (await Promise.all(splits.map((split) => cohort(dataFolder(), split)))).flat().slice(0, most);
const load = async (path) => {
  const image = await loadImage(path);
  return { grid: image.grid, data: scaledData(image, 0) };
};
/** A mask's surface for the attacker: zeros and ones with an edge of 2 mm. */
const shapeOf = (mask, pose) => headShape(gaussianSmooth(mask, 2), pose);

/** The condition asks no network. @type {any} */
const context = {};
const rows = [];
const shapes = { original: [], hull: [], otherHull: [], few: [], otherFew: [], brain: [] };
const random = (n) => new Random(sha256(Uint8Array.of(n)));
for (const { id, scan, labels } of people) {
  const volume = await load(scan);
  const head = makeHead(volume, maskFromLabels(await load(labels)));
  const start = performance.now();
  const before = process.cpuUsage().user;
  const gamma = await cpGan.condition(head, context);
  const seconds = (performance.now() - start) / 1000;
  const cpuSeconds = (process.cpuUsage().user - before) / 1e6;
  const { flags } = prepareHead(head, 128);
  let [inHead, both, hull, brain, brainIn] = [0, 0, 0, 0, 0];
  for (let v = 0; v < flags.length; v++) {
    const kept = gamma.hull.data[v];
    hull += kept;
    if (flags[v] & FLAG.head) {
      inHead++;
      both += kept;
    }
    if (flags[v] & FLAG.brain) {
      brain++;
      brainIn += kept;
    }
  }
  const row = { seconds, cpuSeconds, share: both / inHead, brain: brainIn / brain, volume: hull / inHead };
  rows.push(row);
  console.log(
    id,
    Object.entries(row)
      .map(([name, value]) => `${name} ${value.toFixed(4)}`)
      .join('  '),
  );
  shapes.original.push(headShape(volume, head.pose));
  shapes.hull.push(shapeOf(gamma.hull, head.pose));
  const [outline, grid] = [binaryHead(head), modelGrid(head.pose, 128)];
  shapes.otherHull.push(shapeOf(convexHull(outline, random(77), grid), head.pose));
  shapes.few.push(shapeOf(convexHull(outline, random(78), grid, 20), head.pose));
  shapes.otherFew.push(shapeOf(convexHull(outline, random(79), grid, 20), head.pose));
  shapes.brain.push(shapeOf(gamma.mask, head.pose));
}
for (const name of Object.keys(rows[0])) {
  const values = rows.map((row) => row[name]);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  console.log(
    `${name}: mean ${mean.toFixed(4)}, least ${Math.min(...values).toFixed(4)}, greatest ${Math.max(...values).toFixed(4)} (N = ${values.length})`,
  );
}
const percent = ({ value, low, high }) =>
  `${(100 * value).toFixed(0)} % [${(100 * low).toFixed(0)}, ${(100 * high).toFixed(0)}]`;
/** @type {import('../packages/ruler/dist/privacy/geometry.js').ShapeRegion[]} */
const regions = ['face', 'head'];
for (const region of regions)
  for (const {
    name,
    of: [queries, candidates],
  } of [
    { name: 'original against hulls', of: [shapes.original, shapes.hull] },
    { name: 'hull of the original against hulls', of: [shapes.otherHull, shapes.hull] },
    { name: 'original against hulls of 20 facets', of: [shapes.original, shapes.few] },
    { name: 'hull of 20 facets of the original against such', of: [shapes.otherFew, shapes.few] },
    { name: 'original against brains', of: [shapes.original, shapes.brain] },
    { name: 'brain of the original against brains', of: [shapes.brain, shapes.brain] },
  ]) {
    const similarity = shapeSimilarity(queries, candidates, region);
    const found = identify(similarity, people.length, random(5));
    console.log(`${region}: ${name}: five-way ${percent(found.fiveWay)}, rank 1 ${percent(found.rank1)}`);
  }
