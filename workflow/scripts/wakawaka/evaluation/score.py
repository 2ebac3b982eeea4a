"""The scores of all predictors in one table: regime by regime, with intervals, and in pairs.

The table has a row for each combination of
set: test; validation, the samples that the folds hold out; train.
regime: those of regimes.py, and `pool`, all held-out samples together, for comparison with published numbers.
similarity: `all`, or a bin of the held-out genes' similarity to training genes.
run: `final`; `fold_mean`, the mean of the fold models' predictions; fold-1 ...; `mean`, the mean of the folds' scores by samples.
predictor, metric, and for skills and differences `baseline`, the predictor that is compared with.

The other columns are value; ci_low and ci_high, the 95% interval of a bootstrap over genes and cells; resampled, which of the two
the bootstrap resamples; and the numbers of cells, genes and samples. Single folds have no intervals. In the pool only genes are
resampled, held-out and other genes apart, so that every replicate has the same mixture of regimes.

The metrics are those of weighted_metrics.py, and
skill: 1 - loss / loss of the baseline on the same samples and replicates. The loss is the MSE, or the log loss for labels.
<metric>_difference: the score of a model minus the score of the baseline on the same replicates.
pearson_beyond_gene_mean, spearman_beyond_gene_mean: the correlation after each gene's mean over the run's training samples is
subtracted from truths and predictions. Only knowledge of the cell counts, and a prediction that is equal in all cells has no
such correlation. Only regimes of seen genes have them.
coverage: the share of truths within 1.96 standard deviations of the mean of the fold models.
spread_factor: the number that these standard deviations must be multiplied by to cover 95%.
spread_error_rank: Spearman's correlation of the standard deviation and the absolute error.
calibration_error: for labels, the expected calibration error of the mean of the fold models.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from wakawaka.core.files import PathLike, write_table
from wakawaka.evaluation import labels
from wakawaka.evaluation.labels import ALL, BASELINES, FOLD_MEAN, MEAN, SIMILARITY_ENDS, SIMILARITY_NAMES
from wakawaka.evaluation.predictor_scores import (
    Samples,
    Scores,
    compared,
    mean_over_folds,
    predictor_scores,
    spread_scores,
)
from wakawaka.prediction.prediction_files import check_same_samples, read_run, read_test
from wakawaka.splits.regimes import BOTH_UNSEEN, FINAL, HELD_OUT, POOL, POOLED, TRAIN, UNSEEN_GENE
from wakawaka.splits.samples import read_groups, read_similarity
from wakawaka.statistics import weighted_metrics
from wakawaka.statistics.bootstrap import Replicates, draw_replicates, interval

log = logging.getLogger(__name__)

COLUMNS = ["set", "regime", "similarity", "run", "predictor", "metric", "baseline", "value", "ci_low", "ci_high"]
COLUMNS += ["resampled", "cells", "genes", "samples"]

# The regimes whose genes have no training samples.
UNSEEN_GENES = (UNSEEN_GENE, BOTH_UNSEEN)


@dataclass(frozen=True)
class ScoreSettings:
    """How predictors are scored.

    Attributes:
        replicates: number of bootstrap replicates.
        rank_replicates: number of them for scores of ranks, which take longer.
        seed: seed of the bootstrap.
        binary: whether truths are 0 or 1 and predictions are probabilities.
        threads: number of predictors that are scored at a time.
    """

    replicates: int
    rank_replicates: int
    seed: int
    binary: bool
    threads: int


class Run(NamedTuple):
    """The samples and the predictions of one run; arrays are [cell, gene] in the order of the store.

    Attributes:
        name: final, fold-1, ...
        regimes: [cell, gene] str.
        truth: [cell, gene] float64, NaN where unknown.
        predicted: dict from (predictor, run) to [cell, gene] float64.
        similarity: [gene] float64, the similarity to the most similar training gene, NaN where unknown.
    """

    name: str
    regimes: np.ndarray
    truth: np.ndarray
    predicted: dict[tuple[str, str], np.ndarray]
    similarity: np.ndarray


class Selection(NamedTuple):
    """The samples of one set, regime and bin of similarity: each run that has some, with their mask [cell, gene]."""

    set_name: str
    regime: str
    similarity: str
    runs: list[tuple[Run, np.ndarray]]


def score(
    predictions: Sequence[tuple[str, str, PathLike]],
    baselines: Sequence[tuple[str, PathLike]],
    fold_means: Sequence[tuple[str, PathLike]],
    genes: PathLike,
    similarity: PathLike,
    scores: PathLike,
    settings: ScoreSettings,
) -> None:
    """Write the table of scores of networks and baselines on the same samples.

    Args:
        predictions: (network, run, path of what `predict` writes). The table has networks in this order.
        baselines: (run, path of what `baselines` writes), one of each run.
        fold_means: (model, path of the test set that `aggregate` writes).
        genes, similarity: paths of what `split` writes.
        scores: output path.
        settings: how predictors are scored.
    """
    groups = read_groups(genes)
    runs = []
    for name, path in baselines:
        networks = {network: of_network for network, run, of_network in predictions if run == name}
        runs.append(_read_run(name, networks, path, similarity))
    final = next(run for run in runs if run.name == FINAL)
    folds = [run for run in runs if run.name != FINAL]
    spreads = _add_fold_means(final, fold_means)
    rows = [
        row
        for selection in _selections(final, folds)
        for row in _rows(selection, spreads if selection.set_name == "test" else {}, groups, settings)
    ]
    write_table(pd.DataFrame(rows, columns=COLUMNS), scores)


def _read_run(name: str, networks: Mapping[str, PathLike], baselines: PathLike, similarity: PathLike) -> Run:
    """Return a `Run`; `networks` maps names of networks to paths of their predictions."""
    table = read_run(baselines)
    shape = table["cell"].nunique(), table["gene_id"].nunique()
    columns = {}
    for network, path in networks.items():
        of_network = read_run(path, ["prediction"])
        check_same_samples(of_network, path, table, baselines)
        columns[network, name] = of_network["prediction"]
    columns |= {(baseline, name): table[baseline] for baseline in BASELINES if baseline in table}
    predicted = {key: column.to_numpy(np.float64).reshape(shape) for key, column in columns.items()}
    regimes, truth = table["regime"].to_numpy(str).reshape(shape), table["truth"].to_numpy(np.float64).reshape(shape)
    return Run(name, regimes, truth, predicted, read_similarity(similarity, name, table["gene_id"][: shape[1]]))


def _add_fold_means(final: Run, fold_means: Sequence[tuple[str, PathLike]]) -> dict[str, np.ndarray]:
    """Add the means of the fold models to the predictions of the final run; return their standard deviations by model."""
    spreads = {}
    for model, path in fold_means:
        table = read_test(path, ["fold_mean", "fold_sd"])
        held_out = np.isin(final.regimes, HELD_OUT)
        final.predicted[model, FOLD_MEAN], spreads[model] = (
            _scattered(table[name].to_numpy(np.float64), held_out) for name in ("fold_mean", "fold_sd")
        )
    return spreads


def _scattered(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return values [sample], one for each place of a mask, as an array of the mask's shape, NaN elsewhere."""
    result = np.full(mask.shape, np.nan)
    result[mask] = values
    return result


