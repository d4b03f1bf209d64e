"""Compares the evaluation's statistics with scipy, numpy and (where it is installed) scikit-learn.

Seeded cases are computed by `scripts/statistics-driver.mjs` with the compiled package and compared.

    npm run build && python3 scripts/check-statistics-scipy.py

Exit status: 0 all agree, 1 some do not, 77 scipy is missing.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    from scipy import special, stats
except ImportError as missing:
    print(f"scipy is not installed: {missing}")
    sys.exit(77)
try:
    from sklearn.metrics import f1_score, roc_auc_score
except ImportError:
    f1_score = roc_auc_score = None

SEED = 20261122
HERE = Path(__file__).resolve().parent


def signed_rank_by_hand(differences):
    """All sign patterns: what the exact test says with ties, which scipy's exact mode does not take."""
    kept = differences[differences != 0]
    ranks = stats.rankdata(np.abs(kept))
    positive = ranks[kept > 0].sum()
    least = min(positive, ranks.sum() - positive)
    sums = [np.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=len(ranks))]
    return least, min(1.0, 2 * np.mean(np.array(sums) <= least + 1e-9))


def anova_icc21(a, b):
    """Shrout and Fleiss from the table of a two-way analysis of variance, written for any number of raters."""
    x = np.stack([a, b], 1)
    n, k = x.shape
    ms_rows = k * ((x.mean(1) - x.mean()) ** 2).sum() / (n - 1)
    ms_columns = n * ((x.mean(0) - x.mean()) ** 2).sum() / (k - 1)
    rest = x - x.mean(1, keepdims=True) - x.mean(0, keepdims=True) + x.mean()
    ms_error = (rest**2).sum() / ((n - 1) * (k - 1))
    return (ms_rows - ms_error) / (ms_rows + (k - 1) * ms_error + k / n * (ms_columns - ms_error))


def cases(rng):
    """(name, job, expected, tolerance)"""
    def case(name, op, expected, tolerance=1e-9, **data):
        job = {"op": op, **{k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in data.items()}}
        return name, job, np.atleast_1d(np.asarray(expected, float)), tolerance

    for n, m, step in ((5, 9, 0), (40, 700, 0), (30, 300, 0.5)):
        a, b = rng.normal(0.7, 1, n), rng.normal(0, 1, m)
        if step:
            a, b = np.round(a / step) * step, np.round(b / step) * step
        expected = stats.mannwhitneyu(a, b).statistic / (n * m)
        yield case(f"ROC AUC {n} x {m}, step {step}", "auc", expected, a=a, b=b)
        if roc_auc_score:
            expected = roc_auc_score(np.r_[np.ones(n), np.zeros(m)], np.r_[a, b])
            yield case(f"ROC AUC of scikit-learn {n} x {m}", "auc", expected, a=a, b=b)
    a, b = rng.random(4000) < 0.3, rng.random(4000) < 0.4
    expected = 2 * (a & b).sum() / (a.sum() + b.sum())
    yield case("Dice", "dice", expected, a=a.astype(int), b=b.astype(int))
    if f1_score:
        yield case("Dice, scikit-learn's F1", "dice", f1_score(a, b), a=a.astype(int), b=b.astype(int))
    a, b = rng.integers(0, 5, 3000) * 50, rng.integers(0, 5, 3000) * 50
    expected = [2 * ((a == v) & (b == v)).sum() / ((a == v).sum() + (b == v).sum()) for v in (50, 100, 200)]
    yield case("Dice by label", "labels", expected, a=a, b=b, labels=[50, 100, 200])
    for shift, noise in ((0, 0.1), (0.8, 0.4), (0, 5)):
        a = rng.normal(10, 1, 25)
        b = a + shift + rng.normal(0, noise, 25)
        yield case(f"ICC(2,1), shift {shift}, noise {noise}", "icc", anova_icc21(a, b), a=a, b=b)
    for n in (2, 7, 400):
        a, q = rng.normal(size=n), np.array([0, 0.025, 0.3, 0.5, 0.975, 1])
        yield case(f"mean, s.d., quantiles of {n}", "summary", [a.mean(), a.std(ddof=1), *np.quantile(a, q)], a=a, q=q)
    for n, mean in ((6, 1), (36, 0.3), (301, 0.1)):
        a = rng.normal(mean, 1, n)
        p = stats.binomtest(int((a > 0).sum()), n).pvalue
        yield case(f"sign test of {n}", "sign", p, a=a)
        exact = n <= 200
        found = stats.wilcoxon(a, mode="exact" if exact else "approx")
        yield case(f"signed ranks of {n}", "wilcoxon", [found.statistic, found.pvalue], 1e-8, a=a)
    a = np.round(rng.normal(0.6, 2, 400))
    found = stats.wilcoxon(a, mode="approx")
    yield case("signed ranks of 400, ties and zeros", "wilcoxon", [found.statistic, found.pvalue], 1e-8, a=a)
    for trial in range(3):
        a = np.round(rng.normal(0.8, 2, 13))
        yield case(f"signed ranks with ties, by hand {trial}", "wilcoxon", signed_rank_by_hand(a), a=a)
    for n, share in ((3, 0.5), (18, 0.5), (36, 0), (500, 0.1), (36, 0.999)):
        a = rng.normal(size=n)
        b = share * a + (1 - share) * rng.normal(size=n)
        yield case(f"Pearson {n}, {share}", "pearson", stats.pearsonr(a, b), 1e-9, a=a, b=b)
        a, b = np.round(a, 1), np.round(b, 1)
        yield case(f"Spearman {n}, {share}", "spearman", stats.spearmanr(a, b), 1e-9, a=a, b=b)
    a = rng.integers(0, 9, 50).astype(float)
    yield case("ranks", "ranks", stats.rankdata(a), a=a)
    for x, p, q in ((0.01, 8, 0.5), (0.5, 0.5, 0.5), (0.999, 250, 0.5), (0.2, 2.5, 40)):
        yield case(f"incomplete beta {x} {p} {q}", "beta", special.betainc(p, q, x), 1e-11, x=x, a=p, b=q)
    # Both intervals are random; with 20,000 resamples their ends are sure to about 0.02 standard errors.
    a = rng.exponential(1, 36)
    drawn = rng.choice(a, (20000, 36)).mean(1)
    error = a.std() / 6
    yield case("bootstrap interval", "bootstrap", np.quantile(drawn, [0.025, 0.975]), 0.1 * error, a=a, resamples=20000)


def main():
    listed = list(cases(np.random.default_rng(SEED)))
    with tempfile.TemporaryDirectory() as folder:
        jobs, results = Path(folder) / "jobs.json", Path(folder) / "results.json"
        jobs.write_text(json.dumps([job for _, job, _, _ in listed]))
        command = [os.environ.get("NODE", "node"), str(HERE / "statistics-driver.mjs"), str(jobs), str(results)]
        subprocess.run(command, check=True)
        found = json.loads(results.read_text())
    wrong = 0
    for (name, _, expected, tolerance), values in zip(listed, found):
        values = np.array([np.nan if v is None else v for v in values], float)
        worst = np.abs(values - expected).max() if values.shape == expected.shape else np.inf
        if not worst <= tolerance:
            wrong += 1
            print(f"differs: {name}: {values} instead of {expected}")
    print(f"{len(listed)} cases, {wrong} differ" + ("" if roc_auc_score else "; scikit-learn is not installed"))
    return 1 if wrong else 0


sys.exit(main())
