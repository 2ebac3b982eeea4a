"""The scores of all predictors side by side: one table, regime by regime, with intervals and in pairs."""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from wakawaka.core.files import read_table, write_table
from wakawaka.evaluation.labels import ALL, BASELINES, LABELS, SIMILARITY_NAMES
from wakawaka.splits.regimes import BOTH_UNSEEN, HELD_OUT, LEAKING, POOL, POOLED, TRAIN, UNSEEN_CELL, UNSEEN_GENE
from wakawaka.statistics import calibration, weighted_metrics
from wakawaka.statistics.bootstrap import draw, interval
from wakawaka.statistics.metrics import cross_entropies

log = logging.getLogger(__name__)

# Held-out genes are also scored by how much of their window stands in that of a training gene: upper ends of the bins.
SIMILARITY_ENDS = (0.01, 0.05, 0.2, np.inf)

# The regimes whose genes were not seen in training.
UNSEEN_GENES = (UNSEEN_GENE, BOTH_UNSEEN)
# The regimes whose genes were seen, so that a gene's training mean can be taken off.
SEEN_GENES = (UNSEEN_CELL, LEAKING, TRAIN)


class Run(NamedTuple):
    """What is known of one run; arrays are [cell, gene] in the order of the store.

    Attributes:
        name: final, fold-1, ... regimes: str. truth: float64, NaN where not known. predicted: dict from (predictor, run) to float64.
        similarity: [gene] float64, to the most similar training gene, NaN where not known.
    """

    name: str
    regimes: np.ndarray
    truth: np.ndarray
    predicted: dict
    similarity: np.ndarray


class Settings(NamedTuple):
    """The draws, and how many of them rank measures take; the seed; the group of each gene; whether truths are labels; threads."""

    draws: int
    rank_draws: int
    seed: int
    groups: np.ndarray
    binary: bool
    threads: int


def score(
    predictions, baselines, ensembles, genes, similarity, scores,
    *, networks, models, runs, draws, rank_draws, seed, binary, threads,
):  # fmt: skip
    """Write the scores of networks and baselines on the same samples.

    A row for each of: set (test; validation, what the folds held out; train), regime (those of regimes.py, and `pool`: all
    held-out samples together, for comparison with published numbers), similarity (all, or a bin of the held-out genes' similarity to
    training genes), run (final; ensemble, the mean of the fold models; fold-1 ...; mean, over the folds, by number of samples),
    predictor, metric, and baseline (only of skill). Then value; low and high, the ends of the 95% interval of a bootstrap over genes
    and cells as blocks, where `over` says which of them were drawn; and the numbers of cells, genes and samples. Single folds have no
    intervals. Of the pool genes alone are drawn, the held-out and the other ones apart, so that the mixture of regimes stays what it is.

    Scores are those of block_scores.py, and:
    <metric>_difference: of a model, its score less that of `baseline`, under the same draws.
    skill: 1 - loss / loss of the baseline on the same samples and under the same draws; the loss is the MSE or, of labels, the log loss.
    pearson_beyond_gene_mean, spearman_beyond_gene_mean: of the truth without the gene's mean truth over the run's training samples, and the
    prediction without the gene's mean prediction over the same samples. What a predictor says of the gene as such, it says of the training
    samples too, so that only what it knows of the cell counts; one that answers alike in every cell has none. Of seen genes alone.
    coverage: of the ensemble, the part of truths within 1.96 of its standard deviations of its mean; spread_factor: what these have to be
    multiplied by to cover 95%; spread_error_rank: Spearman's correlation of standard deviation and size of the error. Of labels
    instead calibration_error, the expected calibration error.

    Args:
        predictions: paths as `predict` writes them, of each of `networks` in turn all `runs`, the final one first.
        baselines: paths as `baselines` writes them, of all runs. ensembles: paths of the test set as `aggregate` writes it, of `models`.
        genes, similarity: paths, as `split` writes them. scores: output path.
        networks: list of str, names of models and of their ablations. models: list of str, those of the models. runs: list of str.
        draws: number of bootstrap draws. rank_draws: so many of them are taken for rank measures, which take longer.
        seed: of the draws. binary: whether truths are 0 or 1 and predictions are probabilities. threads: that score predictors.
    """
    groups = read_table(genes)["group"].to_numpy(np.int64)
    settings = Settings(draws, rank_draws, seed, groups, binary, threads)
    columns = {network: predictions[number * len(runs) :] for number, network in enumerate(networks)}
    found = [
        _read_run(name, {network: paths[number] for network, paths in columns.items()}, baselines[number], similarity)
        for number, name in enumerate(runs)
    ]
    final, folds = found[0], found[1:]
    spreads = {}
    for model, path in zip(models, ensembles, strict=True):
        table = read_table(path, usecols=["ensemble_mean", "ensemble_sd"])
        held_out = np.isin(final.regimes, HELD_OUT)
        final.predicted[model, "ensemble"], spreads[model] = (_scattered(table[name], held_out) for name in table)
    rows = [
        row
        for where, parts in _blocks(final, folds)
        for row in _block_rows(where, parts, spreads if where["set"] == "test" else {}, settings)
    ]
    columns = ["set", "regime", "similarity", "run", "predictor", "metric", "baseline", "value", "low", "high", "over"]
    write_table(pd.DataFrame(rows, columns=[*columns, "cells", "genes", "samples"]), scores)


