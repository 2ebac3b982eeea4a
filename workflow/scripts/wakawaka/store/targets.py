"""The targets: the values of the expression file, transformed, or labels made of them.

A target is a dict of JSON values. Its `kind` is `value`; `label`, where the file holds 0 and 1; or `above_median`: 1
where a value is at or above the median of its cell over all genes of the expression file, else 0. The last two are
binary: the model predicts the probability of a 1, and their transform is `none`. The `transform` of a value v is one of

    none                 v
    log2p1               log2(v + 1)
    ln1p                 ln(v + 1)
    log2ratio:<column>   log2((v + 1) / (r + 1)), r the gene's value in that column of the expression file
    zscore_per_gene      (v - m) / s, m and s the mean and the sample standard deviation of the gene's values in training samples

What a transform needs of each gene is `fitted`: a dict of JSON values, stored with the model, so that predictions can
be turned back without the data. A gene that is not in its `gene_id` has no target: it is predicted, but neither trained
on nor scored.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.store.store import Store

# What is predicted: `kind` and `transform`.
Target = Mapping[str, str]
# What a transform needs of each gene: `gene_id` and numbers in the same order.
Fitted = Mapping[str, list[Any]]

ZSCORE = "zscore_per_gene"

# From a value to the target, and back. The further arguments are what is fitted, [gene].
TRANSFORMS: dict[str, tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]] = {
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


def is_binary(target: Target) -> bool:
    """Return whether the target is 0 or 1, and the prediction the probability of a 1."""
    return target["kind"] != "value"


def known(store: Store, target: Target) -> np.ndarray:
    """Return the mask [cell, gene] of the samples that have a target, whatever the training samples are.

    A z-score may still be unknown: it also needs two different training values of its gene.

    Raises:
        InputError: for a value or a reference that the target cannot be made of.
    """
    if target["transform"] == ZSCORE:
        return np.isfinite(store.expression)
    return np.isfinite(values(store, target, fit(store, target, None)))


def fit(store: Store, target: Target, trained: np.ndarray | None) -> Fitted:
    """Return what the transform needs of each gene that has it; for most transforms nothing.

    Args:
        store: has the expression and the reference.
        target: what is predicted.
        trained: mask [cell, gene] of the training samples. Z-scores are fitted on these alone, as far as their values
            are known; other transforms do not need it.

    Raises:
        InputError: for a negative reference value.
    """
    if target["transform"] == ZSCORE:
        assert trained is not None
        return _moments(store, trained)
    if _name(target) == "log2ratio":
        reference = np.asarray(store.reference, np.float64)
        _refuse_negative(store, target, reference[None], lambda cell: "the reference column")
        has = np.isfinite(reference)
        return {"gene_id": store.genes[has].tolist(), "reference": reference[has].tolist()}
    return {}


def values(store: Store, target: Target, fitted: Fitted) -> np.ndarray:
    """Return the targets [cell, gene] float32, NaN where there is none.

    Raises:
        InputError: for a label that is neither 0 nor 1, or a negative value where the transform is a logarithm.
    """
    raw = np.asarray(store.expression, np.float64)
    if target["kind"] == "label":
        _refuse_other_labels(store, raw)
    if target["kind"] == "above_median":
        medians = store.info.medians or {}
        of_cells = np.array([medians.get(cell) for cell in store.cells], np.float64)[:, None]
        raw = np.where(np.isfinite(raw) & np.isfinite(of_cells), raw >= of_cells, np.nan)
    if _name(target) in LOGARITHMS:
        _refuse_negative(store, target, raw, lambda cell: f"cell {store.cells[cell]}")
    forward, _ = TRANSFORMS[_name(target)]
    with np.errstate(over="ignore"):
        result = forward(raw, **_of_genes(fitted, store.genes)).astype(np.float32)
    # In standard deviations that are very small, a value of another cell may be too large for float32.
    result[~np.isfinite(result)] = np.nan
    return result


def invert(
    prediction: np.ndarray | Sequence[Any], gene_ids: np.ndarray | Sequence[str], target: Target, fitted: Fitted
) -> np.ndarray:
    """Return predictions in the units of the expression file, float64: the exact inverse of the transform.

    Where the transform is a logarithm, a prediction below that of 0 gives a value below 0, never below -1.

    Args:
        prediction: array whose last axis is the genes'.
        gene_ids: [gene] ids.
        target, fitted: as stored with the model.

    Returns:
        An array of the shape of `prediction`; NaN for genes that are not in `fitted`, and everywhere for binary
        targets, because a probability of a label does not determine a value.
    """
    prediction = np.asarray(prediction, np.float64)
    if is_binary(target):
        return np.full_like(prediction, np.nan)
    _, backward = TRANSFORMS[_name(target)]
    return backward(prediction, **_of_genes(fitted, gene_ids))


def rescale(
    prediction: np.ndarray | Sequence[Any],
    gene_ids: np.ndarray | Sequence[str],
    target: Target,
    fitted: Fitted,
    other: Fitted,
) -> np.ndarray:
    """Return predictions of a model with `fitted` on the scale of a model with `other`, float64.

    A gene that one of the two models does not know keeps its prediction, because nothing better is known.

    Args:
        prediction, gene_ids: [sample].
        target: the target of both models.
    """
    prediction = np.asarray(prediction, np.float64)
    if target["transform"] != ZSCORE:
        return prediction
    forward, _ = TRANSFORMS[ZSCORE]
    changed = forward(invert(prediction, gene_ids, target, fitted), **_of_genes(other, gene_ids))
    return np.where(np.isfinite(changed), changed, prediction)


def _name(target: Target) -> str:
    """Return the transform without the column that it may name."""
    return target["transform"].partition(":")[0]


def _moments(store: Store, trained: np.ndarray) -> Fitted:
    """Return gene_id, mean and sample standard deviation of the genes with two or more different training values."""
    values = np.asarray(store.expression, np.float64)
    used = trained & np.isfinite(values)
    count, values = used.sum(axis=0), np.where(used, values, 0)
    mean = values.sum(axis=0) / np.maximum(count, 1)
    squares = np.where(used, (values - mean) ** 2, 0).sum(axis=0)
    sd = np.sqrt(squares / np.maximum(count - 1, 1))
    has = (count > 1) & (sd > 0)
    return {"gene_id": store.genes[has].tolist(), "mean": mean[has].tolist(), "sd": sd[has].tolist()}


def _of_genes(fitted: Fitted, gene_ids: np.ndarray | Sequence[str]) -> dict[str, np.ndarray]:
    """Return what is fitted, each [gene] float64 in the order of `gene_ids`, NaN for genes that are not in it."""
    if not fitted:
        return {}
    columns = pd.DataFrame(dict(fitted)).set_index("gene_id").reindex(pd.Index(gene_ids))
    return {str(name): column.to_numpy(np.float64) for name, column in columns.items()}


def _refuse_negative(store: Store, target: Target, values: np.ndarray, place: Callable[[int], str]) -> None:
    """Raise an InputError for the first negative value of [row, gene]; `place` says in words what a row is."""
    for row, gene in np.argwhere(values < 0)[:1]:
        raise InputError(
            f"config key `expression.transform` is {target['transform']}, but the expression of gene {store.genes[gene]} in {place(row)} "
            f"is {values[row, gene]:g}: negative values look like logarithms already, so set the key to none."
        )


def _refuse_other_labels(store: Store, values: np.ndarray) -> None:
    """Raise an InputError for the first known value that is neither 0 nor 1."""
    for cell, gene in np.argwhere(np.isfinite(values) & (values != 0) & (values != 1))[:1]:
        raise InputError(
            f"config key `expression.target` is label, but the expression of gene {store.genes[gene]} in cell {store.cells[cell]} "
            f"is {values[cell, gene]:g}: labels are 0 and 1; set the key to value, or to above_median, which makes labels of values."
        )
