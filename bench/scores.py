"""Measures the bootstrap of the scores on the test set of the course's size, beside a plain loop that draws and scores one draw at a time.

The truths and predictions are random, and the samples those of the three regimes together. Ours is what rule score calls: drawing, and
the scores of all draws at once; the skill is that of two predictors by their mean losses. The plain loop draws cells and genes itself,
repeats each sample as often as it is drawn, and scores with numpy and scipy, within cells and genes one after another; each that is drawn
is scored once, and counts as often as it is drawn. Of its few draws each is scored by ours as well, and compared. Each call is a process
of its own, whose memory is the most that was resident.
"""

import math
import os
import statistics
import time

from common import in_own_process, parser, peak_memory, progress, show

# As in the course: 6 of 56 cells and 1,447 of 17,447 genes are held out.
CELLS, HELD_OUT_CELLS = 56, 6
GENES, HELD_OUT_GENES = 17_447, 1_447
# The largest difference between the two that rounding explains.
TOLERANCE = 1e-9
PER = 1000


def seen(cells, genes):
    """Return how many cells and genes are not held out."""
    return cells - round(cells * HELD_OUT_CELLS / CELLS), genes - round(genes * HELD_OUT_GENES / GENES)


def random_block(cells, genes):
    """Return a truth, two predictions with ties, and the mask of the held-out samples, all [cell, gene]."""
    import numpy as np

    rng = np.random.default_rng(1)
    shape = cells, genes
    truth = 3 + 2 * rng.normal(size=genes) + 0.5 * rng.normal(size=(cells, 1)) + rng.normal(size=shape)
    one, other = (np.round(truth + spread * rng.normal(size=shape), 2) for spread in (1, 2))
    seen_cells, seen_genes = seen(cells, genes)
    block = np.ones(shape, bool)
    block[:seen_cells, :seen_genes] = False
    return np.where(block, truth, np.nan), one, other, block


def score_ours(row, truth, one, other, block, draws):
    """Return the scores of a row of the table for all draws, as a dict from names to [1 + draw]."""
    import numpy as np

    from wakawaka.statistics import weighted_metrics

    if row == "values":
        found = weighted_metrics.value_scores(truth, one, block, draws)
        return {name: found[name] for name in ("mse", "r2", "pearson", "pearson_across_genes", "pearson_across_cells")}
    if row == "skill":
        losses = [weighted_metrics.mean_loss((truth - predicted) ** 2, block, draws) for predicted in (one, other)]
        return {"skill": 1 - losses[0] / losses[1]}
    if row == "ranks":
        return weighted_metrics.rank_scores(truth, one, block, draws)
    return weighted_metrics.label_scores(np.where(block, truth > 3, np.nan), one, block, draws)


def score_plain(row, truth, one, other, block, cells, genes):
    """Return the scores of a row of the table for one draw; cells and genes are how often each is drawn."""
    import numpy as np

    truth = truth > 3 if row == "labels" else truth
    copies = np.repeat(np.flatnonzero(block), np.outer(cells, genes)[block])
    known, said = truth.ravel()[copies], one.ravel()[copies]
    if row == "skill":
        return {"skill": 1 - np.mean((known - said) ** 2) / np.mean((known - other.ravel()[copies]) ** 2)}
    found = {}
    if row == "values":
        found["mse"] = np.mean((known - said) ** 2)
        found["r2"] = 1 - found["mse"] / known.var()
    for score in {"values": [pearson], "ranks": [spearman], "labels": [auroc, aupr]}[row]:
        name = score.__name__
        found[name] = score(known, said)
        found[f"{name}_across_genes"] = mean_within(score, truth, one, block, cells, genes)
        if name != "aupr":
            found[f"{name}_across_cells"] = mean_within(score, truth.T, one.T, block.T, genes, cells)
    return found


def mean_within(score, truth, predicted, block, outer, inner):
    """Return the mean of a score within rows that are drawn as often as `outer` says, of samples drawn as often as `inner` says."""
    import numpy as np

    total = weight = 0
    for row in np.flatnonzero(outer):
        columns = np.flatnonzero(block[row] & (inner > 0))
        if len(columns) > 2 or (len(columns) and truth.dtype == bool):
            copies = np.repeat(columns, inner[columns])
            found = score(truth[row, copies], predicted[row, copies])
            if not np.isnan(found):
                total, weight = total + outer[row] * found, weight + outer[row]
    return total / weight if weight else np.nan


def pearson(truth, predicted):
    import numpy as np

    return np.corrcoef(truth, predicted)[0, 1] if np.ptp(truth) and np.ptp(predicted) else np.nan


def spearman(truth, predicted):
    from scipy.stats import rankdata

    return pearson(rankdata(truth), rankdata(predicted))


