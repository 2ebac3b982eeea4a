"""A small network in the forms that it has: the saved one, the fast one, and the one that looks k-mers up."""

import keras
import numpy as np

from helpers.networks import small_spec
from helpers.stores import info_of, store_with
from wakawaka.network.build import build_model
from wakawaka.network.kmer_kernels import index_kmers

SMALL = small_spec()
SIZES = {"marks": 2, "bins": 20, "window": 100}


def _tiny_store():
    """Return a store of three cells and four genes with random signals and bases."""
    rng = np.random.default_rng(1)
    histone = rng.random((3, 4, 20, 2)).astype(np.float32)
    dna = rng.integers(0, 5, (4, 100)).astype(np.uint8)
    return store_with(genes=np.array(list("abcd")), histone=histone, dna=dna, info=info_of(scale="signal"))


TINY = _tiny_store()

# What is saved, the fused layers, and the form that a CPU trains, which looks k-mers up.
FORMS = ["plain", "fast", "lookup"]


def settings(form, codes, width):
    """Return the arguments of `build_model` that make a form."""
    return {"fast": form != "plain", "kmer_index": index_kmers(codes, width) if form == "lookup" else None}


def build(modules=("histone", "dna"), form="plain", seed=3, binary=False):
    """Return the small network in a form, with the initial weights of a seed."""
    keras.utils.set_random_seed(seed)
    return build_model(SMALL, modules=list(modules), **SIZES, binary=binary, **settings(form, TINY.dna, 6))
