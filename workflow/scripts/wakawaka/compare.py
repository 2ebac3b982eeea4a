"""A model beside all baselines, regime by regime, with bootstrap intervals and paired differences."""

import logging

import numpy as np
import pandas as pd

from . import bootstrap, metrics
from .baselines import LABELS as BASELINES
from .files import read_table, write_table
from .regimes import HELD_OUT, LABELS, UNSEEN_CELL

log = logging.getLogger(__name__)

SETS = {"test": "test set", "out_of_fold": "out of fold"}
MODELS = {"model": "model", "ensemble": "mean of the fold models"}


def compare(final, folds, test, baselines, intervals, comparisons, skills, *, draws, rank_draws, seed, binary):
    """Write the scores of a model and of the baselines with their intervals, and what the model is worth beside each baseline.

    Args:
        final: path of predictions as `predict` writes them; folds: list of such paths. test: path as `aggregate` writes it.
        baselines: list of paths as `baselines` writes them, the final run's first, then the folds'.
        intervals: output path. A row per set (test; out_of_fold: every sample as the fold model predicts it that held it out), regime,
            predictor (model, in the test set also ensemble, and the baselines) and metric: value, low and high end of the 95% interval,
            what was drawn for it (over), and the numbers of cells, genes and samples. pearson_beyond_gene_mean, of seen genes, is
            the correlation once the gene's training mean is subtracted from truth and prediction.
        comparisons: output path. A row per set, regime, predictor and baseline: skill = 1 - loss / loss of the baseline on the
            same samples, low, high, and verdict: better, worse, or undecided if the interval holds 0. The loss is the MSE or, of
            labels, the log loss.
        skills: output path of the comparisons in words for the report: a row per set, regime and predictor, a column per baseline.
        draws: of the bootstrap. rank_draws: the first so many of them are used for rank measures, which take longer.
        seed: of the draws. binary: whether the truth is 0 or 1 and predictions are probabilities.
    """
    scored, compared = [], []
    for name, regime, truth, predictors in (*_test_set(final, test, baselines[0]), *_out_of_fold(folds, baselines[1:])):
        block, where = np.isfinite(truth), {"set": name, "regime": regime}
        if not block.any():
            continue
        drawn = bootstrap.draw(block, draws, [seed, list(SETS).index(name), HELD_OUT.index(regime)])
        scores = {
            one: _scores(truth, predicted, block, drawn, rank_draws, binary) for one, predicted in predictors.items()
        }
        if regime == UNSEEN_CELL and not binary:
            _add_beyond_gene_mean(scores, truth, predictors, block, drawn)
        sizes = {
            "over": drawn.over,
            "cells": block.any(axis=1).sum(),
            "genes": block.any(axis=0).sum(),
            "samples": block.sum(),
        }
        for one, found in scores.items():
            scored += [
                where | {"predictor": one, "metric": metric} | _ends(values) | sizes for metric, values in found.items()
            ]
        compared += [
            where | row for row in _paired({one: found["bce" if binary else "mse"] for one, found in scores.items()})
        ]
    write_table(pd.DataFrame(scored), intervals)
    write_table(pd.DataFrame(compared), comparisons)
    write_table(_in_words(compared), skills)
    for row in compared:
        if row["predictor"] == "model":
            line = f"{SETS[row['set']]}, {LABELS[row['regime']]}: skill {row['skill']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
            log.info("%s beside the %s: %s", line, BASELINES[row["baseline"]], row["verdict"])


def _test_set(final, test, baselines):
    """Yield (set, regime, truth, predictors) of the final run; truth and the predictors' values are [cell, gene], NaN in other regimes."""
    of_folds = read_table(test, usecols=["cell", "gene_id", "ensemble_mean"])
    table = read_table(final).merge(of_folds, on=["cell", "gene_id"], how="left", validate="one_to_one")
    columns = _columns(
        table.rename(columns={"prediction": "model", "ensemble_mean": "ensemble"}), read_table(baselines)
    )
    for regime in HELD_OUT:
        truth, predictors = _of_regime(columns, regime)
        yield "test", regime, truth, predictors