def auroc(truth, predicted):
    import numpy as np
    from scipy.stats import rankdata

    true = int(truth.sum())
    pairs = true * (len(truth) - true)
    return (rankdata(predicted)[truth].sum() - true * (true + 1) / 2) / pairs if pairs else np.nan


def aupr(truth, predicted):
    import numpy as np

    if truth.all() or not truth.any():
        return np.nan
    order = np.argsort(-predicted)
    last = np.append(np.diff(predicted[order]) != 0, True)
    true, taken = np.cumsum(truth[order])[last], np.flatnonzero(last) + 1
    return np.sum(np.diff(true, prepend=0) * true / taken) / true[-1]


def run_ours(row, sizes, count):
    """Draw, and score all draws; return (seconds, MB)."""
    import numpy as np

    from wakawaka.statistics.bootstrap import draw

    *values, block = random_block(**sizes)
    start = time.monotonic()
    score_ours(row, *values, block, draw(block, np.arange(sizes["genes"]), count, 1))
    return time.monotonic() - start, peak_memory()


def run_plain(row, sizes, count):
    """Draw and score one draw after another; return (seconds, MB, the largest difference to ours on the same draws)."""
    import numpy as np
    import scipy.stats  # noqa: F401 - its import is not measured

    from wakawaka.statistics.bootstrap import Draws

    *values, block = random_block(**sizes)
    rng = np.random.default_rng(1)
    start = time.monotonic()
    drawn, found = [], []
    for _ in range(count):
        # All cells and genes have samples in the block.
        times = [np.bincount(rng.integers(size, size=size), minlength=size) for size in block.shape]
        drawn.append(times)
        found.append(score_plain(row, *values, block, *times))
    seconds, memory = time.monotonic() - start, peak_memory()
    draws = Draws(*(np.array(weights, np.float64) for weights in zip(*drawn, strict=True)), "genes and cells")
    ours = score_ours(row, *values, block, draws)
    differences = [ours[name] - [of_draw[name] for of_draw in found] for name in found[0]]
    return seconds, memory, float(np.max(np.abs(differences)))


ROWS = ("values", "skill", "ranks", "labels")


def measure(options, row):
    """Return the row of the table."""
    sizes = {"cells": options.cells, "genes": options.genes}
    draws = options.draws if row in ("values", "skill") else options.rank_draws
    times, memory, their_memory, differences = {"ours": [], "plain": []}, [], [], []
    for number in range(1, options.alternations + 1):
        progress("%s: alternation %d of %d", row, number, options.alternations)
        (seconds, megabytes), *_ = in_own_process(run_ours, row, sizes, draws)
        times["ours"].append(seconds)
        memory.append(megabytes)
        (seconds, megabytes, difference), *_ = in_own_process(run_plain, row, sizes, options.plain_draws)
        times["plain"].append(seconds)
        their_memory.append(megabytes)
        differences.append(difference)
    ours = statistics.median(times["ours"])
    per, plain = PER * ours / draws, PER * statistics.median(times["plain"]) / options.plain_draws
    # Those that are not a number are not equal.
    wrong = [difference for difference in differences if not difference <= TOLERANCE]
    equal = f"NO: {wrong[0]:.2g}" if wrong else "yes"
    return {
        "scores": row, "draws": draws, "ours s": ours, f"ours s per {PER:,}": per, f"plain s per {PER:,}": plain,
        "plain / ours": plain / per, "MB": max(memory), "plain MB": max(their_memory), "equal": equal,
    }  # fmt: skip


def main():
    options = parser(__doc__)
    # As rule score, which has one for each predictor.
    options.set_defaults(threads=1)
    options.add_argument("--cells", type=int, default=CELLS, help="the held-out ones among them (default: %(default)s)")
    options.add_argument("--genes", type=int, default=GENES, help="the held-out ones among them (default: %(default)s)")
    options.add_argument("--draws", type=int, default=1000, help="of values and the skill (default: %(default)s)")
    options.add_argument("--rank-draws", type=int, default=200, help="of ranks and labels (default: %(default)s)")
    options.add_argument("--plain-draws", type=int, default=3, help="of the plain loop (default: %(default)s)")
    options.add_argument("--alternations", type=int, default=3, help="of ours and plain (default: %(default)s)")
    options = options.parse_args()
    # What numpy multiplies matrices with reads these when it is imported, in the processes of the calls.
    os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(options.threads))
    rows = [measure(options, row) for row in ROWS]
    cells, genes = options.cells, options.genes
    count = cells * genes - math.prod(seen(cells, genes))
    title = f"Scores of {count:,} held-out samples of {cells} cells x {genes:,} genes, threads: {options.threads}"
    notes = [f"The plain loop made {options.plain_draws} draws; its seconds are those of {PER:,} at the same speed."]
    show(options, title, rows, notes)
    if any(row["equal"] != "yes" for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
