"""The runs put together: the mean of the fold models on the test set, and the out-of-fold predictions."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from . import targets
from .files import read_table, write_table
from .regimes import HELD_OUT, TEST
from .score import baselines

log = logging.getLogger(__name__)


def aggregate(final, folds, preprocessing, test, out_of_fold):
    """Write the test set's and the training set's honest predictions.

    Args:
        final: path of the final model's predictions. folds: list of paths of the fold models' predictions.
        preprocessing: list of the paths of what `train` wrote beside these models, the final one's first.
        test: output path. A row for every sample of a held-out cell or gene: cell, gene_id, regime, truth, final,
            ensemble_mean, ensemble_sd (mean and sample standard deviation over the fold models, which have seen fewer
            cells and genes than the final one), gene_mean (the baseline of score.py, of the final run).
        out_of_fold: output path. A row for every prediction of a fold model for a sample it held out: cell, gene_id,
            regime, run, truth, prediction, gene_mean (of the fold). A sample held out by two folds, by the one with its gene
            and the one with its cell, has a row in each regime.

    For a binary target predictions are probabilities. For z-scores of each gene the models' scales differ, because each is fitted on
    the training samples of its own run: in `test` all are in the scale of the final run (genes that it or the fold does not know
    apart), in `out_of_fold` truth and prediction are in that of the fold.
    """
    table = read_table(final)
    about, *abouts = [json.loads(Path(path).read_text(encoding="utf-8")) for path in preprocessing]
    held_out = table["regime"].isin(HELD_OUT)
    members, outside = [], []
    for number, (path, theirs) in enumerate(zip(folds, abouts, strict=True), start=1):
        fold = read_table(path)
        assert fold["gene_id"].equals(table["gene_id"]) and fold["cell"].equals(table["cell"])
        assert (fold["regime"].eq(TEST) == held_out).all()
        rows = fold[held_out]
        scales = about["target"], theirs["fitted"], about["fitted"]
        members.append(targets.rescale(rows["prediction"], rows["gene_id"], *scales))
        fold = fold.assign(run=f"fold-{number}", gene_mean=baselines(fold)["gene_mean"])
        outside.append(fold[fold["regime"].isin(HELD_OUT)])
    ensemble = np.stack(members)
    result = table[held_out].rename(columns={"prediction": "final"})
    result = result.assign(ensemble_mean=ensemble.mean(axis=0), ensemble_sd=ensemble.std(axis=0, ddof=1))
    result = result.assign(gene_mean=baselines(table)["gene_mean"][held_out])
    write_table(result, test)
    columns = ["cell", "gene_id", "regime", "run", "truth", "prediction", "gene_mean"]
    write_table(pd.concat(outside)[columns], out_of_fold)
    log.info("%d test samples, %d out-of-fold predictions", len(result), sum(map(len, outside)))
