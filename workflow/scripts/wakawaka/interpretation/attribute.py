"""Gradients of the prediction for one gene in one cell with respect to the model's inputs.

Of a model that predicts a probability, they are the gradients of its log odds: where the probability is near 0 or 1, its own are
near 0 everywhere.
"""

import json
import logging
from pathlib import Path

import numpy as np
import tensorflow as tf

from wakawaka.core.errors import InputError
from wakawaka.core.files import atomic, read_table
from wakawaka.core.messages import some
from wakawaka.genome.gene_ids import plain_id
from wakawaka.network.build import (
    INPUTS,
    before_sigmoid,
    is_binary,
    load_model,
    model_inputs,
    use_threads,
    without_effects,
    z_scores_of,
)
from wakawaka.statistics.metrics import pearson
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

# A gene counts as highly expressed in a cell within this upper part of the known expression values.
HIGHLY = 0.1


def attribute(store, test, out_of_fold, models, preprocessing, attribution, *, runs, gene, threads):
    """Write the attributions of one sample that the model had not seen, wherever the truth of such a sample is known.

    Args:
        store: paths of the store. test, out_of_fold: paths of predictions. models: paths of the models of `runs`, which
            are `final` and the folds. preprocessing: path of what `train` wrote beside the final one.
        attribution: path of the output, an npz: gene_id, cell, strand (+ - .), regime, truth, run (whose model it is),
            prediction (0-d), binary (0-d bool: whether the prediction is a probability, and the gradients are those of its log
            odds); window, bin_size (0-d, bp); for the histone module marks [mark], histone and
            histone_gradient [bin, mark] (the model's input and d prediction / d input), histone_agreement (0-d); for the
            DNA module dna [position] codes, dna_gradient [position, 4], dna_words (0-d bool: whether the model knows of the DNA which
            words it holds; its gradient is then 0 but at these) and dna_agreement. The agreement is the mean Pearson correlation
            between the gradients of any two fold models.
        gene: a gene id, or `best` for the best-predicted sample among the highly expressed ones (of a binary target among the
            1s). Of a named gene it is the cell in which it is best predicted. Samples of the test set, predicted by the final
            model, come first; without a known truth there, a sample that a fold held out, predicted by the model of that fold.
            Where no truth is known at all, `best` is the highest prediction of these.

    From the gradient at a base the mean over the four bases is subtracted: one-hot inputs cannot move in that direction
    (Majdandzic et al., Genome Biology 2023, 24:109). Dropout is off. The gradients are those of the networks without gene effects, which
    the prediction has: by the bases around the TSS a gene is recognised, and what they do there says nothing of how it is regulated.

    Raises:
        InputError: for a gene that is not in the store.
    """
    use_threads(threads)
    about = json.loads(Path(preprocessing).read_text(encoding="utf-8"))
    store = Store(store, about["shuffled_dna"], z_scores_of(about["spec"]))
    models = {run: load_model(path) for run, path in zip(runs, models, strict=True)}
    binary = is_binary(models[runs[0]])
    sample = _choose(store, test, out_of_fold, gene, binary)
    cell, row = np.flatnonzero(store.cells == sample["cell"]), np.flatnonzero(store.genes == sample["gene_id"])
    modules = [module for module in INPUTS if module in about["modules"]]
    inputs = dict(zip(modules, model_inputs(store, modules, cell, row), strict=True))
    networks = {run: before_sigmoid(without_effects(model)) for run, model in models.items()}
    found = {run: _gradients(network, inputs) for run, network in networks.items()}
    output, gradients = found[sample["run"]]
    prediction = float(models[sample["run"]](list(inputs.values()), training=False).numpy()[0, 0])
    strand = store.gene_table["strand"].iloc[row[0]]
    sizes = {name: store.info[name] for name in ("window", "bin_size")}
    arrays = {**sample, **sizes, "strand": strand, "prediction": prediction, "binary": binary}
    for module in modules:
        _log_completeness(networks[sample["run"]], module, inputs, gradients[module], output)
        arrays[f"{module}_gradient"] = _centred(module, gradients[module])
        folds = [_centred(module, other[module]) for run, (_, other) in found.items() if run != "final"]
        arrays[f"{module}_agreement"] = _agreement(folds)
    if "histone" in modules:
        arrays |= {"marks": np.array(store.info["marks"]), "histone": inputs["histone"][0]}
    if "dna" in modules:
        arrays |= {"dna": store.dna[row[0]], "dna_words": about.get("schedule", {}).get("dna_words", 0) > 0}
    with atomic(attribution) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def _choose(store, test, out_of_fold, gene, binary):
    """Return the sample to draw as a dict of cell, gene_id, regime, truth and run."""
    gene = plain_id(gene)
    if gene != "best" and gene not in store.genes:
        raise InputError(
            f"{gene} cannot be drawn: it is not among the genes of the store, which are called like {some(store.genes, 3)}."
        )
    tables = read_table(test).rename(columns={"final": "prediction"}).assign(run="final"), read_table(out_of_fold)
    for table in tables:
        known = table[table["truth"].notna() & ((gene == "best") | (table["gene_id"] == gene))]
        if gene == "best" and len(known):
            known = known[known["truth"] >= (1 if binary else known["truth"].quantile(1 - HIGHLY))]
        if len(known):
            return _sample(known, (known["truth"] - known["prediction"]).abs().idxmin(), gene)
    if gene == "best":
        table = next(table for table in tables if len(table))
        return _sample(table, table["prediction"].idxmax(), gene)
    return {"cell": store.cells[0], "gene_id": gene, "regime": "-", "truth": np.nan, "run": "final"}


def _sample(table, index, gene):
    chosen = table.loc[index, ["cell", "gene_id", "regime", "truth", "run"]].to_dict()
    log.info("%s: gene %s in cell %s (%s), %s", gene, *(chosen[name] for name in ("gene_id", "cell", "regime", "run")))
    return chosen


def _gradients(model, inputs):
    """Return (output, dict from module to gradient), both without the sample axis."""
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


def _log_completeness(model, module, inputs, gradient, output):
    """Log how far gradient x input is from explaining the difference to an empty input (all zeros)."""
    empty = {name: np.zeros_like(values) if name == module else values for name, values in inputs.items()}
    difference = output - float(model(list(empty.values()), training=False).numpy()[0, 0])
    explained = float((gradient * inputs[module][0]).sum())
    log.info(
        "%s: gradient x input sums to %.4f, the output differs from that of an empty input by %.4f (completeness error %.4f)",
        module, explained, difference, explained - difference,
    )  # fmt: skip
