"""Predict cells that a finished model was not made with."""

import logging
from collections.abc import Sequence

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, readable
from wakawaka.network.backend import use_threads
from wakawaka.network.inference import load_predictor
from wakawaka.network.preprocessing import Preprocessing, read_preprocessing
from wakawaka.prediction.prediction_files import write_columns
from wakawaka.store import targets
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

# What must be equal in the model's inputs and in those of the new cells, and the key of config.yaml that sets it.
SAME = {
    "marks": "histone.marks",
    "bins": "bins",
    "window": "window",
    "strand_aware": "strand_aware",
    "scale": "histone.scale",
    "counting": "histone.counting, histone.min_mapq, histone.duplicates",
}
HINTS = {"strand_aware": " (windows of genes of unknown strand are never reversed: take a gene source with strands)"}
# These concern the DNA too; the others only the histone marks.
OF_WINDOWS = ("window", "strand_aware")


def predict_new(
    store: Sequence[PathLike], model: PathLike, preprocessing: PathLike, predictions: PathLike, *, threads: int
) -> None:
    """Write what a model predicts for every cell and gene of a store, which needs no expression.

    The columns are cell, gene_id, prediction (of the model's target; for a binary one the probability of a 1) and
    expression: the prediction in the units of the expression that the model was trained on, NaN where it cannot be
    turned back.

    Args:
        store: paths of a store, as `build_store` writes it.
        model, preprocessing: paths, as `train` writes them.
        predictions: output path.
        threads: the threads of TensorFlow and of the Numba loops.

    Raises:
        InputError: for a missing or damaged file, or inputs that are not of the form that the model was trained on.
    """
    use_threads(threads)
    about = read_preprocessing(preprocessing)
    opened = Store(store, z_scores=about.z_scores)
    with readable(model), open(model, "rb"):
        pass
    _check(about, opened, preprocessing)
    predictor = load_predictor(model, opened, about)
    predicted = predictor(opened, np.ones(opened.shape, bool))
    expression = targets.invert(predicted, opened.genes, about.target, about.fitted)
    write_columns(predictions, opened, {"prediction": predicted, "expression": expression})
    log.info("%d genes in %d cells predicted with %s", len(opened.genes), len(opened.cells), model)


def _check(about: Preprocessing, store: Store, preprocessing: PathLike) -> None:
    """Refuse inputs of another form than the model was trained on, and a model of permuted genes."""
    if about.permuted_genes is not None:
        raise InputError(
            f"{preprocessing}: this model was trained on the DNA of other genes, as a control; name another one in `predict_new.model`."
        )
    if sorted(about.modules) != sorted(store.modules):
        raise InputError(
            f"config key `modules` is {store.modules}, but the model in {preprocessing} was trained on {about.modules}: set it to that."
        )
    for name, key in SAME.items():
        of_model, of_store = getattr(about, name), getattr(store.info, name)
        if not _matters(name, about, store) or of_model == of_store:
            continue
        if name == "counting" and of_model is None:
            log.warning(
                "it is not known how the counts that the model was trained on were made; those of the new cells were made with %s",
                of_store,
            )
            continue
        raise InputError(
            f"config key `{key}`: the model in {preprocessing} was trained with {of_model}, but the new cells are read with "
            f"{of_store}; set it to what the model was trained with{HINTS.get(name, '')}."
        )


def _matters(name: str, about: Preprocessing, store: Store) -> bool:
    """Return whether one of `SAME` must be equal for this model and store."""
    if name in OF_WINDOWS:
        return True
    if "histone" not in store.modules:
        return False
    # Counted reads are ln(count + 1) in every model, whatever the scale of the tracks in its other cells.
    counted = about.counting and store.info.scale == "counts" and np.issubdtype(store.histone.dtype, np.integer)
    return name != "scale" or not counted
