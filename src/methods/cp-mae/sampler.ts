/**
 * Draws codes from the masked autoencoder, whose latent is Gaussian: what is seen (of the brain, and of codes drawn before)
 * gives the latent's posterior, one draw of it a distribution for every site. Codes of distant sites then belong together,
 * as site by site they would not.
 *
 * @example
 * const z = drawLatent(precision, evidence, random); // of the posterior
 * const { indices } = drawSites(undrawn(384), logits, 240, random, wanted);
 */
import { Failure } from '../../errors/errors.js';
import type { Random } from '../../volume/random.js';

/** Codes of a level so far. */
export interface Drawn {
  readonly indices: Int32Array;
  /** 1 where a site has its code. */
  readonly kept: Uint8Array;
}

/** Nothing drawn yet. */
export function undrawn(sites: number): Drawn {
  return { indices: new Int32Array(sites), kept: new Uint8Array(sites) };
}

/** Draws from softmax(logits) of `count` codes from `start` on. @throws {Failure} network-failed */
export function drawCategorical(logits: Float32Array, start: number, count: number, random: Random): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < count; c++) max = Math.max(max, logits[start + c] as number);
  if (!Number.isFinite(max))
    throw new Failure('network-failed', 'a masked model returned logits that are not finite');
  let sum = 0;
  for (let c = 0; c < count; c++) sum += Math.exp((logits[start + c] as number) - max);
  let left = random.uniform() * sum;
  for (let c = 0; c < count; c++) {
    left -= Math.exp((logits[start + c] as number) - max);
    if (left <= 0) return c;
  }
  return count - 1;
}

/**
 * A code for each site that is wanted and has none.
 * @param begun not changed @param logits sites x codes, row-major @param wanted left out: every site
 */
export function drawSites(
  begun: Drawn,
  logits: Float32Array,
  codes: number,
  random: Random,
  wanted?: Uint8Array,
): Drawn {
  const [indices, kept] = [begun.indices.slice(), begun.kept.slice()];
  for (let s = 0; s < kept.length; s++) {
    if (kept[s] === 1 || wanted?.[s] === 0) continue;
    indices[s] = drawCategorical(logits, s * codes, codes, random);
    kept[s] = 1;
  }
  return { indices, kept };
}

/** Standard normal: the latent where nothing is seen. */
export function drawPrior(size: number, random: Random): Float32Array {
  return Float32Array.from({ length: size }, () => random.normal());
}

/**
 * A draw of the Gaussian with this precision and the mean precision^-1 evidence, by Cholesky's factor.
 * @param precision row-major, symmetric  @throws {Failure} network-failed where it is no precision
 */
export function drawLatent(precision: Float32Array, evidence: Float32Array, random: Random): Float32Array {
  const n = evidence.length;
  const factor = cholesky(precision, n);
  const out = new Float64Array(n);
  // L y = evidence; then L^T z = y + noise has the mean and the covariance asked for.
  for (let i = 0; i < n; i++) {
    let sum = evidence[i] as number;
    for (let k = 0; k < i; k++) sum -= (factor[i * n + k] as number) * (out[k] as number);
    out[i] = sum / (factor[i * n + i] as number);
  }
  for (let i = 0; i < n; i++) out[i] = (out[i] as number) + random.normal();
  for (let i = n - 1; i >= 0; i--) {
    let sum = out[i] as number;
    for (let k = i + 1; k < n; k++) sum -= (factor[k * n + i] as number) * (out[k] as number);
    out[i] = sum / (factor[i * n + i] as number);
  }
  return Float32Array.from(out);
}

/** The lower triangle L of L L^T. @throws {Failure} network-failed */
function cholesky(matrix: Float32Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j] as number;
      for (let k = 0; k < j; k++) sum -= (out[i * n + k] as number) * (out[j * n + k] as number);
      if (i === j && !(sum > 0 && Number.isFinite(sum)))
        throw new Failure('network-failed', 'a masked model returned a precision that is none');
      out[i * n + j] = i === j ? Math.sqrt(sum) : sum / (out[j * n + j] as number);
    }
  return out;
}
