/**
 * The average brain of the training heads: the mean of their posed brain masks, smoothed by 4 mm, mirrored onto itself.
 * 56^3 at 4 mm, bytes (255 = all heads). Made by `scripts/make-brain-template.mjs` from the train split; no person's.
 */
import { multiply, scaling, translation } from '../volume/affine.js';
import type { Grid, Volume } from '../volume/volume.js';
import { BRAIN_TEMPLATE_BASE64 } from './template-data.js';

export const TEMPLATE_SIZE = 56;
export const TEMPLATE_SPACING = 4;

export function templateGrid(): Grid {
  const half = ((TEMPLATE_SIZE - 1) / 2) * TEMPLATE_SPACING;
  return {
    shape: [TEMPLATE_SIZE, TEMPLATE_SIZE, TEMPLATE_SIZE],
    affine: multiply(
      translation(-half, -half, -half),
      scaling(TEMPLATE_SPACING, TEMPLATE_SPACING, TEMPLATE_SPACING),
    ),
  };
}

let cached: Volume | undefined;

/** Values 0 to 1. */
export function brainTemplate(): Volume {
  if (cached === undefined) {
    const text = atob(BRAIN_TEMPLATE_BASE64);
    const data = new Float32Array(TEMPLATE_SIZE ** 3);
    for (let i = 0; i < data.length; i++) data[i] = text.charCodeAt(i) / 255;
    cached = { grid: templateGrid(), data };
  }
  return cached;
}
