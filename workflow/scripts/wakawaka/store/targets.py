"""What is predicted: the values of the expression file, transformed, or a label made of them.

A target is a dict of JSON values. Its `kind` is `value`; `label`, where the file holds 0 and 1; or `above_median`: 1 where a value is at
or above the median of its cell over all genes of the expression file, else 0. The last two are binary: the model predicts the
probability of a 1, and their transform is `none`. The `transform` of a value v is one of

    none                 v
    log2p1               log2(v + 1)
    ln1p                 ln(v + 1)
    log2ratio:<column>   log2((v + 1) / (r + 1)), r the gene's value in that column of the expression file
    zscore_per_gene      (v - m) / s, m and s the mean and the sample standard deviation of the gene's values in training samples

What a transform knows of each gene is `fitted`: a dict of JSON values, stored with the model, so that predictions can be turned
back without the data. A gene that is not in its `gene_id` has no target: it is predicted, but neither trained on nor scored.
"""

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError

ZSCORE = "zscore_per_gene"

# From a value to the target and back; the further arguments are what is fitted, [gene].
TRANSFORMS = {
    "none": (lambda value: value, lambda target: target),
    "log2p1": (lambda value: np.log2(value + 1), lambda target: np.exp2(target) - 1),
    "ln1p": (np.log1p, np.expm1),
    "log2ratio": (
        lambda value, reference: np.log2((value + 1) / (reference + 1)),
        lambda target, reference: np.exp2(target) * (reference + 1) - 1,
    ),
    ZSCORE: (lambda value, mean, sd: (value - mean) / sd, lambda target, mean, sd: target * sd + mean),
}
LOGARITHMS = ("log2p1", "ln1p", "log2ratio")


def is_binary(target):
    """Return whether the target is 0 or 1, and the prediction the probability of a 1."""
    return target["kind"] != "value"


def known(store, target):
    """Return the mask [cell, gene] of the samples that have a target, as far as that does not depend on the training samples.

    Raises:
        InputError: a value or a reference that the target cannot be made of.
    """
    if target["transform"] == ZSCORE:
        return np.isfinite(store.expression)
    return np.isfinite(values(store, target, fit(store, target, None)))


def fit(store, target, trained):
    """Return `fitted`: `gene_id` and, in the same order, what the transform needs of each gene that has it; {} for most transforms.

    Args:
        store: `Store`. target: see above.
        trained: mask [cell, gene] of the training samples, of which alone z-scores are made; others are never looked at. Values
            that are not known are left out.

    Raises:
        InputError: if a reference value is negative.
    """
    if target["transform"] == ZSCORE:
        return _moments(store, trained)
    if _name(target) == "log2ratio":
        reference = np.asarray(store.reference, np.float64)
        _refuse_negative(store, target, reference[None], lambda cell: "the reference column")
        has = np.isfinite(reference)
        return {"gene_id": store.genes[has].tolist(), "reference": reference[has].tolist()}
    return {}


def values(store, target, fitted):
    """Return the targets [cell, gene] float32, NaN where there is none.

    Raises:
        InputError: a label that is neither 0 nor 1, or a negative value where the transform is a logarithm.
    """
    raw = np.asarray(store.expression, np.float64)
    if target["kind"] == "label":
        _refuse_other_labels(store, raw)
    if target["kind"] == "above_median":
        medians = np.array([store.info["medians"].get(cell) for cell in store.cells], np.float64)[:, None]
        raw = np.where(np.isfinite(raw) & np.isfinite(medians), raw >= medians, np.nan)
    if _name(target) in LOGARITHMS:
        _refuse_negative(store, target, raw, lambda cell: f"cell {store.cells[cell]}")
    forward, _ = TRANSFORMS[_name(target)]
    with np.errstate(over="ignore"):
        result = forward(raw, **_of_genes(fitted, store.genes)).astype(np.float32)
    # A value of another cell, in standard deviations so small that a float32 does not hold it.
    result[~np.isfinite(result)] = np.nan
    return result


def invert(prediction, gene_ids, target, fitted):
    """Return predictions in the units of the expression file, float64: the exact inverse of the transform.

    Where the transform is a logarithm, a prediction below that of 0 gives a value below 0, never below -1.

    Args:
        prediction: array whose last axis is the genes'. gene_ids: [gene] list or array of str.
        target, fitted: as stored with the model.

    Returns:
        An array of the shape of `prediction`; NaN for genes that are not in `fitted`, and everywhere for binary targets: a probability
        of a label says nothing of a value.
    """
    prediction = np.asarray(prediction, np.float64)
    if is_binary(target):
        return np.full_like(prediction, np.nan)
    _, backward = TRANSFORMS[_name(target)]
    return backward(prediction, **_of_genes(fitted, gene_ids))


def rescale(prediction, gene_ids, target, fitted, other):
    """Return predictions of a model with `fitted` as one with `other` would make them, float64.

    Genes that one of the two does not know keep their prediction: of them nothing better is known.

    Args:
        prediction, gene_ids: [sample]. target: of both models.
    """
    prediction = np.asarray(prediction, np.float64)
    if target["transform"] != ZSCORE:
        return prediction
    forward, _ = TRANSFORMS[ZSCORE]
    changed = forward(invert(prediction, gene_ids, target, fitted), **_of_genes(other, gene_ids))
    return np.where(np.isfinite(changed), changed, prediction)


def _name(target):
    return target["transform"].partition(":")[0]


def _moments(store, trained):
    """Return the gene_id, mean and sample standard deviation of the genes with two training values or more that differ."""
    values = np.asarray(store.expression, np.float64)
    used = trained & np.isfinite(values)
    count, values = used.sum(axis=0), np.where(used, values, 0)
    mean = values.sum(axis=0) / np.maximum(count, 1)
    squares = np.where(used, (values - mean) ** 2, 0).sum(axis=0)
    sd = np.sqrt(squares / np.maximum(count - 1, 1))
    has = (count > 1) & (sd > 0)
    return {"gene_id": store.genes[has].tolist(), "mean": mean[has].tolist(), "sd": sd[has].tolist()}


def _of_genes(fitted, gene_ids):
    """Return the dict of what is fitted, as arrays [gene] float64 in the order of `gene_ids`, NaN for genes that are not in it."""
    columns = pd.DataFrame(fitted).set_index("gene_id").reindex(gene_ids) if fitted else {}
    return {name: columns[name].to_numpy(np.float64) for name in columns}


def _refuse_negative(store, target, values, place):
    """Raise an InputError for the first negative value of [row, gene]; `place` says in words what a row is."""
    for row, gene in np.argwhere(values < 0)[:1]:
        raise InputError(
            f"config key `expression.transform` is {target['transform']}, but the expression of gene {store.genes[gene]} in {place(row)} "
            f"is {values[row, gene]:g}: negative values look like logarithms already, so set the key to none."
        )


def _refuse_other_labels(store, values):
    for cell, gene in np.argwhere(np.isfinite(values) & (values != 0) & (values != 1))[:1]:
        raise InputError(
            f"config key `expression.target` is label, but the expression of gene {store.genes[gene]} in cell {store.cells[cell]} "
            f"is {values[cell, gene]:g}: labels are 0 and 1; set the key to value, or to above_median, which makes labels of values."
        )
