"""Measures the bootstrap of the scores on a test set of the course's size, compared with a plain loop.

Truths and predictions are random. The samples are those of the three regimes of the test set together. Ours is what
rule score calls: it draws the replicates, and computes the scores of all of them at once. The skill is that of two
predictors by their mean losses. The plain loop draws cells and genes by itself, repeats each sample as often as it is
drawn, and scores with numpy and scipy, within one cell and one gene after another. A cell or gene that is drawn several
times is scored once, with that weight. The few replicates of the plain loop are also scored by ours, and the scores
compared. Each call is a process of its own; its memory is the peak of what was resident.
"""

import argparse
import math
import os
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from common import Row, in_own_process, parser, peak_memory, progress, show

if TYPE_CHECKING:
    from wakawaka.statistics.bootstrap import Replicates

# As in the course: 6 of 56 cells and 1,447 of 17,447 genes are held out.
CELLS, HELD_OUT_CELLS = 56, 6
GENES, HELD_OUT_GENES = 17_447, 1_447
# The largest difference between the two that rounding explains.
TOLERANCE = 1e-9
# Seconds are given per so many replicates.
PER = 1000
ROWS = ("values", "skill", "ranks", "labels")

Score = Callable[[np.ndarray, np.ndarray], float]


class Samples(NamedTuple):
    """Samples to be scored, as arrays [cell, gene].

    Attributes:
        truth: float64, NaN outside the mask.
        one, other: float64, the predictions of two predictors, with ties.
        mask: bool, the held-out samples.
    """

    truth: np.ndarray
    one: np.ndarray
    other: np.ndarray
    mask: np.ndarray


def training_sizes(cells: int, genes: int) -> tuple[int, int]:
    """Return how many cells and genes are not held out."""
    return cells - round(cells * HELD_OUT_CELLS / CELLS), genes - round(genes * HELD_OUT_GENES / GENES)


def random_samples(cells: int, genes: int) -> Samples:
    """Return random truths and predictions of all cells and genes."""
    rng = np.random.default_rng(1)
    shape = cells, genes
    truth = 3 + 2 * rng.normal(size=genes) + 0.5 * rng.normal(size=(cells, 1)) + rng.normal(size=shape)
    one, other = (np.round(truth + spread * rng.normal(size=shape), 2) for spread in (1, 2))
    training_cells, training_genes = training_sizes(cells, genes)
    mask = np.ones(shape, bool)
    mask[:training_cells, :training_genes] = False
    return Samples(np.where(mask, truth, np.nan), one, other, mask)


def score_ours(row: str, samples: Samples, replicates: "Replicates") -> dict[str, np.ndarray]:
    """Return the scores of a row of the table for all replicates, as a dict from names to [1 + replicate] float64."""
    from wakawaka.statistics import weighted_metrics

    truth, one, other, mask = samples
    if row == "values":
        found = weighted_metrics.value_scores(truth, one, mask, replicates)
        return {name: found[name] for name in ("mse", "r2", "pearson", "pearson_across_genes", "pearson_across_cells")}
    if row == "skill":
        losses = [weighted_metrics.mean_loss((truth - predicted) ** 2, mask, replicates) for predicted in (one, other)]
        return {"skill": 1 - losses[0] / losses[1]}
    if row == "ranks":
        return weighted_metrics.rank_scores(truth, one, mask, replicates)
    return weighted_metrics.label_scores(np.where(mask, truth > 3, np.nan), one, mask, replicates)


def score_plain(row: str, samples: Samples, cells: np.ndarray, genes: np.ndarray) -> dict[str, float]:
    """Return the scores of a row of the table for one replicate.

    Args:
        row: name of the row.
        samples: truths and predictions.
        cells, genes: [cell] and [gene] int64, how often each is drawn.
    """
    truth, one, other, mask = samples
    truth = truth > 3 if row == "labels" else truth
    copies = np.repeat(np.flatnonzero(mask), np.outer(cells, genes)[mask])
    known, predicted = truth.ravel()[copies], one.ravel()[copies]
    if row == "skill":
        return {"skill": 1 - np.mean((known - predicted) ** 2) / np.mean((known - other.ravel()[copies]) ** 2)}
    found = {}
    if row == "values":
        found["mse"] = np.mean((known - predicted) ** 2)
        found["r2"] = 1 - found["mse"] / known.var()
    scores: dict[str, list[Score]] = {"values": [pearson], "ranks": [spearman], "labels": [auroc, aupr]}
    for score in scores[row]:
        name = score.__name__
        found[name] = score(known, predicted)
        found[f"{name}_across_genes"] = mean_within(score, truth, one, mask, cells, genes)
        if name != "aupr":
            found[f"{name}_across_cells"] = mean_within(score, truth.T, one.T, mask.T, genes, cells)
    return found


def mean_within(
    score: Score, truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray, outer: np.ndarray, inner: np.ndarray
) -> float:
    """Return the weighted mean of a score that is computed within each row; NaN if it is undefined in all rows.

    Args:
        score: function of truths and predictions [sample].
        truth, predicted, mask: [row, column].
        outer: [row] int64, how often each row is drawn: its weight in the mean.
        inner: [column] int64, how often each column is drawn: the number of copies of its sample.
    """
    total = weight = 0
    for row in np.flatnonzero(outer):
        columns = np.flatnonzero(mask[row] & (inner > 0))
        if len(columns) > 2 or (len(columns) and truth.dtype == bool):
            copies = np.repeat(columns, inner[columns])
            found = score(truth[row, copies], predicted[row, copies])
            if not np.isnan(found):
                total, weight = total + outer[row] * found, weight + outer[row]
    return total / weight if weight else np.nan