def _selections(final: Run, folds: list[Run]) -> Iterator[Selection]:
    """Yield the samples that are scored, set by set and regime by regime."""
    for set_name, runs in (("test", [final]), ("validation", folds)):
        masks = {regime: [run.regimes == regime for run in runs] for regime in HELD_OUT}
        masks[POOL] = [np.isin(run.regimes, POOLED) for run in runs]
        known = {regime: _with_truth(runs, of_runs) for regime, of_runs in masks.items()}
        for regime, selected in known.items():
            pooled = [other for other in POOLED if known[other]] if regime == POOL else []
            # The pool of one regime would repeat that regime.
            if selected and len(pooled) != 1:
                yield Selection(set_name, regime, ALL, selected)
            for number, name in enumerate(SIMILARITY_NAMES if regime != POOL else ()):
                similar = [(run, mask & (_similarity_bin(run.similarity) == number)) for run, mask in selected]
                similar = [(run, mask) for run, mask in similar if mask.any()]
                if similar:
                    yield Selection(set_name, regime, name, similar)
    for runs in ([final], folds):
        selected = _with_truth(runs, [run.regimes == TRAIN for run in runs])
        if selected:
            yield Selection("train", TRAIN, ALL, selected)


def _with_truth(runs: list[Run], masks: list[np.ndarray]) -> list[tuple[Run, np.ndarray]]:
    """Return the runs and masks that have a sample with a known truth, without the other samples."""
    known = [(run, mask & np.isfinite(run.truth)) for run, mask in zip(runs, masks, strict=True)]
    return [(run, mask) for run, mask in known if mask.any()]


def _similarity_bin(similarity: np.ndarray) -> np.ndarray:
    """Return the bin of each similarity, -1 where it is unknown."""
    return np.where(np.isnan(similarity), -1, np.searchsorted(SIMILARITY_ENDS, similarity, side="right"))


