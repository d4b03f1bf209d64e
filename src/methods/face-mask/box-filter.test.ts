import { expect, it } from 'vitest';
import { boxMeans } from './box-filter.js';

it('is the plain mean over boxes cut at the edges', () => {
  const [nu, nv, nd] = [5, 4, 3];
  const data = Float32Array.from({ length: 60 }, (_, i) => (i * 37) % 11);
  const half = (d: number): readonly [number, number, number] => [1, d, 1];
  const found = boxMeans(data, [nu, nv, nd], half);
  for (let d = 0; d < nd; d++)
    for (let v = 0; v < nv; v++)
      for (let u = 0; u < nu; u++) {
        const [ru, rv, rd] = half(d);
        let [sum, n] = [0, 0];
        for (let z = Math.max(0, d - rd); z <= Math.min(nd - 1, d + rd); z++)
          for (let y = Math.max(0, v - rv); y <= Math.min(nv - 1, v + rv); y++)
            for (let x = Math.max(0, u - ru); x <= Math.min(nu - 1, u + ru); x++) {
              sum += data[x + nu * (y + nv * z)] as number;
              n++;
            }
        expect(found[u + nu * (v + nv * d)]).toBeCloseTo(sum / n, 5);
      }
});
