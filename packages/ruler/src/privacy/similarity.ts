/**
 * Matrices of likeness for the attackers: rows are originals, columns candidates, NaN where there is nothing to
 * compare (no face found, no surface).
 *
 * @example
 * const scores = vectorSimilarity(originals, treated, 'distance'); // n x n, higher is more alike
 */

/** A descriptor, or nothing. An empty array is nothing too. */
export type MaybeVector = Float32Array | null | undefined;

/** `dot`: of unit vectors; `distance`: minus the Euclidean distance. */
export function vectorSimilarity(
  queries: readonly MaybeVector[],
  candidates: readonly MaybeVector[],
  score: 'dot' | 'distance',
): Float64Array {
  const out = new Float64Array(queries.length * candidates.length).fill(Number.NaN);
  queries.forEach((a, i) => {
    if (a == null || a.length === 0) return;
    candidates.forEach((b, j) => {
      if (b == null || b.length !== a.length) return;
      let sum = 0;
      for (let k = 0; k < a.length; k++)
        sum +=
          score === 'dot' ? (a[k] as number) * (b[k] as number) : ((a[k] as number) - (b[k] as number)) ** 2;
      out[i * candidates.length + j] = score === 'dot' ? sum : -Math.sqrt(sum);
    });
  });
  return out;
}

/** A matrix over those that are there, spread out to all, NaN elsewhere. */
export function overUsable<T>(
  queries: readonly (T | null | undefined)[],
  candidates: readonly (T | null | undefined)[],
  score: (queries: readonly T[], candidates: readonly T[]) => Float64Array,
): Float64Array {
  const index = (list: readonly (T | null | undefined)[]): number[] =>
    list.map((_, i) => i).filter((i) => list[i] != null);
  const [rows, columns] = [index(queries), index(candidates)];
  const out = new Float64Array(queries.length * candidates.length).fill(Number.NaN);
  if (rows.length === 0 || columns.length === 0) return out;
  const scores = score(
    rows.map((i) => queries[i] as T),
    columns.map((j) => candidates[j] as T),
  );
  rows.forEach((i, r) => {
    columns.forEach((j, c) => {
      out[i * candidates.length + j] = scores[r * columns.length + c] as number;
    });
  });
  return out;
}
