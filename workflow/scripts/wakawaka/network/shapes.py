"""The lengths of a module's layers, computed from its settings. This module imports neither Keras nor TensorFlow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ConvolutionShape:
    """The positions before and after one convolution of a module.

    Attributes:
        length: positions of the input.
        span: positions that one filter covers, dilation included.
        convolved: positions after the convolution. Below 1, the filter does not fit.
        pooled: positions after the pooling. Below 1, the filter or the pool does not fit.
    """

    length: int
    span: int
    convolved: int
    pooled: int


def input_length(module: str, settings: Mapping[str, Any], *, window: int, bins: int) -> int:
    """Return the positions that the first layer of a module sees: averaged bins, or base pairs after cropping.

    Args:
        module: histone or dna.
        settings: the settings of the module, complete.
        window: bp of the window.
        bins: number of bins.
    """
    if module == "dna":
        return settings["crop"] or window
    return bins // settings["bin_average"]


def convolution_shapes(length: int, convolutions: Sequence[Mapping[str, Any]]) -> list[ConvolutionShape]:
    """Return the shape of each convolution, up to and including the first one that does not fit.

    Args:
        length: positions of the module's input.
        convolutions: settings of each layer, complete.
    """
    shapes: list[ConvolutionShape] = []
    for layer in convolutions:
        span = (layer["kernel_size"] - 1) * layer["dilation"] + 1
        convolved = length - (span - 1) * (layer["padding"] == "valid")
        shapes.append(ConvolutionShape(length, span, convolved, max(convolved, 0) // layer["pool_size"]))
        length = shapes[-1].pooled
        if length < 1:
            break
    return shapes
