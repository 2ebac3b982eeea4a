"""The specification of a network: the settings `models.<name>` of config.yaml, and the values of those that are left out.

This module imports neither Keras nor TensorFlow.
"""

from collections.abc import Mapping
from typing import Any

# A specification or a part of it, of JSON values.
Spec = Mapping[str, Any]

# The names of the modules that have inputs, in the order of a network's inputs.
INPUTS = ("histone", "dna")

# The values of settings that a specification leaves out, by convolution and by module.
CONVOLUTION = {"pool_size": 1, "dilation": 1, "padding": "valid", "batch_norm": False}
MODULE = {"z_scores": False, "crop": None, "bin_average": 1, "global_pooling": "none"}


def complete(spec: Spec) -> dict[str, Any]:
    """Return a specification with every setting, the default ones included."""
    modules = {}
    for module in (name for name in INPUTS if name in spec):
        layers = [CONVOLUTION | layer for layer in spec[module]["convolutions"]]
        modules[module] = MODULE | spec[module] | {"convolutions": layers}
    return {**spec, **modules, "joint": {"input_dropout": 0} | spec["joint"]}


def z_scores_of(spec: Spec) -> bool:
    """Return whether the network's histone input is z-scores instead of the values themselves."""
    return "histone" in spec and complete(spec)["histone"]["z_scores"]
