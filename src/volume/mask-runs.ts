/**
 * The runs of a mask: neighbours along the first axis that are set. A brain fills a seventh of a scan, and between its runs
 * the machine's own search for the next byte goes 16 at a time.
 *
 * @example
 * eachRun(mask.data, (from, end) => { millilitres += (end - from) * voxelMl; }, nx);
 */

/**
 * @param mask of 0 and 1
 * @param visit first voxel of a run, and the one behind its last
 * @param row voxels of a row, at whose end a run is ended; by default runs go on from row to row
 */
export function eachRun(
  mask: Uint8Array,
  visit: (from: number, end: number) => void,
  row: number = mask.length,
): void {
  // The last 0 that was found is asked first: in a mask that is all set it is looked for once.
  let zero = -1;
  for (let from = mask.indexOf(1); from >= 0; ) {
    if (zero < from) {
      zero = mask.indexOf(0, from);
      if (zero < 0) zero = mask.length;
    }
    const end = Math.min(zero, (Math.floor(from / row) + 1) * row);
    visit(from, end);
    from = end < zero ? end : mask.indexOf(1, end);
  }
}
