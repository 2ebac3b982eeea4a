"""Gradients of the prediction for one gene in one cell with respect to the model's inputs.

For a model that predicts a probability, they are the gradients of its log odds: where the probability is near 0 or 1,
its own gradients are near 0 everywhere.

The output is an npz with these arrays, which are 0-d where no shape is given:

    gene_id, cell, strand (+ - .), regime, truth
    run                 whose model it is: final, fold-1, ...
    prediction
    binary              bool: whether the prediction is a probability, and the gradients are those of its log odds
    window, bin_size    bp
    marks               [mark] names
    histone             [bin, mark] the model's input
    histone_gradient    [bin, mark] d prediction / d input
    dna                 [position] codes
    dna_gradient        [position, 4] d prediction / d one-hot input
    fixed_kmers         bool: whether the model only sees which k-mers the DNA has; the gradient is 0 at other positions
    histone_agreement, dna_agreement    the mean Pearson correlation between the gradients of any two fold models

Arrays of a module that the model does not have are left out.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from wakawaka.core.files import PathLike, atomic
from wakawaka.interpretation.choose_sample import choose_sample
from wakawaka.network.backend import use_threads
from wakawaka.network.build import logits_model
from wakawaka.network.ensemble import without_effects
from wakawaka.network.inputs import in_order, model_inputs
from wakawaka.network.preprocessing import read_preprocessing
from wakawaka.network.saved_model import load_model
from wakawaka.splits.regimes import FINAL
from wakawaka.statistics.metrics import pearson
from wakawaka.store.store import Store

log = logging.getLogger(__name__)


def attribute(
    store: Sequence[PathLike],
    test: PathLike,
    out_of_fold: PathLike,
    models: Sequence[tuple[str, PathLike]],
    preprocessing: PathLike,
    attribution: PathLike,
    *,
    gene: str,
    threads: int,
) -> None:
    """Write the attributions of one sample that the model had not seen; choose_sample.py says which.

    From the gradient at a base the mean over the four bases is subtracted, because one-hot inputs cannot move in that
    direction (Majdandzic et al., Genome Biology 2023, 24:109). Dropout is off. The gradients are those of the networks
    without gene effects, although the prediction has them: the bases around the TSS identify a gene, and this says
    nothing of how it is regulated.

    Args:
        store: paths of the store.
        test, out_of_fold: paths of predictions, as `aggregate` writes them.
        models: (run, path of its model) of the final run and the folds.
        preprocessing: path of what `train` wrote with the final model.
        attribution: path of the output.
        gene: a gene id, or `best`.
        threads: the threads of TensorFlow and of the Numba loops.

    Raises:
        InputError: for a gene that is not in the store.
    """
    use_threads(threads)
    about = read_preprocessing(preprocessing)
    opened = Store(store, about.permuted_genes, about.z_scores)
    loaded = {run: load_model(path) for run, path in models}
    sample = choose_sample(opened, test, out_of_fold, gene, about.binary)
    cell, row = np.flatnonzero(opened.cells == sample.cell), np.flatnonzero(opened.genes == sample.gene_id)
    modules = in_order(about.modules)
    inputs = dict(zip(modules, model_inputs(opened, modules, cell, row), strict=True))
    prediction = float(loaded[sample.run](list(inputs.values()), training=False).numpy()[0, 0])
    strand = opened.gene_table["strand"].iloc[row[0]]
    sizes = {"window": opened.info.window, "bin_size": opened.info.bin_size}
    arrays = {**sample._asdict(), **sizes, "strand": strand, "prediction": prediction, "binary": about.binary}
    arrays |= _module_arrays(loaded, sample.run, inputs)
    if "histone" in modules:
        arrays |= {"marks": np.array(opened.info.marks), "histone": inputs["histone"][0]}
    if "dna" in modules:
        arrays |= {"dna": opened.dna[row[0]], "fixed_kmers": about.fixed_kmers}
    with atomic(attribution) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def _module_arrays(models: Mapping[str, keras.Model], run: str, inputs: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the gradient of the model of `run`, and the agreement of the fold models, for each module.

    Args:
        models: the models of all runs.
        inputs: the inputs [1, ...] of one sample, by module.
    """
    networks = {name: logits_model(without_effects(model)) for name, model in models.items()}
    found = {name: gradients_of(network, inputs) for name, network in networks.items()}
    output, gradients = found[run]
    arrays: dict[str, Any] = {}
    for module in inputs:
        _log_completeness(networks[run], module, inputs, gradients[module], output)
        arrays[f"{module}_gradient"] = centred(module, gradients[module])
        of_folds = [centred(module, other[module]) for name, (_, other) in found.items() if name != FINAL]
        arrays[f"{module}_agreement"] = agreement(of_folds)
    return arrays


def gradients_of(model: keras.Model, inputs: Mapping[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
    """Return the output of a model for one sample, and its gradient for each input, without the sample axis."""
    tensors = {name: tf.constant(values) for name, values in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        output = model(list(tensors.values()), training=False)
    gradients = tape.gradient(output, tensors)
    return float(output.numpy()[0, 0]), {name: gradient.numpy()[0] for name, gradient in gradients.items()}


def centred(module: str, gradient: np.ndarray) -> np.ndarray:
    """Return the gradient; that of DNA [position, 4] without its mean over the four bases."""
    return gradient - gradient.mean(axis=1, keepdims=True) if module == "dna" else gradient


def agreement(gradients: Sequence[np.ndarray]) -> float:
    """Return the mean Pearson correlation over all pairs, NaN without a pair."""
    pairs = [
        pearson(one.ravel(), other.ravel()) for number, one in enumerate(gradients) for other in gradients[number + 1 :]
    ]
    return float(np.mean(pairs)) if pairs else np.nan


def _log_completeness(
    model: keras.Model, module: str, inputs: Mapping[str, np.ndarray], gradient: np.ndarray, output: float
) -> None:
    """Log how far gradient x input is from explaining the difference to an empty input (all zeros)."""
    empty = {name: np.zeros_like(values) if name == module else values for name, values in inputs.items()}
    difference = output - float(model(list(empty.values()), training=False).numpy()[0, 0])
    explained = float((gradient * inputs[module][0]).sum())
    log.info(
        "%s: gradient x input sums to %.4f, the output differs from that of an empty input by %.4f (completeness error %.4f)",
        module, explained, difference, explained - difference,
    )  # fmt: skip