def _read_run(name, networks, baselines, similarity):
    """Return a `Run`; `networks` is a dict from names to paths of predictions."""
    table = read_table(baselines)
    shape = table["cell"].nunique(), table["gene_id"].nunique()
    predicted = {}
    for network, path in networks.items():
        theirs = read_table(path, usecols=["cell", "gene_id", "prediction"])
        assert theirs["cell"].equals(table["cell"]) and theirs["gene_id"].equals(table["gene_id"])
        predicted[network, name] = theirs["prediction"]
    predicted |= {(column, name): table[column] for column in BASELINES if column in table}
    predicted = {key: column.to_numpy(np.float64).reshape(shape) for key, column in predicted.items()}
    like = read_table(similarity)
    like = like[like["run"] == name].set_index("gene_id")["similarity"]
    regimes, truth = table["regime"].to_numpy(str).reshape(shape), table["truth"].to_numpy(np.float64).reshape(shape)
    return Run(name, regimes, truth, predicted, like.reindex(table["gene_id"][: shape[1]]).to_numpy(np.float64))


def _scattered(values, mask):
    """Return values [sample], one for each place of a mask, as an array of the mask's shape, NaN elsewhere."""
    result = np.full(mask.shape, np.nan)
    result[mask] = values
    return result


def _blocks(final, folds):
    """Yield what is scored: a dict of set, regime and similarity, and its parts, a list of (Run, mask [cell, gene])."""
    for name, runs in (("test", [final]), ("validation", folds)):
        masks = {regime: [run.regimes == regime for run in runs] for regime in HELD_OUT}
        masks[POOL] = [np.isin(run.regimes, POOLED) for run in runs]
        for regime, of_runs in masks.items():
            parts = _with_truth(runs, of_runs)
            # The pool of a single regime is that regime.
            others = [other for other in POOLED if regime == POOL and _with_truth(runs, masks[other])]
            if parts and len(others) != 1:
                yield {"set": name, "regime": regime, "similarity": ALL}, parts
            for number, like in enumerate(SIMILARITY_NAMES if regime != POOL else ()):
                similar = [(run, mask & (_bin(run.similarity) == number)) for run, mask in parts]
                similar = [(run, mask) for run, mask in similar if mask.any()]
                if similar:
                    yield {"set": name, "regime": regime, "similarity": like}, similar
    for runs in ([final], folds):
        parts = _with_truth(runs, [run.regimes == TRAIN for run in runs])
        yield {"set": "train", "regime": TRAIN, "similarity": ALL}, parts


