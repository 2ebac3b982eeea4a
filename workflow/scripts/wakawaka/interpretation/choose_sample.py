"""Choose the sample whose prediction is attributed: one that the model has not seen in training."""

import logging
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike
from wakawaka.core.messages import shorten_list
from wakawaka.genome.gene_ids import plain_id
from wakawaka.prediction.prediction_files import held_out_predictions
from wakawaka.splits.regimes import FINAL
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

BEST = "best"

# A gene counts as highly expressed in a cell within this upper part of the known expression values.
HIGHLY = 0.1


class Sample(NamedTuple):
    """A sample and the run whose model predicts it.

    Attributes:
        cell, gene_id: names.
        regime: the regime of the sample in this run, `-` where it is in no table of held-out predictions.
        truth: NaN where not known.
        run: final, fold-1, ...
    """

    cell: str
    gene_id: str
    regime: str
    truth: float
    run: str


def choose_sample(store: Store, test: PathLike, out_of_fold: PathLike, gene: str, binary: bool) -> Sample:
    """Return the sample to draw.

    Samples of the test set, predicted by the final model, come first. Without a known truth there, it is a sample that
    a fold held out, predicted by the model of that fold. Where no truth is known at all, `best` is the highest
    prediction of these.

    Args:
        test, out_of_fold: paths of predictions, as `aggregate` writes them.
        gene: a gene id, drawn in the cell in which it is best predicted; or `best`, the best-predicted sample among the
            highly expressed ones, for a binary target among the 1s.
        binary: whether predictions are probabilities.

    Raises:
        InputError: for a gene that is not in the store.
    """
    gene = plain_id(gene)
    if gene != BEST and gene not in store.genes:
        raise InputError(
            f"{gene} cannot be drawn: it is not among the genes of the store, which are called like {shorten_list(store.genes, 3)}."
        )
    tables = held_out_predictions(test, out_of_fold)
    for table in tables:
        known = table[table["truth"].notna() & ((gene == BEST) | (table["gene_id"] == gene))]
        if gene == BEST and len(known):
            known = known[known["truth"] >= (1 if binary else known["truth"].quantile(1 - HIGHLY))]
        if len(known):
            return _sample(known, (known["truth"] - known["prediction"]).abs().idxmin(), gene)
    if gene == BEST:
        table = next(table for table in tables if len(table))
        return _sample(table, table["prediction"].idxmax(), gene)
    return Sample(store.cells[0], gene, "-", np.nan, FINAL)


def _sample(table: pd.DataFrame, index: Any, gene: str) -> Sample:
    sample = Sample(*table.loc[index, list(Sample._fields)])
    log.info("%s: gene %s in cell %s (%s), %s", gene, sample.gene_id, sample.cell, sample.regime, sample.run)
    return sample
