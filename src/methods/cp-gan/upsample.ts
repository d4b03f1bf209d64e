/**
 * A cube at a finer grid by cubic convolution (Catmull-Rom), axis by axis: where the network ends at 4 mm, a linear
 * interpolation would cut the skin's edge into facets of that size.
 *
 * @example
 * const fine = upsampleCubic(image, 64, 128);
 */

/** Weights of the four neighbours at t (0 to 1) behind the second. */
function weights(t: number): readonly [number, number, number, number] {
  const [a, b] = [t * t, t * t * t];
  return [-0.5 * t + a - 0.5 * b, 1 - 2.5 * a + 1.5 * b, 0.5 * t + 2 * a - 1.5 * b, -0.5 * a + 0.5 * b];
}

/** One axis from n to m values; `stride` values apart in the input, `before` = product of the faster axes. */
function alongAxis(data: Float32Array, n: number, m: number, stride: number): Float32Array {
  const blocks = data.length / (n * stride);
  const out = new Float32Array(blocks * m * stride);
  for (let i = 0; i < m; i++) {
    const place = ((i + 0.5) * n) / m - 0.5;
    const first = Math.floor(place);
    const w = weights(place - first);
    const rows = [-1, 0, 1, 2].map((d) => Math.min(n - 1, Math.max(0, first + d)) * stride) as [
      number,
      number,
      number,
      number,
    ];
    for (let b = 0; b < blocks; b++) {
      const from = b * n * stride;
      const to = (b * m + i) * stride;
      for (let s = 0; s < stride; s++)
        out[to + s] =
          w[0] * (data[from + rows[0] + s] as number) +
          w[1] * (data[from + rows[1] + s] as number) +
          w[2] * (data[from + rows[2] + s] as number) +
          w[3] * (data[from + rows[3] + s] as number);
    }
  }
  return out;
}

/** n^3 to m^3 over the same cube, edge values held beyond it; never below zero, which the cubic undershoots. */
export function upsampleCubic(data: Float32Array, n: number, m: number): Float32Array {
  const out = n === m ? data.slice() : alongAxis(alongAxis(alongAxis(data, n, m, 1), n, m, m), n, m, m * m);
  for (let v = 0; v < out.length; v++) if (!((out[v] as number) > 0)) out[v] = 0;
  return out;
}
