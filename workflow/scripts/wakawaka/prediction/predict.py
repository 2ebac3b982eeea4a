"""Predictions of one trained model for every cell and gene of the store."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from wakawaka.core.files import write_table
from wakawaka.network.build import use_threads, z_scores_of
from wakawaka.network.inference import load_predictor
from wakawaka.splits.regimes import read_regimes
from wakawaka.store import targets
from wakawaka.store.store import Store

log = logging.getLogger(__name__)


def predict(store, samples, model, preprocessing, predictions, *, run, threads):
    """Write the predictions of a run for every cell and gene, in the order of the store.

    Columns: cell, gene_id, regime (of the sample in this run), truth (as the model was trained on it, NaN where there is none),
    prediction (of a binary target the probability of a 1).

    Args:
        store: paths of the store. samples: path of the table of regimes. model, preprocessing: paths, as `train` writes them.
        predictions: output path. run: column of `samples`. threads: of TensorFlow and of the loops of our own.
    """
    use_threads(threads)
    about = json.loads(Path(preprocessing).read_text(encoding="utf-8"))
    store = Store(store, about["shuffled_dna"], z_scores_of(about["spec"]))
    truth = targets.values(store, about["target"], about["fitted"])
    predictor = load_predictor(model, store, about["spec"], about["modules"], about["binary"])
    predicted = predictor(store, np.ones(truth.shape, bool))
    table = pd.DataFrame(
        {
            "cell": np.repeat(store.cells, len(store.genes)),
            "gene_id": np.tile(store.genes, len(store.cells)),
            "regime": read_regimes(samples, store, run).ravel(),
            "truth": truth.ravel(),
            "prediction": predicted.ravel(),
        }
    )
    write_table(table, predictions)
    known = table[table["truth"].notna()]
    spreads = known["prediction"].std(), known["truth"].std()
    log.info("%s: %d samples predicted, standard deviation %.3g; that of the truth %.3g", run, len(table), *spreads)
