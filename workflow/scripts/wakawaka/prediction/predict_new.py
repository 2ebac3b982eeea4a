"""Predictions of a finished model for cells that it was not made with."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import readable, write_table
from wakawaka.network.build import use_threads, z_scores_of
from wakawaka.network.inference import load_predictor
from wakawaka.store import targets
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

# What must be the same of the model's inputs and of the new cells', and the key of config.yaml that sets it.
SAME = {
    "marks": "histone.marks",
    "bins": "bins",
    "window": "window",
    "oriented": "oriented",
    "scale": "histone.scale",
    "counting": "histone.counting, histone.min_mapq, histone.duplicates",
}
HINTS = {"oriented": " (genes of unknown strand are never turned round: take a gene source with strands)"}


def predict_new(store, model, preprocessing, predictions, *, threads):
    """Write what a model predicts for every cell and gene of a store that needs no expression.

    Columns: cell, gene_id, prediction (of the model's target; of a binary one the probability of a 1) and expression: the
    prediction in the units of the expression that the model was trained on, unknown where it cannot be turned back.

    Args:
        store: paths of a store, as `build_store` writes it.
        model, preprocessing: paths, as `train` writes them. predictions: output path.
        threads: of TensorFlow and of the loops of our own.

    Raises:
        InputError: a file that is missing or damaged, or inputs that are not of the form the model was trained on.
    """
    use_threads(threads)
    about = _read(preprocessing)
    store = Store(store, z_scores=z_scores_of(about["spec"]))
    with readable(model), open(model, "rb"):
        pass
    _check(about, store, preprocessing)
    wanted = np.ones((len(store.cells), len(store.genes)), bool)
    predicted = load_predictor(model, store, about["spec"], about["modules"], about["binary"])(store, wanted)
    table = pd.DataFrame(
        {
            "cell": np.repeat(store.cells, len(store.genes)),
            "gene_id": np.tile(store.genes, len(store.cells)),
            "prediction": predicted.ravel(),
            "expression": targets.invert(predicted, store.genes, about["target"], about["fitted"]).ravel(),
        }
    )
    write_table(table, predictions)
    log.info("%d genes in %d cells predicted with %s", len(store.genes), len(store.cells), model)


def _read(preprocessing):
    types = {"spec": dict, "modules": list, "binary": bool, "target": dict, "fitted": dict}
    try:
        with readable(preprocessing):
            about = json.loads(Path(preprocessing).read_text(encoding="utf-8"))
        right = set(SAME) <= set(about) and all(isinstance(about[name], kind) for name, kind in types.items())
    except (ValueError, TypeError, KeyError):
        right = False
    if not right:
        raise InputError(
            f"{preprocessing}: this is not what training writes beside a model; copy the folder of the model whole, "
            "and name the model.keras in it in `predict_new.model`."
        )
    return about


def _check(about, store, preprocessing):
    """Refuse inputs of another form than those that the model learnt from, and a model that learnt from the wrong DNA."""
    if about.get("shuffled_dna") is not None:
        raise InputError(
            f"{preprocessing}: this model was trained on the DNA of other genes, to find out what the sequence is worth; name another "
            "one in `predict_new.model`."
        )
    if sorted(about["modules"]) != sorted(store.modules):
        raise InputError(
            f"config key `modules` is {store.modules}, but the model in {preprocessing} was trained on {about['modules']}: set it to that."
        )
    # Counts of reads are ln(count + 1) to a model, whatever the tracks are that its other cells were read from.
    counted = about["counting"] and store.info["scale"] == "counts" and np.issubdtype(store.histone.dtype, np.integer)
    for name, key in SAME.items():
        if (name not in ("window", "oriented") and "histone" not in store.modules) or (name == "scale" and counted):
            continue
        if name == "counting" and about[name] is None:
            log.warning(
                "how the counts were made that the model was trained on is not known; those of the new cells were made with %s",
                store.info[name],
            )
        elif about[name] != store.info[name]:
            raise InputError(
                f"config key `{key}`: the model in {preprocessing} was trained with {about[name]}, but the new cells are read with "
                f"{store.info[name]}; set it to what the model knows{HINTS.get(name, '')}."
            )