def pearson(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the correlation, NaN if a side is constant."""
    return np.corrcoef(truth, predicted)[0, 1] if np.ptp(truth) and np.ptp(predicted) else np.nan


def spearman(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the correlation of the mean ranks."""
    from scipy.stats import rankdata

    return pearson(rankdata(truth), rankdata(predicted))


def auroc(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the area under the ROC curve of labels [sample] bool, NaN if all are equal."""
    from scipy.stats import rankdata

    true = int(truth.sum())
    pairs = true * (len(truth) - true)
    return (rankdata(predicted)[truth].sum() - true * (true + 1) / 2) / pairs if pairs else np.nan


def aupr(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the average precision of labels [sample] bool, NaN if all are equal."""
    if truth.all() or not truth.any():
        return np.nan
    order = np.argsort(-predicted)
    last = np.append(np.diff(predicted[order]) != 0, True)
    true, taken = np.cumsum(truth[order])[last], np.flatnonzero(last) + 1
    return np.sum(np.diff(true, prepend=0) * true / taken) / true[-1]


def run_ours(row: str, sizes: dict[str, int], count: int) -> tuple[float, float]:
    """Draw `count` replicates and score all of them; return (seconds, peak MB)."""
    from wakawaka.statistics.bootstrap import draw_replicates

    samples = random_samples(**sizes)
    start = time.monotonic()
    score_ours(row, samples, draw_replicates(samples.mask, np.arange(sizes["genes"]), count, 1))
    return time.monotonic() - start, peak_memory()


def run_plain(row: str, sizes: dict[str, int], count: int) -> tuple[float, float, float]:
    """Draw and score one replicate after another; return (seconds, peak MB, largest difference from ours)."""
    import scipy.stats  # noqa: F401 - its import is not measured

    from wakawaka.statistics.bootstrap import Replicates

    samples = random_samples(**sizes)
    rng = np.random.default_rng(1)
    start = time.monotonic()
    drawn, found = [], []
    for _ in range(count):
        # All cells and genes have samples in the mask.
        times = [np.bincount(rng.integers(size, size=size), minlength=size) for size in samples.mask.shape]
        drawn.append(times)
        found.append(score_plain(row, samples, *times))
    seconds, memory = time.monotonic() - start, peak_memory()
    replicates = Replicates(*(np.array(weights, np.float64) for weights in zip(*drawn, strict=True)), "genes and cells")
    ours = score_ours(row, samples, replicates)
    differences = [ours[name] - [scores[name] for scores in found] for name in found[0]]
    return seconds, memory, float(np.max(np.abs(differences)))


def measure(options: argparse.Namespace, row: str) -> Row:
    """Return a row of the table."""
    sizes = {"cells": options.cells, "genes": options.genes}
    replicates = options.replicates if row in ("values", "skill") else options.rank_replicates
    ours, plain = [], []
    for number in range(1, options.alternations + 1):
        progress("%s: alternation %d of %d", row, number, options.alternations)
        ours.append(in_own_process(run_ours, row, sizes, replicates)[0])
        plain.append(in_own_process(run_plain, row, sizes, options.plain_replicates)[0])
    ours_seconds, ours_memory = zip(*ours, strict=True)
    plain_seconds, plain_memory, differences = zip(*plain, strict=True)
    seconds = statistics.median(ours_seconds)
    ours_per, plain_per = PER * seconds / replicates, PER * statistics.median(plain_seconds) / options.plain_replicates
    # A difference that is NaN is an error, too.
    wrong = [difference for difference in differences if not difference <= TOLERANCE]
    return {
        "scores": row,
        "replicates": replicates,
        "ours s": seconds,
        f"ours s per {PER:,}": ours_per,
        f"plain s per {PER:,}": plain_per,
        "plain / ours": plain_per / ours_per,
        "MB": max(ours_memory),
        "plain MB": max(plain_memory),
        "equal": f"NO: {wrong[0]:.2g}" if wrong else "yes",
    }


def parsed_options() -> argparse.Namespace:
    """Return the options of the command line."""
    arguments = parser(__doc__)
    # As in rule score, which has one thread for each predictor.
    arguments.set_defaults(threads=1)
    for name, default, text in (
        ("cells", CELLS, "number of cells, with the held-out ones"),
        ("genes", GENES, "number of genes, with the held-out ones"),
        ("replicates", 1000, "number of bootstrap replicates of values and skill"),
        ("rank-replicates", 200, "number of bootstrap replicates of ranks and labels"),
        ("plain-replicates", 3, "number of bootstrap replicates of the plain loop"),
        ("alternations", 3, "how often ours and plain are run alternately"),
    ):
        arguments.add_argument(f"--{name}", type=int, default=default, help=f"{text} (default: %(default)s)")
    return arguments.parse_args()


def main() -> None:
    """Measure all rows and print the table; exit with 1 if ours and the plain loop differ."""
    options = parsed_options()
    # The library that multiplies numpy's matrices reads these when it is imported, in the processes of the calls.
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(options.threads))
    rows = [measure(options, row) for row in ROWS]
    cells, genes = options.cells, options.genes
    count = cells * genes - math.prod(training_sizes(cells, genes))
    title = f"Scores of {count:,} held-out samples of {cells} cells x {genes:,} genes, threads: {options.threads}"
    made = f"The plain loop made {options.plain_replicates} replicates; "
    show(options, title, rows, [f"{made}its seconds are those of {PER:,} at the same speed."])
    if any(row["equal"] != "yes" for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
