/**
 * Does a generator give away faces that it learnt from? How near each generated face comes to its nearest training
 * face, beside how near real strangers come to theirs.
 *
 * @example
 * const found = memorisation(distancesOfTreated, distancesOfStrangers, galleryCount);
 */
import { quantiles } from '../statistics/statistics.js';

export interface Memorisation {
  /** Distance to the nearest training face, one per face; NaN when it has none. */
  readonly treated: readonly number[];
  /** The same for real people whom the generator never saw. */
  readonly strangers: readonly number[];
  /** Nearness that only one stranger in twenty reaches. */
  readonly limit: number;
  /** Per treated face: 1 when it is nearer than that. 0.05 is what strangers do. */
  readonly near: readonly number[];
}

/** Nearest entry of each row of a row-major matrix; NaN entries are skipped. */
export function nearest(distances: Float64Array, columns: number): number[] {
  const rows = columns === 0 ? 0 : distances.length / columns;
  return Array.from({ length: rows }, (_, i) => {
    let least = Number.POSITIVE_INFINITY;
    for (let j = 0; j < columns; j++) {
      const d = distances[i * columns + j] as number;
      if (d < least) least = d;
    }
    return Number.isFinite(least) ? least : Number.NaN;
  });
}

/** @param treated, strangers distances to the training faces, row-major, `columns` to a row */
export function memorisation(treated: Float64Array, strangers: Float64Array, columns: number): Memorisation {
  const own = nearest(treated, columns);
  const others = nearest(strangers, columns);
  const limit = quantiles(
    others.filter((d) => !Number.isNaN(d)),
    [0.05],
  )[0] as number;
  return {
    treated: own,
    strangers: others,
    limit,
    near: own.map((d) => (Number.isNaN(d) ? Number.NaN : d < limit ? 1 : 0)),
  };
}
