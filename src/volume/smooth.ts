/**
 * Separable Gaussian smoothing, sigma in millimetres, zero beyond the volume's edge.
 *
 * @example
 * const soft = gaussianSmooth(volume, 4);
 */
import { type Volume, type VoxelArray, voxelSizes } from './volume.js';

/** Normalised kernel cut at 3 sigma; [1] when sigma is below a tenth of a voxel. */
export function gaussianKernel(sigmaVoxels: number): Float64Array {
  if (sigmaVoxels < 0.1) return Float64Array.of(1);
  const radius = Math.max(1, Math.ceil(3 * sigmaVoxels));
  const kernel = new Float64Array(2 * radius + 1);
  let sum = 0;
  for (let i = -radius; i <= radius; i++) {
    const v = Math.exp(-0.5 * (i / sigmaVoxels) ** 2);
    kernel[i + radius] = v;
    sum += v;
  }
  return kernel.map((v) => v / sum);
}

/** Only what the values of a line can reach is computed: half of the lines of a soft mask are zeros, and half of the others. */
function convolveAxis(
  data: Float32Array,
  count: number,
  stride: number,
  kernel: Float64Array,
): Float32Array<ArrayBuffer> {
  const radius = (kernel.length - 1) / 2;
  const out = new Float32Array(data.length);
  const line = new Float64Array(count + 2 * radius);
  const block = stride * count;
  for (let base = 0; base < data.length; base += block)
    for (let s = 0; s < stride; s++) {
      let first = -1;
      let last = 0;
      for (let i = 0, o = base + s; i < count; i++, o += stride) {
        const value = data[o] as number;
        line[i + radius] = value;
        if (value !== 0) {
          if (first < 0) first = i;
          last = i;
        }
      }
      if (first < 0) continue;
      const end = Math.min(count - 1, last + radius) + radius;
      let middle = Math.max(0, first - radius) + radius;
      for (let o = base + s + (middle - radius) * stride; middle <= end; middle++, o += stride) {
        // The kernel is even: half of the products.
        let sum = (kernel[radius] as number) * (line[middle] as number);
        for (let t = 1; t <= radius; t++)
          sum +=
            (kernel[radius + t] as number) * ((line[middle - t] as number) + (line[middle + t] as number));
        out[o] = sum;
      }
    }
  return out;
}

/** A smoothed copy; `sigmaMm` is the Gaussian's standard deviation. */
export function gaussianSmooth(volume: Volume<VoxelArray>, sigmaMm: number): Volume {
  const [nx, ny, nz] = volume.grid.shape;
  const sizes = voxelSizes(volume.grid);
  let data = new Float32Array(volume.data);
  const axes = [
    [nx, 1],
    [ny, nx],
    [nz, nx * ny],
  ] as const;
  axes.forEach(([count, stride], a) => {
    const kernel = gaussianKernel(sigmaMm / (sizes[a] as number));
    if (kernel.length > 1) data = convolveAxis(data, count, stride, kernel);
  });
  return { grid: volume.grid, data };
}
