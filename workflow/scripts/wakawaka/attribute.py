"""Gradients of the prediction for one gene in one cell with respect to the model's inputs."""

import logging

import numpy as np
import tensorflow as tf

from .errors import InputError
from .files import atomic, read_table
from .metrics import pearson
from .model import INPUTS, load_model, model_inputs, use_threads
from .parts import some
from .store import Store

log = logging.getLogger(__name__)

# A gene counts as highly expressed in a cell within this upper part of the known expression values.
HIGHLY = 0.1


def attribute(store, test, out_of_fold, final, folds, attribution, *, gene, modules, threads):
    """Write the attributions of one sample.

    Args:
        store: paths of the store. test, out_of_fold: paths of predictions. final: path of the final model. folds: paths
            of the fold models.
        attribution: path of the output, an npz: gene_id, cell, regime, truth, prediction (0-d); window, bin_size (0-d, bp);
            for the histone module marks [mark], histone and histone_gradient [bin, mark] (the model's input and
            d prediction / d input), histone_agreement (0-d); for the DNA module dna [position] codes, dna_gradient
            [position, 4] and dna_agreement. The agreement is the mean Pearson correlation between the gradients of
            any two fold models.
        gene: a gene id, or `best` for the best-predicted sample among the highly expressed ones. The cell is the one in which
            the gene is best predicted; samples that the model has not seen come first.

    From the gradient at a base the mean over the four bases is subtracted: one-hot inputs cannot move in that direction
    (Majdandzic et al., Genome Biology 2023, 24:109). Dropout is off.

    Raises:
        InputError: for a gene that is not in the store.
    """
    use_threads(threads)
    store = Store(store)
    sample = _choose(store, test, out_of_fold, gene)
    cell, row = np.flatnonzero(store.cells == sample["cell"]), np.flatnonzero(store.genes == sample["gene_id"])
    modules = [module for module in INPUTS if module in modules]
    inputs = dict(zip(modules, model_inputs(store, modules, cell, row), strict=True))
    network = load_model(final)
    prediction, gradients = _gradients(network, inputs)
    for module in modules:
        _log_completeness(network, module, inputs, gradients[module], prediction)
    others = [_gradients(load_model(path), inputs)[1] for path in folds]
    arrays = {**sample, "prediction": prediction, "window": store.info["window"], "bin_size": store.info["bin_size"]}
    for module in modules:
        arrays[f"{module}_gradient"] = _centred(module, gradients[module])
        arrays[f"{module}_agreement"] = _agreement([_centred(module, other[module]) for other in others])
    if "histone" in modules:
        arrays |= {"marks": np.array(store.info["marks"]), "histone": inputs["histone"][0]}
    if "dna" in modules:
        arrays["dna"] = store.dna[row[0]]
    with atomic(attribution) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def _choose(store, test, out_of_fold, gene):
    """Return the sample to draw as a dict of cell, gene_id, regime, truth; one of the test set if any has a known truth."""
    if gene != "best" and gene not in store.genes:
        raise InputError(
            f"config key `interpret.genes` names {gene}, which is not in the store; its genes are called {some(store.genes, 3)}."
        )
    for path, prediction in ((test, "final"), (out_of_fold, "prediction")):
        table = read_table(path)
        known = table[table["truth"].notna() & ((gene == "best") | (table["gene_id"] == gene))]
        if len(known):
            high = known[known["truth"] >= known["truth"].quantile(1 - HIGHLY)]
            best = high.loc[(high["truth"] - high[prediction]).abs().idxmin()]
            log.info("%s: gene %s in cell %s (%s)", gene, best["gene_id"], best["cell"], best["regime"])
            return {name: best[name] for name in ("cell", "gene_id", "regime", "truth")}
    return {"cell": store.cells[0], "gene_id": gene, "regime": "-", "truth": np.nan}


def _gradients(model, inputs):
    """Return (prediction, dict from module to gradient), both without the sample axis."""
    tensors = {name: tf.constant(values) for name, values in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        output = model(list(tensors.values()), training=False)
    gradients = tape.gradient(output, tensors)
    return float(output.numpy()[0, 0]), {name: gradient.numpy()[0] for name, gradient in gradients.items()}


def _centred(module, gradient):
    """Return the gradient, that of DNA without its mean over the four bases."""
    return gradient - gradient.mean(axis=1, keepdims=True) if module == "dna" else gradient


def _agreement(gradients):
    """Return the mean Pearson correlation over all pairs."""
    pairs = [
        pearson(one.ravel(), other.ravel()) for number, one in enumerate(gradients) for other in gradients[number + 1 :]
    ]
    return float(np.mean(pairs)) if pairs else np.nan


def _log_completeness(model, module, inputs, gradient, prediction):
    """Log how far gradient x input is from explaining the difference to an empty input (all zeros)."""
    empty = {name: np.zeros_like(values) if name == module else values for name, values in inputs.items()}
    difference = prediction - float(model(list(empty.values()), training=False).numpy()[0, 0])
    explained = float((gradient * inputs[module][0]).sum())
    log.info(
        "%s: gradient x input sums to %.4f, the prediction differs from that of an empty input by %.4f (completeness error %.4f)",
        module, explained, difference, explained - difference,
    )  # fmt: skip
