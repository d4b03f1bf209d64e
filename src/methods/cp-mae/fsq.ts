/**
 * The codebook of a finite scalar quantiser (Mentzer 2023): index to values and back. The look-up of CP-MAE's integer
 * volumes; the training package's `networks/fsq.py` is its twin.
 *
 * @example
 * const values = new FsqCodebook([8, 6, 5]).values(17); // three numbers in [-1, 1]
 */
export class FsqCodebook {
  readonly size: number;

  /** @param levels values per channel; channel 0 runs fastest in an index */
  constructor(readonly levels: readonly number[]) {
    this.size = levels.reduce((a, b) => a * b, 1);
  }

  /** @param index 0 to size - 1 */
  values(index: number): number[] {
    let rest = index;
    return this.levels.map((level) => {
      const digit = rest % level;
      rest = Math.floor(rest / level);
      const half = ((level - 1) * (1 - 1e-3)) / 2;
      const offset = level % 2 === 0 ? 0.5 : 0;
      return (digit - Math.floor(level / 2) + offset) / half;
    });
  }

  /** The index of (exactly or nearly) quantised values. */
  index(values: readonly number[]): number {
    let [index, place] = [0, 1];
    this.levels.forEach((level, channel) => {
      const half = ((level - 1) * (1 - 1e-3)) / 2;
      const offset = level % 2 === 0 ? 0.5 : 0;
      const digit = Math.round((values[channel] as number) * half - offset + Math.floor(level / 2));
      index += Math.min(level - 1, Math.max(0, digit)) * place;
      place *= level;
    });
    return index;
  }
}
