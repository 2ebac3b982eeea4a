"""The attribution of one gene: its file, and the words on its figures."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, readable
from wakawaka.evaluation.labels import REGIMES
from wakawaka.figures.style import number
from wakawaka.splits.regimes import FINAL


def read_attribution(path: PathLike, gradient: str) -> dict[str, Any]:
    """Return all arrays of an attribution file, those without dimensions as plain strings and numbers.

    Args:
        path: an `.npz` file of rule attribute.
        gradient: the array that is drawn, `histone_gradient` or `dna_gradient`.

    Raises:
        InputError: if the gradient is constant or not finite. A single number must not be 0. With fixed k-mer filters, the gradient
            of the DNA may be 0 everywhere, because the gene may have none of the k-mers.
    """
    with readable(path), np.load(path, allow_pickle=False) as arrays:
        attribution = {name: array[()] for name, array in arrays.items()}
    values = attribution[gradient]
    # A single number, of one bin and one mark, cannot differ from others.
    spread = np.ptp(values) if values.size > 1 else abs(values.item())
    silent = gradient == "dna_gradient" and attribution.get("fixed_kmers", False) and not values.any()
    if not 0 < spread < np.inf and not silent:
        found = "is not finite in places" if not np.isfinite(values).all() else f"is {values.flat[0]:g} everywhere"
        raise InputError(
            f"{path}: the attribution of {attribution['gene_id']} in {attribution['cell']} is constant: {gradient} "
            f"{found}. No part of this input has more effect than another: the model's predictions are most likely constant, "
            "or its training has diverged. Look at its learning curves, and train again with a lower "
            "learning rate, more epochs or another seed."
        )
    return attribution


def position_label(attribution: Mapping[str, Any], unit: str) -> str:
    """Return the label of the axis along a gene's window; with a known strand, the gene is on the right."""
    known = attribution["strand"] != "."
    direction = "in the direction of transcription" if known else "as in the input files: the strand is not known"
    return f"position relative to the TSS ({unit}), {direction}"


def gene_title(attribution: Mapping[str, Any], agreement: str) -> str:
    """Return the title of a gene's figure; `agreement` names the array with the correlation between the fold models."""
    regime = REGIMES.get(str(attribution["regime"]), "of unknown expression")
    run = str(attribution["run"])
    model = "final model" if run == FINAL else f"model of {run}"
    predicted, gradients = "prediction", "gradients"
    if attribution["binary"]:
        predicted, gradients = "predicted probability", "gradients of the log odds"
    return (
        f"{attribution['gene_id']} in {attribution['cell']} ({regime}), {model}\n"
        f"truth {number(attribution['truth'])}, {predicted} {number(attribution['prediction'])}, "
        f"mean correlation between the fold models' {gradients} {number(attribution[agreement])}"
    )
