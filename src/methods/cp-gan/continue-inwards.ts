/**
 * What the generator draws, continued a few voxels into the brain. Inside the mask no loss ever looked at its image (the
 * composite hides it), and where a voxel is only part brain little; interpolated to a finer grid, what happens to stand
 * there would come out as a seam around the brain.
 *
 * @example
 * const whole = continueInwards(image, share, 64);
 */

/** Deep enough for a cubic that reaches two voxels. */
const PASSES = 3;

/**
 * Voxels of more than half brain become the mean of their 26 neighbours outside, or done before, by how little brain is in
 * those; deeper ones stay as they are.
 * @param image n^3 @param share of brain in each voxel, 0 to 1
 */
export function continueInwards(image: Float32Array, share: Float32Array, n: number): Float32Array {
  const out = image.slice();
  const weight = new Float32Array(share.length);
  for (let v = 0; v < weight.length; v++)
    weight[v] = (share[v] as number) > 0.5 ? 0 : 1 - (share[v] as number);
  for (let pass = 0; pass < PASSES; pass++) {
    const done: number[] = [];
    for (let k = 1, v = n * n; k < n - 1; k++)
      for (let j = 0; j < n; j++)
        for (let i = 0; i < n; i++, v++) {
          if ((weight[v] as number) > 0 || i === 0 || j === 0 || i === n - 1 || j === n - 1) continue;
          let [sum, total] = [0, 0];
          for (let dz = -1; dz <= 1; dz++)
            for (let dy = -1; dy <= 1; dy++)
              for (let dx = -1; dx <= 1; dx++) {
                const u = v + dx + n * (dy + n * dz);
                sum += (weight[u] as number) * (out[u] as number);
                total += weight[u] as number;
              }
          if (total === 0) continue;
          done.push(v);
          out[v] = sum / total;
        }
    // After the pass: a voxel filled in it is not yet a source.
    for (const v of done) weight[v] = 0.1;
  }
  return out;
}
