/**
 * Renderings that the stage `sqn` of training reads: of each head of a split ID_views.npy, bytes [draws, 3, 128, 128]
 * (front, left, right), and index.json. Draw 0 is the candidates' camera (set A), draw 1 the queries' (set B); the others
 * have the camera up to 12 degrees off, the lamp anywhere in front, another surface level, noise, and every second one the
 * scan on another voxel grid (shifted by up to a voxel, turned by up to 2 degrees). They show real people: --out must lie
 * outside the repository or in an ignored folder. Resumes. Needs `npm run build`.
 *
 * Usage: node scripts/render-for-sqn.mjs SPLIT[,SPLIT] --out DIR [--draws 10] [--treated DIR]
 *   --treated  folder with a method's output, ID.nii.gz of each head: rendered instead of the originals (adaptive
 *              attacker); the pose stays that of the original's brain
 *
 * @example
 * node scripts/render-for-sqn.mjs train,val --out prepared/sqn-original
 */
import './lib/help.mjs';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cohort, dataFolder } from '../bench/lib/cohort.mjs';
import { makeHead } from '../dist/brain/head.js';
import { maskFromLabels } from '../dist/brain/reference-mask.js';
import { scaledData } from '../dist/formats/stored-image.js';
import { loadImage } from '../dist/node/image-files.js';
import { encodeNpy } from '../dist/node/npy.js';
import { prepareSurface } from '../dist/render/field.js';
import { GREY, shade } from '../dist/render/shade.js';
import { castSurface } from '../dist/render/surface.js';
import { multiply, rotation, translation } from '../dist/volume/affine.js';
import { Random } from '../dist/volume/random.js';
import { resampleLinear } from '../dist/volume/resample.js';
import { sha256 } from '../dist/volume/sha256.js';
import { attackPictures } from '../packages/ruler/dist/privacy/views.js';

const SIZE = 128;
const CENTRE = [0, 22, -30];
const VIEWS = [0, 90, -90];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string' },
    draws: { type: 'string', default: '10' },
    treated: { type: 'string' },
  },
});
const draws = Number(values.draws);
const splits = (positionals[0] ?? '').split(',').filter((s) => s !== '');
if (splits.length === 0 || values.out === undefined || !(Number.isInteger(draws) && draws >= 2)) {
  console.error('usage: render-for-sqn.mjs SPLIT[,SPLIT] --out DIR [--draws 10] [--treated DIR]');
  process.exit(1);
}

async function load(path) {
  const image = await loadImage(path);
  return { grid: image.grid, data: scaledData(image, 0) };
}

/** Uniform in [low, high). */
const between = (random, low, high) => low + (high - low) * random.uniform();

/** @returns {import('../dist/volume/affine.js').Vec3} */
const three = (value) => [value(0), value(1), value(2)];

/** The scan on a grid shifted by up to a voxel and turned by up to 2 degrees about the head. */
function regridded(volume, pose, random) {
  const turn = three(() => between(random, -0.035, 0.035));
  const shift = three(() => between(random, -1, 1));
  const about = translation(pose[3], pose[7], pose[11]);
  const back = translation(-pose[3], -pose[7], -pose[11]);
  const affine = multiply(
    multiply(about, multiply(rotation(turn), back)),
    multiply(volume.grid.affine, translation(...shift)),
  );
  const grid = { shape: volume.grid.shape, affine };
  return { grid, data: resampleLinear(volume, grid) };
}

function noisy(volume, sigma, random) {
  return { grid: volume.grid, data: volume.data.map((v) => Math.abs(v + sigma * random.normal())) };
}

function drawPictures(field, pose, random) {
  const [yaw, pitch] = [between(random, -12, 12), between(random, -12, 12)];
  /** @type {import('../dist/volume/affine.js').Vec3} */
  const light = [between(random, -0.8, 0.8), between(random, 0, 1), between(random, 0.6, 1.2)];
  const style = { ...GREY, light, ambient: between(random, 0.1, 0.3), hollows: between(random, 0.1, 0.6) };
  const centre = three((axis) => CENTRE[axis] + between(random, -4, 4));
  return VIEWS.map((side) => {
    const view = { yaw: side + yaw, pitch };
    return shade(castSurface(field, { frame: pose, centre, view, size: SIZE, fovMm: 256 }), style).data;
  });
}

function renderings(volume, pose, level, random) {
  const plain = prepareSurface(volume);
  /** @type {import('../packages/ruler/dist/privacy/views.js').ViewSet[]} */
  const sets = ['A', 'B'];
  const standard = sets.map((viewSet) => {
    const pictures = attackPictures(plain, pose, { style: 'relief', viewSet });
    return [pictures.front.data, pictures.left.data, pictures.right.data];
  });
  const out = [...standard];
  for (let first = 2; first < draws; first += 4) {
    // Each surface serves four draws: making it costs as much as ten pictures.
    const source = first % 8 === 2 ? regridded(volume, pose, random) : volume;
    const sigma = level * between(random, 0, 0.06);
    const threshold = plain.threshold * between(random, 0.75, 1.35);
    const field = prepareSurface(noisy(source, sigma, random), {
      threshold,
      smoothingMm: between(random, 0.8, 2.2),
    });
    for (let d = first; d < Math.min(draws, first + 4); d++) out.push(drawPictures(field, pose, random));
  }
  return out;
}

mkdirSync(values.out, { recursive: true });
const indexPath = join(values.out, 'index.json');
const heads = existsSync(indexPath) ? JSON.parse(readFileSync(indexPath, 'utf8')).heads : [];
for (const split of splits)
  for (const { id, scan, labels } of await cohort(dataFolder(), split)) {
    if (heads.some((head) => head.id === id)) continue;
    const original = await load(scan);
    const { pose, brainLevel } = makeHead(original, maskFromLabels(await load(labels)));
    const volume = values.treated === undefined ? original : await load(join(values.treated, `${id}.nii.gz`));
    const random = new Random(sha256(new TextEncoder().encode(`sqn ${id}`)));
    const pictures = renderings(volume, pose, brainLevel, random).flat();
    const bytes = new Uint8Array(pictures.length * SIZE * SIZE);
    for (const [i, picture] of pictures.entries()) bytes.set(picture, i * SIZE * SIZE);
    writeFileSync(join(values.out, `${id}_views.npy`), encodeNpy(bytes, [draws, 3, SIZE, SIZE]));
    heads.push({ id, split });
    writeFileSync(indexPath, `${JSON.stringify({ version: 1, draws, heads }, null, 1)}\n`);
    console.error(id);
  }