def _rows(
    selection: Selection, spreads: Mapping[str, np.ndarray], groups: np.ndarray, settings: ScoreSettings
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table for one selection: those of each run, and those of the mean over folds."""
    together = np.logical_or.reduce([mask for _, mask in selection.runs])
    of_folds = selection.runs[0][0].name != FINAL
    replicates = _replicates(selection, together, groups, settings)
    found: dict[tuple[str, str], Scores] = {}
    for run, mask in selection.runs:
        found |= _run_scores(selection, run, mask, replicates, spreads, settings)
    sizes = {run.name: _sizes(mask) for run, mask in selection.runs}
    if of_folds:
        found |= _fold_means_of_scores(found, selection, replicates)
        sizes[MEAN] = _sizes(together) | {"samples": sum(mask.sum() for _, mask in selection.runs)}
    log.info("%s, %s: %d predictors scored", selection.set_name, labels.REGIMES[selection.regime], len(found))
    where = {"set": selection.set_name, "regime": selection.regime, "similarity": selection.similarity}
    for (predictor, run_name), scores in found.items():
        size = sizes.get(run_name, sizes.get(FINAL, {}))
        for (metric, baseline), values in _with_pairs(scores, predictor, run_name, found, settings).items():
            with_interval = run_name in (FINAL, FOLD_MEAN, MEAN) and len(values) > 1
            resampled = replicates.resampled if with_interval else "nothing"
            ends = dict(zip(("value", "ci_low", "ci_high"), interval(values, resampled), strict=True))
            who = {"run": run_name, "predictor": predictor, "metric": metric, "baseline": baseline}
            yield where | who | ends | {"resampled": resampled} | size


def _replicates(selection: Selection, together: np.ndarray, groups: np.ndarray, settings: ScoreSettings) -> Replicates:
    """Return the bootstrap replicates of a selection; none for the folds' training samples, which need no intervals."""
    of_folds = selection.runs[0][0].name != FINAL
    count = 0 if selection.set_name == "train" and of_folds else settings.replicates
    seed = [settings.seed, *f"{selection.set_name} {selection.regime}".encode()]
    strata = _strata(selection) if selection.regime == POOL else None
    return draw_replicates(together, groups, count, seed, strata)


def _strata(selection: Selection) -> np.ndarray:
    """Return the stratum [gene] of each gene: genes that the same runs hold out share a stratum."""
    held_out = np.stack([np.isin(run.regimes, UNSEEN_GENES).any(axis=0) for run, _ in selection.runs])
    return np.unique(held_out, axis=1, return_inverse=True)[1].ravel()


def _sizes(mask: np.ndarray) -> dict[str, int]:
    return {"cells": mask.any(axis=1).sum(), "genes": mask.any(axis=0).sum(), "samples": mask.sum()}


def _run_scores(
    selection: Selection,
    run: Run,
    mask: np.ndarray,
    replicates: Replicates,
    spreads: Mapping[str, np.ndarray],
    settings: ScoreSettings,
) -> dict[tuple[str, str], Scores]:
    """Return the scores of all predictors of a run by (predictor, run)."""
    rank_replicates = replicates.first(settings.rank_replicates) if selection.similarity == ALL else None
    trained = (run.regimes == TRAIN) & np.isfinite(run.truth)
    samples = Samples(selection.regime, run.truth, mask, trained, replicates, rank_replicates, settings.binary)
    # The means of the fold models cover the test set only.
    predicted = {key: values for key, values in run.predicted.items() if np.isfinite(values[mask]).all()}
    # One thread for each predictor, because the matrix products are too small for several threads.
    with threadpool_limits(1), ThreadPoolExecutor(settings.threads) as pool:
        scores = pool.map(lambda values: predictor_scores(samples, values), predicted.values())
        found = dict(zip(predicted, scores, strict=True))
    for model, spread in spreads.items():
        found[model, FOLD_MEAN] |= spread_scores(samples, run.predicted[model, FOLD_MEAN], spread)
    return found


def _fold_means_of_scores(
    found: Mapping[tuple[str, str], Scores], selection: Selection, replicates: Replicates
) -> dict[tuple[str, str], Scores]:
    """Return the means over folds of every predictor's scores, by (predictor, "mean")."""
    sizes = {run.name: weighted_metrics.samples(mask, replicates) for run, mask in selection.runs}
    predictors = dict.fromkeys(predictor for predictor, _ in found)
    return {
        (predictor, MEAN): mean_over_folds([found[predictor, run] for run in sizes], list(sizes.values()))
        for predictor in predictors
    }


def _with_pairs(
    scores: Scores,
    predictor: str,
    run: str,
    found: Mapping[tuple[str, str], Scores],
    settings: ScoreSettings,
) -> dict[tuple[str, str | None], np.ndarray]:
    """Return the scores of a predictor by (metric, None), and its comparisons with all other predictors by (metric, baseline)."""
    result: dict[tuple[str, str | None], np.ndarray] = {(metric, None): values for metric, values in scores.items()}
    is_model = labels.is_network(predictor) and not labels.is_ablation(predictor)
    # The mean of the fold models is compared with the final models.
    of_run = FINAL if run == FOLD_MEAN else run
    for other in (name for name, name_run in found if name_run == of_run and (name, name_run) != (predictor, run)):
        differences = is_model and run in (FINAL, MEAN)
        pairs = compared(scores, found[other, of_run], labels.loss_of(settings.binary), differences=differences)
        result |= {(metric, other): values for metric, values in pairs.items()}
    return result
