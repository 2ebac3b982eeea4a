"""The inputs of a network, made from the arrays of a store."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from wakawaka.genome.dna import one_hot
from wakawaka.network.backend import has_gpu
from wakawaka.network.kmer_kernels import LARGEST_POOL, KmerIndex, index_kmers
from wakawaka.network.spec import INPUTS, Spec, complete


class DnaSource(Protocol):
    """An object with DNA windows."""

    @property
    def dna(self) -> np.ndarray:
        """The DNA codes [gene, position] uint8."""


class InputSource(DnaSource, Protocol):
    """What a network needs of a store: the inputs of its samples."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """The sizes of the inputs: marks, bins and window (bp)."""

    def histone_input(self, cells: np.ndarray, genes: np.ndarray) -> np.ndarray:
        """Return the histone input [sample, bin, mark] float32 for paired indices [sample]."""


def model_inputs(
    store: InputSource,
    modules: Sequence[str],
    cells: np.ndarray | None,
    genes: np.ndarray,
    kmer_index: KmerIndex | None = None,
) -> list[np.ndarray]:
    """Return the inputs of a network: the histone input float32, then the DNA, as far as `modules` has them.

    DNA is one-hot, [sample, position, 4] float32. For a network that was built with a `KmerIndex` it is rows of `kmer_index.index`.

    Args:
        store: the store.
        modules: the modules of the network.
        cells, genes: paired indices [sample]; without the histone module, cells may be None.
        kmer_index: that of the network, or None.
    """
    inputs = []
    if "histone" in modules:
        assert cells is not None
        inputs.append(store.histone_input(cells, genes))
    if "dna" in modules:
        inputs.append(kmer_index.index[genes] if kmer_index else one_hot(store.dna[genes]))
    return inputs


def visible_dna(store: DnaSource, spec: Spec) -> np.ndarray:
    """Return the DNA codes [gene, position] uint8 of the central part of the windows that the DNA module is given."""
    length, crop = store.dna.shape[1], complete(spec)["dna"]["crop"]
    start = (length - crop) // 2 if crop else 0
    return store.dna[:, start : length - start]


def kmer_index_of(store: DnaSource, spec: Spec, modules: Sequence[str]) -> KmerIndex | None:
    """Return the k-mer index of the store's sequences, with which `build_model` makes a `KmerConv1D`.

    It is None on a GPU, where a convolution is faster, and for a network whose first layer of DNA is not a convolution or pools too much.
    """
    convolutions = complete(spec)["dna"]["convolutions"] if "dna" in modules else []
    if not convolutions or convolutions[0]["pool_size"] > LARGEST_POOL or has_gpu():
        return None
    layer = convolutions[0]
    return index_kmers(visible_dna(store, spec), layer["kernel_size"], layer["dilation"], layer["padding"])


def in_order(modules: Sequence[str]) -> list[str]:
    """Return the modules in the order of a network's inputs."""
    return [module for module in INPUTS if module in modules]
