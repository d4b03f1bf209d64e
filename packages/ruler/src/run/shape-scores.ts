/**
 * Distances between lists of surfaces, remembered: those of 36 heads with 36 others take half a minute, and a report
 * asks for the same ones again.
 *
 * @example
 * const scores = new ShapeScores(store);
 * const similarity = scores.similarity(originals, treated, 'face');
 */

import { VERSION } from 'prosopon';
import { type HeadShape, type ShapeRegion, shapeSimilarity, surfaceDistances } from '../privacy/geometry.js';
import { type FeatureStore, keyOf } from './store.js';

type Score = (
  queries: readonly HeadShape[],
  candidates: readonly HeadShape[],
  region: ShapeRegion,
) => Float64Array;

export class ShapeScores {
  readonly #store: FeatureStore;

  constructor(store: FeatureStore) {
    this.#store = store;
  }

  /** As `surfaceDistances`. */
  distances(
    queries: readonly HeadShape[],
    candidates: readonly HeadShape[],
    region: ShapeRegion,
  ): Float64Array {
    return this.#remembered('distances', surfaceDistances, queries, candidates, region);
  }

  /** As `shapeSimilarity`. */
  similarity(
    queries: readonly HeadShape[],
    candidates: readonly HeadShape[],
    region: ShapeRegion,
  ): Float64Array {
    return this.#remembered('similarity', shapeSimilarity, queries, candidates, region);
  }

  #remembered(
    name: string,
    score: Score,
    queries: readonly HeadShape[],
    candidates: readonly HeadShape[],
    region: ShapeRegion,
  ): Float64Array {
    const key = keyOf(VERSION, name, queries, candidates, region);
    const path = ['surfaces', name, key];
    const known = this.#store.read<Float64Array>(path, key);
    if (known !== undefined) return known;
    const made = score(queries, candidates, region);
    this.#store.write(path, key, made);
    return made;
  }
}