def _with_truth(runs, masks):
    known = [(run, mask & np.isfinite(run.truth)) for run, mask in zip(runs, masks, strict=True)]
    return [(run, mask) for run, mask in known if mask.any()]


def _bin(similarity):
    """Return the bin of each similarity, -1 where it is not known."""
    return np.where(np.isnan(similarity), -1, np.searchsorted(SIMILARITY_ENDS, similarity, side="right"))


def _block_rows(where, parts, spreads, settings):
    """Yield the rows of one block: of each run, and of the mean over the folds."""
    together = np.logical_or.reduce([mask for _, mask in parts])
    # The folds' own training samples are not what anybody asks an interval of.
    count = 0 if where["set"] == "train" and parts[0][0].name != "final" else settings.draws
    seed = [settings.seed, *f"{where['set']} {where['regime']}".encode()]
    draws = draw(together, settings.groups, count, seed, _strata(parts) if where["regime"] == POOL else None)
    found = {
        key: scores for run, mask in parts for key, scores in _run_scores(where, run, mask, draws, settings).items()
    }
    for model, spread in spreads.items():
        (run, mask) = parts[0]
        found[model, "ensemble"] |= _spread_scores(
            run.truth, run.predicted[model, "ensemble"], spread, mask, draws, settings
        )
    sizes = {run.name: _sizes(mask) for run, mask in parts}
    if parts[0][0].name != "final":
        found |= _over_folds(found, parts, draws)
        sizes["mean"] = {"cells": together.any(axis=1).sum(), "genes": together.any(axis=0).sum()}
        sizes["mean"]["samples"] = sum(mask.sum() for _, mask in parts)
    loss = "bce" if settings.binary else "mse"
    log.info("%s, %s: %d predictors scored", where["set"], LABELS[where["regime"]], len(found))
    for (predictor, run), scores in found.items():
        sizes_of_run = sizes.get(run, sizes.get("final"))
        for (metric, baseline), values in _with_pairs(scores, predictor, run, found, loss).items():
            drawn = {"over": draws.over if run in ("final", "ensemble", "mean") and len(values) > 1 else "nothing"}
            ends = dict(zip(("value", "low", "high"), interval(values, drawn["over"]), strict=True))
            who = {"run": run, "predictor": predictor, "metric": metric, "baseline": baseline}
            yield where | who | ends | drawn | sizes_of_run


def _sizes(mask):
    return {"cells": mask.any(axis=1).sum(), "genes": mask.any(axis=0).sum(), "samples": mask.sum()}


def _strata(parts):
    """Return the stratum [gene] of each gene: which parts hold it out."""
    held_out = np.stack([np.isin(run.regimes, UNSEEN_GENES).any(axis=0) for run, _ in parts])
    return np.unique(held_out, axis=1, return_inverse=True)[1].ravel()


def _with_pairs(scores, predictor, run, found, loss):
    """Return the scores of a predictor and, beside all others, its skill and, of a model, the differences of all other scores.

    A dict from (metric, baseline) to [1 + draw].
    """
    result = {(metric, None): values for metric, values in scores.items()}
    at = "final" if run == "ensemble" else run
    for other in (name for name, where in found if where == at and (name, where) != (predictor, run)):
        theirs = found[other, at][loss]
        with np.errstate(divide="ignore", invalid="ignore"):
            result["skill", other] = np.where(theirs > 0, 1 - scores[loss] / theirs, np.nan)
        if run in ("final", "mean") and predictor not in BASELINES and "." not in predictor:
            for metric in (name for name in scores if name in found[other, at] and name not in (loss, "sd_ratio")):
                result[f"{metric}_difference", other] = scores[metric] - found[other, at][metric]
    return result


