/**
 * What the group level shows of an image that was treated: its checks, its figures, small pictures of the result.
 *
 * @example
 * records.put({ ...record, checks: checksOf(report.checks, ''), ...shownOf(done, 0, seconds) });
 */
import type { ScanRecord } from '../../bids/record.js';
import type { Deidentified } from '../../deidentify/pipeline.js';
import { finiteVolume } from '../../formats/stored-image.js';
import { seamOf, thumbnails } from '../../report/thumbnails.js';
import { voxelMillilitres } from '../../volume/volume.js';
import { nodeDeflate } from '../deflate.js';

export type Shown = Pick<ScanRecord, 'figures' | 'pictures'>;

/** Of one image of a job. */
export function checksOf(checks: Deidentified['checks'], suffix: string): NonNullable<ScanRecord['checks']> {
  return Object.fromEntries(
    Object.entries(checks).flatMap(([name, check]) => {
      const [own = '', number] = name.split('.');
      return (number === undefined ? '' : `.${number}`) === suffix ? [[own, check]] : [];
    }),
  );
}

/** @param i which image of the job */
export function shownOf(done: Deidentified, i: number): Shown {
  const image = done.images[i];
  if (image === undefined) return {};
  const volume = finiteVolume(image.result);
  const seam = seamOf(volume, image.altered);
  const kept = done.checks[i === 0 ? 'faceGone' : `faceGone.${i + 1}`]?.value;
  const figures = {
    ...(image.surfaceMovedMm === undefined ? {} : { surfaceMovedMm: image.surfaceMovedMm }),
    ...(typeof kept === 'number' ? { faceKept: kept } : {}),
    ...(seam === undefined ? {} : { seam }),
    ...(done.maskAgreement === undefined || i > 0
      ? {}
      : { maskAgreement: Number(done.maskAgreement.toFixed(3)) }),
    ...(i > 0 ? {} : { brainMl: millilitres(done) }),
  };
  return { figures, pictures: thumbnails(volume, done.pose, nodeDeflate) };
}

function millilitres({ brainMask }: Deidentified): number {
  let voxels = 0;
  for (let o = 0; o < brainMask.data.length; o++) voxels += brainMask.data[o] as number;
  return Math.round(voxels * voxelMillilitres(brainMask.grid));
}
