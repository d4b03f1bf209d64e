/**
 * Small symmetric linear systems (normal equations) by Cholesky factorisation with a ridge.
 *
 * @example
 * const step = solveSymmetric(jtj, jtr, 7, 1e-6);
 */

/**
 * Solves (A + ridge * diag(A)) x = b for a symmetric positive A.
 * @param a n*n, row-major; only the upper triangle is read
 */
export function solveSymmetric(a: Float64Array, b: Float64Array, n: number, ridge: number): Float64Array {
  const l = new Float64Array(n * n);
  const get = (i: number, j: number): number => a[i <= j ? i * n + j : j * n + i] as number;
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = get(i, j) + (i === j ? ridge * get(i, i) + 1e-12 : 0);
      for (let k = 0; k < j; k++) sum -= (l[i * n + k] as number) * (l[j * n + k] as number);
      l[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-30)) : sum / (l[j * n + j] as number);
    }
  const x = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let sum = b[i] as number;
    for (let k = 0; k < i; k++) sum -= (l[i * n + k] as number) * (x[k] as number);
    x[i] = sum / (l[i * n + i] as number);
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = x[i] as number;
    for (let k = i + 1; k < n; k++) sum -= (l[k * n + i] as number) * (x[k] as number);
    x[i] = sum / (l[i * n + i] as number);
  }
  return x;
}
