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

/** Lines of zeros stay zeros and are passed over: half of a soft mask's. */
function convolveAxis(data: Float32Array, count: number, stride: number, kernel: Float64Array): Float32Array {
  const radius = (kernel.length - 1) / 2;
  if (radius === 0) return data;
  const out = new Float32Array(data.length);
  const line = new Float64Array(count + 2 * radius);
  const block = stride * count;
  for (let base = 0; base < data.length; base += block)
    for (let s = 0; s < stride; s++) {
      const start = base + s;
      let any = false;
      for (let i = 0; i < count; i++) {
        const value = data[start + i * stride] as number;
        line[i + radius] = value;
        if (value !== 0) any = true;
      }
      if (!any) continue;
      for (let i = 0; i < count; i++) {
        // The kernel is even: half of the products.
        const middle = i + radius;
        let sum = (kernel[radius] as number) * (line[middle] as number);
        for (let t = 1; t <= radius; t++)
          sum +=
            (kernel[radius + t] as number) * ((line[middle - t] as number) + (line[middle + t] as number));
        out[start + i * stride] = sum;
      }
    }
  return out;
}

/** A smoothed copy; `sigmaMm` is the Gaussian's standard deviation. */
export function gaussianSmooth(volume: Volume<VoxelArray>, sigmaMm: number): Volume {
  const [nx, ny, nz] = volume.grid.shape;
  const sizes = voxelSizes(volume.grid);
  let data = new Float32Array(volume.data);
  data = convolveAxis(data, nx, 1, gaussianKernel(sigmaMm / sizes[0])) as typeof data;
  data = convolveAxis(data, ny, nx, gaussianKernel(sigmaMm / sizes[1])) as typeof data;
  data = convolveAxis(data, nz, nx * ny, gaussianKernel(sigmaMm / sizes[2])) as typeof data;
  return { grid: volume.grid, data };
}
