"""Checks that the layers of a network fit its inputs, and its training its batches."""

from collections.abc import Mapping, Sequence
from typing import Any

from wakawaka.core.errors import InputError
from wakawaka.network.shapes import convolution_shapes, input_length

UNITS = {"histone": "bins", "dna": "bp"}


def check_network(network: Mapping[str, Any], key: str, *, modules: Sequence[str], window: int, bins: int) -> None:
    """Refuse a network whose layers do not fit its inputs.

    Args:
        network: settings of a model or an experiment, complete.
        key: its place in the config.
        modules: the modules that are used.
        window: bp of the window.
        bins: number of bins.

    Raises:
        InputError: with the key, the layer and the positions that it has.
    """
    crop, average, length = (
        network["dna"]["crop"],
        network["histone"]["bin_average"],
        network["training"]["kmer_length"],
    )
    if "dna" in modules and crop and crop > window:
        raise InputError(
            f"config key `{key}.dna.crop` is {crop} bp, wider than the window of {window} bp: make it smaller, or null for all of it."
        )
    if "dna" in modules and length:
        positions = input_length("dna", network["dna"], window=window, bins=bins)
        _check_kmers(length, network["dna"]["convolutions"], positions, key)
    if "histone" in modules and average > bins:
        raise InputError(
            f"config key `{key}.histone.bin_average` is {average}, but there are only {bins} bins: make it smaller."
        )
    for module in (name for name in UNITS if name in modules):
        positions = input_length(module, network[module], window=window, bins=bins)
        _check_convolutions(module, network[module]["convolutions"], positions, f"{key}.{module}.convolutions")


def check_schedule(schedule: Mapping[str, Any], key: str) -> None:
    """Refuse a batch size that `genes_per_batch` does not divide. `key`: the schedule's place. Raises InputError."""
    size, genes = schedule["batch_size"], schedule["genes_per_batch"]
    if genes and size % genes:
        raise InputError(
            f"config key `{key}.genes_per_batch` is {genes}, which does not divide `batch_size`, {size}: "
            "each gene of a batch is there in `batch_size` / `genes_per_batch` cells, which must be a whole number."
        )


def _check_convolutions(module: str, convolutions: Sequence[Mapping[str, Any]], positions: int, key: str) -> None:
    """Refuse a filter or a pool that is wider than what is left of the positions."""
    total = f"{positions} {UNITS[module]}"
    for number, shape in enumerate(convolution_shapes(positions, convolutions), start=1):
        place, pool_size = f"config key `{key}`: convolution {number}", convolutions[number - 1]["pool_size"]
        if shape.convolved < 1:
            raise InputError(
                f"{place} is {shape.span} wide (its dilation included), but only {shape.length} of the {total} are left there; "
                "make it or the pools before it smaller, or set `padding: same`."
            )
        if shape.pooled < 1:
            raise InputError(
                f"{place} has a pool of {pool_size}, but only {shape.convolved} of the {total} are left there; make it smaller."
            )


def _check_kmers(length: int, convolutions: Sequence[Mapping[str, Any]], positions: int, key: str) -> None:
    """Refuse a k-mer length for which the filters of the first convolution of DNA cannot be fixed k-mers."""
    first: Mapping[str, Any] = convolutions[0] if convolutions else {"dilation": 0, "activation": None}
    place = f"config key `{key}.training.kmer_length` is {length}"
    if first["dilation"] != 1 or first["activation"] != "relu":
        raise InputError(
            f"{place}, but the DNA module has no first convolution with `activation: relu` and without dilation, whose filters could be "
            "k-mers: give it one, or set `kmer_length: 0`."
        )
    if length > positions:
        raise InputError(f"{place}, but the module sees only {positions} bp of DNA: make the k-mers shorter.")
    if length > first["kernel_size"]:
        raise InputError(
            f"{place}, but the filters of the first convolution of DNA are only {first['kernel_size']} bp wide: make them wider, or the "
            "k-mers shorter."
        )
