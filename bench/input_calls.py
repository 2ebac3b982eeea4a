"""What is called in the processes of inputs.py, and with which arguments; measures nothing by itself.

The imports are inside the functions, so that a process imports only what it needs.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from common import BINS, MARKS, WINDOW, PathLike
from timed_calls import library


def mark_arguments(path: Path, genes: Path, parsed: Path, bins: int, threads: int) -> dict[str, Any]:
    """Return the arguments of the reader of one mark of one cell."""
    rules = {"counting": "overlap", "min_mapq": 0, "duplicates": "flagged", "scale": "counts"}
    rules |= {"bins": bins, "window": WINDOW, "strand_aware": True, "threads": threads}
    return {"files": [path], "genes": genes, "parsed": parsed, "mark": MARKS[0]} | rules


def course_calls(folder: Path, output: Path, cells: int) -> list[tuple[Callable[..., Any], dict[str, Any]]]:
    """Return the calls of the rules that make the store of the course's files: the longest first, build_store last."""
    names = [f"E{cell:03}" for cell in range(1, cells + 1)]
    both, histone = [folder / "train.npz", folder / "eval.npz"], [output / f"{name}.npz" for name in names]
    genes, sequence, expression = (output / f"{name}.npz" for name in ("genes", "sequence", "expression"))
    sizes = {"marks": MARKS, "bins": BINS}
    store = ["genes.tsv", "cells.tsv", "expression.npy", "store.json", "histone.npy", "dna.npy"]
    joined = {"store": [output / "store" / name for name in store], "warnings": output / "store" / "warnings.tsv"}
    parsed = {"genes": genes, "histone": histone, "sequence": sequence, "expression": expression}
    settings = sizes | {"cells": names, "window": WINDOW, "strand_aware": True}
    marks = {"paths": both, "parsed": histone, "scale": "log1p", "order": "genomic"}
    sequences = {"path": folder / "seq_data.csv", "parsed": sequence, "window": WINDOW, "order": "genomic"}
    values = {"paths": both[0], "parsed": expression}
    return [
        (library("sources.histone.read_npz_histone"), marks | sizes | {"cells": names}),
        (library("sources.sequence.read_sequence_csv"), sequences),
        (library("sources.expression.read_npz_expression"), values | sizes | {"cells": names}),
        (library("sources.genes.read_npz_genes"), {"paths": both, "parsed": genes}),
        (join_sources, joined | {"parsed": parsed, "settings": settings}),
    ]


def join_sources(store: list[Path], warnings: Path, parsed: dict[str, Any], settings: dict[str, Any]) -> None:
    """Build a store, as rule build_store does."""
    from wakawaka.store.build_store import ParsedSources, StoreSettings, build_store

    build_store(store, warnings, ParsedSources(**parsed), StoreSettings(**settings))


def cut_and_reverse(genome: PathLike, genes: PathLike, window: int, strand_aware: bool) -> None:
    """Cut the DNA windows of genes from a FASTA and reverse-complement those of the minus strand.

    It is what read_fasta and build_store do, without writing.
    """
    import numpy as np

    from wakawaka.genome.dna import reverse_complement
    from wakawaka.sources.parsed import read_parsed
    from wakawaka.sources.sequence.read_fasta import cut_fasta

    minus = np.flatnonzero(read_parsed(genes)[1]["strand"] == "-")
    codes = cut_fasta(genome, genes, window=window, strand_aware=strand_aware).values
    for first in range(0, len(minus), 16):
        rows = minus[first : first + 16]
        codes[rows] = reverse_complement(codes[rows])


def read_whole(path: PathLike) -> None:
    """Read a file at once."""
    with open(path, "rb") as file:
        file.read()


def read_blocks(paths: Sequence[PathLike]) -> None:
    """Read files in blocks, into the same memory."""
    block = bytearray(1 << 24)
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.readinto(block):
                pass


def differences_from_reference(expected: PathLike, parsed: PathLike) -> int:
    """Return how many bins of parsed histone marks differ from those of the slow reference."""
    import numpy as np

    from wakawaka.sources.parsed import read_parsed

    return int((np.load(expected) != read_parsed(parsed)[1]["values"]).sum())


def differences_from_bedtools(output: PathLike, parsed: PathLike) -> int:
    """Return how many bins of parsed marks differ from those in columns 4 (number) and 5 (count) of bedtools."""
    import pandas as pd

    from wakawaka.sources.parsed import read_parsed

    number, expected = pd.read_csv(output, sep="\t", header=None, usecols=[3, 4]).to_numpy().T
    counted = read_parsed(parsed)[1]["values"].ravel()
    return abs(len(counted) - len(number)) + int((counted[number] != expected).sum())
