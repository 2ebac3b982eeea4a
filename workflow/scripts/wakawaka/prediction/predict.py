"""Predict every cell and gene of the store with one trained model."""

import logging
from collections.abc import Sequence

import numpy as np

from wakawaka.core.files import PathLike
from wakawaka.network.backend import use_threads
from wakawaka.network.inference import load_predictor
from wakawaka.network.preprocessing import read_preprocessing
from wakawaka.prediction.prediction_files import write_run
from wakawaka.splits.samples import read_regimes
from wakawaka.store import targets
from wakawaka.store.store import Store

log = logging.getLogger(__name__)


def predict(
    store: Sequence[PathLike],
    samples: PathLike,
    model: PathLike,
    preprocessing: PathLike,
    predictions: PathLike,
    *,
    run: str,
    threads: int,
) -> None:
    """Write the predictions of a run for every cell and gene, in the order of the store.

    The columns are those of prediction_files.py: `regime` is that of the sample in this run, `truth` the target that
    the model is trained on.

    Args:
        store: paths of the store.
        samples: path of the table of regimes.
        model, preprocessing: paths, as `train` writes them.
        predictions: output path.
        run: final, fold-1, ...
        threads: the threads of TensorFlow and of the Numba loops.
    """
    use_threads(threads)
    about = read_preprocessing(preprocessing)
    opened = Store(store, about.permuted_genes, about.z_scores)
    truth = targets.values(opened, about.target, about.fitted)
    predictor = load_predictor(model, opened, about)
    predicted = predictor(opened, np.ones(truth.shape, bool))
    regimes = read_regimes(samples, opened, run)
    table = write_run(predictions, opened, regimes, truth, {"prediction": predicted})
    known = table[table["truth"].notna()]
    spreads = known["prediction"].std(), known["truth"].std()
    log.info("%s: %d samples predicted, standard deviation %.3g; that of the truth %.3g", run, len(table), *spreads)
