/**
 * The product's side of scripts/check-statistics-scipy.py: computes each job of a list with the compiled package and
 * writes the numbers as JSON, NaN as null.
 *
 * @example
 * node scripts/statistics-driver.mjs JOBS.json RESULTS.json   # [{ "op": NAME, ... }, ...] to [[number, ...], ...]
 */
import './lib/help.mjs';
import { readFileSync, writeFileSync } from 'node:fs';
import { Random } from '../dist/volume/random.js';
import {
  incompleteBeta,
  midRanks,
  pearson,
  spearman,
  wilcoxonSignedRank,
} from '../packages/ruler/dist/statistics/significance.js';
import {
  bootstrap,
  dice,
  diceByLabel,
  icc21,
  mean,
  quantiles,
  rocAuc,
  sd,
  signTest,
} from '../packages/ruler/dist/statistics/statistics.js';

const OPERATIONS = {
  auc: ({ a, b }) => [rocAuc(a, b)],
  dice: ({ a, b }) => [dice(a, b)],
  labels: ({ a, b, labels }) => diceByLabel(a, b, labels).map((row) => row.dice),
  icc: ({ a, b }) => [icc21(a, b)],
  summary: ({ a, q }) => [mean(a), sd(a), ...quantiles(a, q)],
  sign: ({ a }) => [signTest(a).p],
  wilcoxon: ({ a }) => {
    const { positive, negative, p } = wilcoxonSignedRank(a);
    return [Math.min(positive, negative), p];
  },
  pearson: ({ a, b }) => [pearson(a, b).r, pearson(a, b).p],
  spearman: ({ a, b }) => [spearman(a, b).r, spearman(a, b).p],
  ranks: ({ a }) => [...midRanks(a)],
  beta: ({ x, a, b }) => [incompleteBeta(x, a, b)],
  bootstrap: ({ a, resamples }) => {
    const random = new Random(Uint32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const { low, high } = bootstrap(a.length, (s) => mean(Array.from(s, (i) => a[i])), random, resamples);
    return [low, high];
  },
};

const jobs = JSON.parse(readFileSync(process.argv[2], 'utf8'));
writeFileSync(process.argv[3], JSON.stringify(jobs.map((job) => OPERATIONS[job.op](job))));
