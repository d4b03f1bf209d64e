/**
 * Results that keep a face, made on purpose from an original and a good result: what `bench/face-gone.mjs` must see.
 *
 * @example
 * for (const [name, volume] of spoiled(head, drawn)) console.log(name, faceKept(before, volume).share);
 */
import { applyAffine, invert, multiply } from '../../dist/volume/affine.js';

let state = 12345;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state + 1) / 4294967297;
};
const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());

/** Parts of a face in the brain's frame, mm. */
const PARTS = {
  left: ([x]) => x < 0,
  right: ([x]) => x > 0,
  'nose and eyes': ([x, y, z]) => Math.abs(x) < 50 && y > 40 && z < -12 && z > -72,
  'mouth and chin': ([x, y, z]) => Math.abs(x) < 45 && y > 30 && z < -70,
  nose: ([x, y, z]) => Math.abs(x) < 20 && y > 60 && z < -25 && z > -72,
  eyes: ([x, y, z]) => Math.abs(x) < 55 && y > 40 && z < -12 && z > -45,
  mouth: ([x, y, z]) => Math.abs(x) < 40 && y > 50 && z < -68 && z > -92,
  face: ([, y, z]) => y > 30 && z < 0,
};

function eachVoxel({ shape: [nx, ny, nz] }, visit) {
  for (let k = 0, o = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) for (let i = 0; i < nx; i++, o++) visit(i, j, k, o);
}

/** `inside` where the point of the brain's frame lies in a part, else `around`. */
function joined(inside, around, pose, part) {
  const toBrain = multiply(invert(pose), inside.grid.affine);
  const data = Float32Array.from(around.data);
  eachVoxel(inside.grid, (i, j, k, o) => {
    if (part(applyAffine(toBrain, [i, j, k]))) data[o] = inside.data[o];
  });
  return { grid: inside.grid, data };
}

/** Moved by some mm along world axes, linear between voxels. */
function shifted(volume, mm) {
  const { affine, shape } = volume.grid;
  const turn = affine.map((v, i) => (i % 4 === 3 && i < 12 ? 0 : v));
  const by = applyAffine(invert(turn), mm);
  const [nx, ny] = shape;
  const data = new Float32Array(volume.data.length);
  eachVoxel(volume.grid, (i, j, k, o) => {
    const p = [i, j, k].map((v, axis) => Math.max(0, Math.min(shape[axis] - 1.001, v - by[axis])));
    const [x, y, z] = p.map(Math.floor);
    let sum = 0;
    for (let corner = 0; corner < 8; corner++) {
      const d = [corner & 1, (corner >> 1) & 1, corner >> 2];
      const w = d.reduce((product, bit, axis) => {
        const f = p[axis] - Math.floor(p[axis]);
        return product * (bit ? f : 1 - f);
      }, 1);
      sum += w * volume.data[x + d[0] + nx * (y + d[1] + ny * (z + d[2]))];
    }
    data[o] = sum;
  });
  return { grid: volume.grid, data };
}

/**
 * @param head `{ volume, mask, pose, level }`: an original  @param results results by method: `cp-mae` and `deface`
 * @returns pairs of name and volume
 */
export function* spoiled({ volume, mask, pose, level }, results) {
  const outside = (f) => ({
    grid: volume.grid,
    data: volume.data.map((v, o) => (mask.data[o] ? v : f(v))),
  });
  yield ['untouched', volume];
  yield ['noise of 5 %', outside((v) => v + 0.05 * level * normal())];
  yield ['noise of 15 %', outside((v) => Math.abs(v + 0.15 * level * normal()))];
  yield ['half as bright', outside((v) => 0.5 * v)];
  yield ['twice as bright', outside((v) => 2 * v)];
  yield ['square root of grey', outside((v) => level * Math.sqrt(Math.max(0, v) / level))];
  yield ['square of grey', outside((v) => (v * v) / level)];
  yield ['shifted 0.5 mm sideways', shifted(volume, [0.5, 0, 0])];
  yield ['shifted 0.5 mm forwards', shifted(volume, [0, 0.5, 0])];
  yield ['shifted 0.5 mm upwards', shifted(volume, [0, 0, 0.5])];
  yield ['shifted 1 mm forwards', shifted(volume, [0, 1, 0])];
  yield ['shifted 2 mm', shifted(volume, [0, 1.4, 1.4])];
  const changed = outside((v) => 0.8 * v + 0.03 * level * normal());
  for (const [name, part] of Object.entries(PARTS)) {
    for (const around of ['cp-mae', 'deface'])
      yield [
        `${name} kept, other grey and noise, in ${around}`,
        joined(changed, results[around], pose, part),
      ];
    yield [`${name} kept, same bits, in cp-mae`, joined(volume, results['cp-mae'], pose, part)];
  }
}
