/**
 * Records of a data set that nobody treated, for the tests of what is shown of it.
 *
 * @example
 * const records = fakeRecords(40);
 */
import type { ScanRecord } from '../../bids/record.js';
import { encodePng } from '../../render/png.js';

/** A picture of one colour, in base64. */
export function fakePicture(level: number): string {
  const data = new Uint8Array(16 * 16).fill(level);
  return Buffer.from(encodePng({ width: 16, height: 16, channels: 1, data })).toString('base64');
}

/** Of ten scans one is refused, and of forty one has failed; figures go up and down with the number of the scan. */
export function fakeRecords(count: number): ScanRecord[] {
  const pictures = [60, 120, 180].map((level) => ({
    front: fakePicture(level),
    left: fakePicture(level + 20),
    slice: fakePicture(level + 40),
  }));
  return Array.from({ length: count }, (_, i): ScanRecord => {
    const subject = `sub-${String(i + 1).padStart(5, '0')}`;
    const path = `${subject}/anat/${subject}_T1w.nii.gz`;
    const key = `digest-of-an-input-${i}`;
    if (i % 40 === 7)
      return { path, key, status: 'failed', reason: 'internal', message: 'an assumption did not hold' };
    if (i % 10 === 3)
      return {
        path,
        key,
        status: 'refused',
        reason: 'brain-implausible',
        message: 'expected a brain, found none',
      };
    return {
      path,
      key,
      status: 'done',
      role: 'anchor',
      output: path,
      warnings: i % 5 === 0 ? ['the chin is not in view'] : [],
      checks: { grid: { passed: true, value: '9x9x9' }, faceGone: { passed: true, value: 0.01234567 } },
      figures: {
        surfaceMovedMm: 3 + ((i * 7) % 50) / 10,
        faceKept: ((i * 11) % 30) / 1000,
        seam: ((i * 13) % 40) / 200,
        maskAgreement: 0.95 + ((i * 17) % 50) / 1000,
        brainMl: 1100 + ((i * 19) % 400),
        seconds: 60 + (i % 30),
      },
      pictures: pictures[i % 3] ?? {},
    };
  });
}
