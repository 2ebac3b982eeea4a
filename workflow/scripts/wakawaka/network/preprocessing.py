"""The file preprocessing.json, which describes a trained model: what it was trained on, and what it has to be given.

This module imports neither Keras nor TensorFlow.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, atomic, readable
from wakawaka.network.spec import z_scores_of


@dataclass(frozen=True)
class Preprocessing:
    """The content of preprocessing.json.

    Attributes:
        run: final, fold-1, ...
        spec: specification of the network, as `models.<name>` in config.yaml.
        modules: the modules that it has.
        target: `kind` and `transform` of the target, see store/targets.py.
        schedule: the settings of the training, as `models.<name>.training` in config.yaml.
        permuted_genes: the seed with which every gene was given the DNA of another one; None where each kept its own.
        binary: whether the model predicts a probability.
        fitted: what the target's transform needs of each gene, fitted on the training samples of this run alone.
        marks: names of the histone marks, in the order of the input.
        window: length of the DNA windows in bp. bins: number of bins in a window.
        strand_aware: whether downstream is into the gene in every window.
        scale: the scale of the histone values: counts, log1p or signal; None without histone marks.
        counting: how reads were counted; None where the source does not say it.
        samples: number of training samples.
        parameters: number of weights in all ensemble members, and of gene effects.
        made_with: `versions` of libraries, `seed`, `threads` and `device` of the training.
    """

    run: str
    spec: dict[str, Any]
    modules: list[str]
    target: dict[str, str]
    schedule: dict[str, Any]
    permuted_genes: int | None
    binary: bool
    fitted: Mapping[str, list[Any]]
    marks: list[str]
    window: int
    bins: int
    strand_aware: bool
    scale: str | None
    counting: dict[str, Any] | None
    samples: int
    parameters: int
    made_with: dict[str, Any]

    @property
    def z_scores(self) -> bool:
        """Whether the model's histone input is z-scores."""
        return z_scores_of(self.spec)

    @property
    def fixed_kmers(self) -> bool:
        """Whether the DNA module has fixed k-mer filters: it then sees nothing but which of these k-mers the DNA has."""
        return "dna" in self.modules and self.schedule["kmer_length"] > 0


# The JSON types of the attributes that are always there; None is legal for the others.
_TYPES: dict[str, type] = {
    "run": str, "spec": dict, "modules": list, "target": dict, "schedule": dict, "binary": bool, "fitted": dict, "marks": list,
    "window": int, "bins": int, "strand_aware": bool, "samples": int, "parameters": int, "made_with": dict,
}  # fmt: skip


def read_preprocessing(path: PathLike) -> Preprocessing:
    """Return the content of a preprocessing.json; other keys are ignored.

    Raises:
        InputError: for a missing file, or one that training has not written.
    """
    try:
        with readable(path):
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        known = {field.name: content[field.name] for field in fields(Preprocessing)}
        right = all(isinstance(known[name], kind) for name, kind in _TYPES.items())
    except (ValueError, TypeError, KeyError):
        right = False
    if not right:
        raise InputError(
            f"{path}: this is not what training writes with a model; copy the folder of the model whole, and name the model.keras in it "
            "in `predict_new.model`. A model of an earlier version has to be trained again; if that was here, remove its folder."
        )
    return Preprocessing(**known)


def write_preprocessing(preprocessing: Preprocessing, path: PathLike) -> None:
    """Write a preprocessing.json, atomically.

    Raises:
        ValueError: for a number that is not finite.
    """
    # Python writes the shortest text that gives the same float64 again.
    text = json.dumps(asdict(preprocessing), indent=2, allow_nan=False) + "\n"
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