def _run_scores(where, run, mask, draws, settings):
    """Return the scores of every predictor of a run, as a dict from (predictor, run) to dicts from metrics to [1 + draw]."""
    ranked = where["similarity"] == ALL
    trained = (run.regimes == TRAIN) & np.isfinite(run.truth)

    few = draws.first(settings.rank_draws)

    def scores(predicted):
        found = _scores(run.truth, predicted, mask, draws, few if ranked else None, settings.binary)
        if where["regime"] in SEEN_GENES and not settings.binary and ranked and np.isfinite(predicted[trained]).all():
            found |= _beyond_gene_mean(run.truth, predicted, trained, mask, draws, few)
        return found

    # The mean of the fold models is of the test set alone.
    there = {key: predicted for key, predicted in run.predicted.items() if np.isfinite(predicted[mask]).all()}
    # One thread per predictor: the products of matrices are too small for several.
    with threadpool_limits(1), ThreadPoolExecutor(settings.threads) as pool:
        return dict(zip(there, pool.map(scores, there.values()), strict=True))


def _scores(truth, predicted, mask, draws, few, binary):
    """Return a dict from metrics to [1 + draw] floats; those of ranks have the draws `few`, and are left out if it is None."""
    found = weighted_metrics.value_scores(truth, predicted, mask, draws)
    if binary:
        losses = cross_entropies(np.where(mask, truth, 0), predicted)
        found = {"bce": weighted_metrics.mean_loss(losses, mask, draws), "sd_ratio": found["sd_ratio"]}
    if few is not None:
        rank = weighted_metrics.label_scores if binary else weighted_metrics.rank_scores
        found |= rank(truth, predicted, mask, few)
    return found


def _beyond_gene_mean(truth, predicted, trained, mask, draws, few):
    """Return the correlations of what is left when every gene's mean over the training samples is taken off."""
    count = trained.sum(axis=0)
    mask = mask & (count > 0)
    if not mask.any():
        return {}
    truth, predicted = (
        values - np.where(trained, values, 0).sum(axis=0) / np.maximum(count, 1) for values in (truth, predicted)
    )
    pearson = weighted_metrics.value_scores(truth, predicted, mask, draws)["pearson"]
    spearman = weighted_metrics.rank_scores(truth, predicted, mask, few)["spearman"]
    return {"pearson_beyond_gene_mean": pearson, "spearman_beyond_gene_mean": spearman}


def _spread_scores(truth, mean, spread, mask, draws, settings):
    """Return what the ensemble's spread says of its error; intervals of the coverage alone."""
    rows = truth[mask], mean[mask], spread[mask]
    if settings.binary:
        return {"calibration_error": np.array([calibration.ece(*rows[:2])])}
    inside = np.abs(truth - mean) <= calibration.Z * spread
    return {
        "coverage": weighted_metrics.mean_loss(inside.astype(np.float64), mask, draws),
        "spread_factor": np.array([calibration.factor(*rows)]),
        "spread_error_rank": np.array([calibration.spread_error_rank(*rows)]),
    }


def _over_folds(found, parts, draws):
    """Return the means over folds of every predictor's scores, by the number of samples of each fold."""
    sizes = {run.name: weighted_metrics.samples(mask, draws) for run, mask in parts}
    result = {}
    for predictor in dict.fromkeys(name for name, _ in found):
        of_folds = {run: found[predictor, run] for run in sizes}
        metrics = set.intersection(*(set(scores) for scores in of_folds.values()))
        scores = {
            metric: _mean([(scores[metric], sizes[run]) for run, scores in of_folds.items()])
            for metric in of_folds[parts[0][0].name]
            if metric in metrics
        }
        if "mse" in scores:
            scores["rmse"] = np.sqrt(scores["mse"])
        result[predictor, "mean"] = scores
    return result


def _mean(values):
    """Return the mean of pairs of scores and weights [1 + draw]; a draw's over the folds that have it, the score itself over all."""
    scores, weights = (np.stack([pair[: len(values[0][0])] for pair in column]) for column in zip(*values, strict=True))
    weights = np.where(np.isfinite(scores), weights, 0)
    total = weights.sum(axis=0)
    mean = np.where(total > 0, np.nansum(scores * weights, axis=0) / np.where(total > 0, total, 1), np.nan)
    mean[0] = np.nan if np.isnan(scores[:, 0]).any() else mean[0]
    return mean