def _out_of_fold(folds, baselines):
    """Yield the same of all folds together: each sample of a regime as it is in the one fold that holds it out so."""
    pairs = zip(folds, baselines, strict=True)
    columns = [
        _columns(read_table(fold).rename(columns={"prediction": "model"}), read_table(others)) for fold, others in pairs
    ]
    for regime in HELD_OUT:
        truths, predictors = zip(*(_of_regime(fold, regime) for fold in columns), strict=True)
        joined = {name: _first_known([found[name] for found in predictors]) for name in predictors[0]}
        yield "out_of_fold", regime, _first_known(truths), joined


def _columns(table, others):
    """Return the columns regime, truth and those of the predictors, as a dict of arrays [cell, gene]."""
    assert table["cell"].equals(others["cell"]) and table["gene_id"].equals(others["gene_id"])
    shape = table["cell"].nunique(), table["gene_id"].nunique()
    columns = {name: table[name] for name in ("regime", "truth", *MODELS) if name in table}
    columns |= {name: others[name] for name in BASELINES if name in others}
    return {name: column.to_numpy().reshape(shape) for name, column in columns.items()}


def _of_regime(columns, regime):
    inside = columns["regime"] == regime
    values = {name: np.where(inside, column, np.nan) for name, column in columns.items() if name != "regime"}
    return values.pop("truth"), values


def _first_known(arrays):
    """Return the values [cell, gene] of several arrays, no more than one of which has any."""
    result = arrays[0].copy()
    for values in arrays[1:]:
        np.copyto(result, values, where=np.isnan(result))
    return result


def _scores(truth, predicted, block, drawn, rank_draws, binary):
    """Return a dict from metrics to [1 + draw] floats."""
    fewer = bootstrap.Draws(drawn.cells[: 1 + rank_draws], drawn.genes[: 1 + rank_draws], drawn.over)
    if not binary:
        found = bootstrap.value_scores(truth, predicted, block, drawn)
        return found | {"spearman": bootstrap.spearman(truth, predicted, block, fewer)}
    losses = metrics.cross_entropies(np.where(block, truth, 0), predicted)
    return {"bce": bootstrap.mean_loss(losses, block, drawn), "auroc": bootstrap.auroc(truth, predicted, block, fewer)}


def _add_beyond_gene_mean(scores, truth, predictors, block, drawn):
    gene_mean = predictors["gene_mean"]
    for name, predicted in predictors.items():
        beyond = bootstrap.value_scores(truth - gene_mean, predicted - gene_mean, block, drawn)
        scores[name]["pearson_beyond_gene_mean"] = beyond["pearson"]


def _paired(losses):
    """Yield a row for every model and baseline, of their losses [1 + draw] under the same draws."""
    for name in MODELS:
        for baseline in BASELINES:
            if name in losses and baseline in losses:
                with np.errstate(divide="ignore", invalid="ignore"):
                    ends = _ends(1 - losses[name] / losses[baseline])
                verdict = "better" if ends["low"] > 0 else "worse" if ends["high"] < 0 else "undecided"
                ends["skill"] = ends.pop("value")
                yield {"predictor": name, "baseline": baseline, "skill": ends["skill"], **ends, "verdict": verdict}


def _in_words(compared):
    """Return the comparisons as a table for people."""
    rows = {}
    for row in compared:
        who = {"set": SETS[row["set"]], "regime": LABELS[row["regime"]], "predictor": MODELS[row["predictor"]]}
        line = rows.setdefault(tuple(who.values()), who)
        line[BASELINES[row["baseline"]]] = "{skill:.2f} ({low:.2f} to {high:.2f})".format_map(row)
    return pd.DataFrame(list(rows.values()))


def _ends(values):
    return dict(zip(("value", "low", "high"), bootstrap.interval(values), strict=True))
