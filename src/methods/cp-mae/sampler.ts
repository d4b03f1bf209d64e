/**
 * Iterative sampling from a masked model (the "sampling stage" of CP-MAE, after MaskGIT, Chang 2022): all sites start
 * masked; in each step every masked site is drawn from its distribution, and the surest draws are kept, a cosine
 * schedule deciding how many.
 *
 * @example
 * const options = { steps: 12, temperature: 1, choiceNoise: 4.5 };
 * const { indices } = await sampleCodes(undrawn(384), 240, predict, random, options);
 */
import { Failure } from '../../errors/errors.js';
import type { Random } from '../../volume/random.js';

export interface SamplingOptions {
  /** Forward passes of the model. */
  readonly steps: number;
  /** Of the distributions that are drawn from; below 1 heads grow alike, above 1 they come apart. */
  readonly temperature: number;
  /** Gumbel noise on the confidence that decides which draws stay, falling to 0 over the steps (MaskGIT: 4.5). */
  readonly choiceNoise: number;
}

/** Logits, `sites` x `codes` row-major, given the codes so far and which of them are kept. */
export type Predict = (indices: Int32Array, kept: Uint8Array) => Promise<Float32Array>;

/** Draws from softmax(logits / temperature); returns the index and its log-probability. */
export function drawCategorical(
  logits: Float32Array,
  start: number,
  count: number,
  temperature: number,
  random: Random,
): { index: number; logProbability: number } {
  let max = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < count; c++) max = Math.max(max, logits[start + c] as number);
  if (!Number.isFinite(max))
    throw new Failure('network-failed', 'a masked model returned logits that are not finite');
  let sum = 0;
  for (let c = 0; c < count; c++) sum += Math.exp(((logits[start + c] as number) - max) / temperature);
  let left = random.uniform() * sum;
  let index = count - 1;
  for (let c = 0; c < count; c++) {
    left -= Math.exp(((logits[start + c] as number) - max) / temperature);
    if (left <= 0) {
      index = c;
      break;
    }
  }
  return { index, logProbability: ((logits[start + index] as number) - max) / temperature - Math.log(sum) };
}

/** How many sites stay masked after step t (1-based) of `steps`: ceil(cos(pi t / 2 steps) * sites), 0 at the end. */
export function stillMasked(sites: number, t: number, steps: number): number {
  return t >= steps ? 0 : Math.ceil(Math.cos((Math.PI * t) / (2 * steps)) * sites);
}

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

/**
 * @param begun not changed
 * @param wanted 1 where sites are drawn; left out: everywhere. What is kept stays in any case
 */
export async function sampleCodes(
  begun: Drawn,
  codes: number,
  predict: Predict,
  random: Random,
  options: SamplingOptions,
  wanted?: Uint8Array,
): Promise<Drawn> {
  const [indices, kept] = [begun.indices.slice(), begun.kept.slice()];
  const isOpen = (s: number): boolean => kept[s] === 0 && wanted?.[s] !== 0;
  const total = [...kept.keys()].filter(isOpen).length;
  for (let t = 1; t <= options.steps && total > 0; t++) {
    const logits = await predict(indices, kept);
    const noise = options.choiceNoise * (1 - t / options.steps);
    const order: { readonly site: number; readonly confidence: number }[] = [];
    for (let s = 0; s < kept.length; s++) {
      if (!isOpen(s)) continue;
      const drawn = drawCategorical(logits, s * codes, codes, options.temperature, random);
      indices[s] = drawn.index;
      order.push({ site: s, confidence: drawn.logProbability + noise * random.gumbel() });
    }
    order.sort((a, b) => a.confidence - b.confidence || a.site - b.site);
    for (const { site } of order.slice(stillMasked(total, t, options.steps))) kept[site] = 1;
  }
  return { indices, kept };
}
