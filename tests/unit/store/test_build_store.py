"""From raw files to the store, and back through `Store`."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from helpers.parsed_sources import (
    BINS,
    MARKS,
    NAMES,
    build,
    from_files,
    warned,
    write_expression,
    write_genes,
    write_histone,
)
from wakawaka.core.errors import InputError
from wakawaka.core.files import sha256
from wakawaka.genome.dna import decode, encode
from wakawaka.sources.expression.read_npz_expression import read_npz_expression
from wakawaka.sources.genes.read_npz_genes import read_npz_genes
from wakawaka.sources.histone.read_npz_histone import read_npz_histone
from wakawaka.sources.parsed import write_parsed
from wakawaka.store.build_store import ParsedSources, StoreSettings, build_store
from wakawaka.store.store import Store, StoreInfo


def test_the_files_of_a_store(tmp_path):
    store = from_files(tmp_path, "genomic")
    assert store.cells.tolist() == ["a", "b"]
    assert store.modules == ["histone", "dna"]
    table = store.gene_table
    assert table["chrom"].tolist() == ["1"] * 4 and table["group"].isna().all()
    assert table["tss"].tolist() == [12, 22, 1, 38] and table["strand"].tolist() == ["+", "-", "+", "-"]
    assert np.array_equal(store.expression, [[1, 3, np.nan, 5], [2, np.nan, np.nan, 6]], equal_nan=True)
    info = asdict(store.info)
    sources = [tmp_path / name for name in ("genes.gtf", "genome.fa", "a.tsv", "b.tsv", "expression.tsv")]
    assert info.pop("sources") == [{"path": str(path), "sha256": sha256(path)} for path in sources]
    assert info == {
        "cells": 2,
        "genes": 4,
        "marks": MARKS,
        "window": 8,
        "bins": 4,
        "bin_size": 2,
        "strand_aware": True,
        "scale": "counts",
        "depth": {"a": None, "b": None},
        "counting": None,
        "medians": {"a": 3.0, "b": 4.0},
    }
    assert warned(tmp_path) == [
        f"{tmp_path}/expression.tsv: 1 values are not known (empty or NA); those samples are predicted, "
        "but neither trained on nor scored.",
        "1 genes without expression are predicted, but neither trained on nor scored: START.",
    ]
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == sorted([*NAMES, "dna.npy", "histone.npy"])


def test_equal_inputs_give_equal_bytes(tmp_path):
    from_files(tmp_path, "genomic")
    first = {path.name: path.read_bytes() for path in (tmp_path / "store").iterdir()}
    from_files(tmp_path, "genomic")
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "store").iterdir()}


# The course's files


def test_course_values_follow_their_ids(tmp_path):
    """In eval.npz the genes of the training cells are in another order than elsewhere."""
    counts = {number: np.arange(8).reshape(4, 2) + 10 * number for number in (3, 5, 7, 9)}

    def array(numbers, last):
        rows = [
            np.column_stack([np.full(4, number), np.log1p(counts[number]), np.full(4, last(number))])
            for number in numbers
        ]
        return np.array(rows, np.float32)

    np.savez(
        tmp_path / "train.npz", E1=array([3, 9], lambda number: number + 0.5), E2=array([3, 9], lambda number: -number)
    )
    np.savez(
        tmp_path / "eval.npz",
        E1=array([7, 5], lambda _: 0),
        E3=array([3, 5, 7, 9], lambda _: 0),
        E2=array([7, 5], lambda _: 0),
    )
    cells, files = ["E2", "E1", "E3"], [str(tmp_path / "train.npz"), str(tmp_path / "eval.npz")]
    parts = [tmp_path / f"{cell}.npz" for cell in cells]
    read_npz_genes(files, tmp_path / "genes.npz")
    read_npz_histone(files, parts, cells=cells, marks=MARKS, bins=BINS, scale="log1p", order="genomic")
    read_npz_expression(files[0], tmp_path / "expression.npz", cells=cells, marks=MARKS, bins=BINS)
    store = build(tmp_path, cells, [part.name for part in parts])
    assert store.genes.tolist() == [f"ENSG{number:011d}" for number in (3, 5, 7, 9)]
    for cell in range(3):
        assert store.histone[cell].tolist() == [counts[number].tolist() for number in (3, 5, 7, 9)]
    expected = [[-3, np.nan, np.nan, -9], [3.5, np.nan, np.nan, 9.5], [np.nan] * 4]
    assert np.array_equal(store.expression, expected, equal_nan=True)
    assert store.info.scale == "counts"
    # Each file is named once, not once for every cell.
    assert store.info.sources == [{"path": path, "sha256": sha256(path)} for path in files]
    Path(files[0]).unlink()
    with pytest.raises(InputError, match=r"train\.npz: the file does not exist"):
        build(tmp_path, cells, [part.name for part in parts])


# Values


def test_expression_goes_by_the_cells_names(tmp_path):
    write_genes(tmp_path, ["A"])
    write_histone(tmp_path, "a.npz", ["A"], np.ones((1, 1, 1), np.uint16))
    write_histone(tmp_path, "b.npz", ["A"], np.ones((1, 1, 1), np.uint16))
    write_expression(tmp_path, ["A"], ["b", "a"], [[2], [1]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert store.expression.tolist() == [[1], [2]]


def test_cells_of_counts_and_of_logarithms_become_logarithms(tmp_path):
    """One cell of log1p files has values that are no logarithms of counts."""
    write_genes(tmp_path, ["A", "B"], strand="-")
    write_histone(tmp_path, "a.npz", ["A", "B"], np.array([[[0], [1]], [[9], [70000]]], np.uint32))
    write_histone(tmp_path, "b.npz", ["B", "A"], np.array([[[0.5], [1]], [[2], [3]]], np.float32), scale="log1p")
    write_expression(tmp_path, ["A", "B"], ["a", "b"], [[1, 2], [3, 4]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=2)
    assert store.info.scale == "log1p" and store.histone.dtype == np.float32
    expected = np.array([[[np.log(2), 0], [np.log(70001), np.log(10)]], [[3, 2], [1, 0.5]]])
    assert np.allclose(store.histone[:, :, :, 0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("dtypes", "stored"),
    [((np.uint16, np.uint16), np.uint16), ((np.uint16, np.uint32), np.uint32), ((np.uint32, np.uint16), np.uint32)],
)
def test_counts_have_the_type_that_the_largest_needs(tmp_path, dtypes, stored):
    write_genes(tmp_path, ["A"])
    for cell, dtype in zip("ab", dtypes, strict=True):
        write_histone(tmp_path, f"{cell}.npz", ["A"], np.full((1, 1, 1), np.iinfo(dtype).max, dtype))
    write_expression(tmp_path, ["A"], ["a", "b"], [[1], [2]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert store.histone.dtype == stored and store.info.scale == "counts"
    assert store.histone.ravel().tolist() == [np.iinfo(dtype).max for dtype in dtypes]


def test_neither_coordinates_nor_marks_are_needed(tmp_path):
    write_genes(tmp_path, ["A"], strand=".", tss=[-1])
    write_parsed(
        tmp_path / "sequence.npz", [], about={"order": "genomic"}, gene_id=np.array(["A"]), values=encode("ACGT")[None]
    )
    write_expression(tmp_path, ["A"], ["a"], [[1]])
    store = build(tmp_path, ["a"], sequence=tmp_path / "sequence.npz", window=4, bins=2)
    assert store.modules == ["dna"]
    assert store.info.marks == [] and store.info.scale is None
    assert store.gene_table["tss"].isna().all() and store.gene_table["strand"].tolist() == ["."]
    assert decode(store.dna[0]) == "ACGT"


def test_empty_windows_and_constant_expression_are_warned_of(tmp_path):
    write_genes(tmp_path, ["A", "B", "C"])
    write_histone(tmp_path, "a.npz", ["A", "B", "C"], np.array([[[0]], [[0]], [[1]]], np.uint16))
    write_histone(tmp_path, "b.npz", ["A", "B", "C"], np.array([[[1]], [[1]], [[1]]], np.uint16))
    write_expression(tmp_path, ["A", "B", "C"], ["a", "b"], [[1, 2, 3], [7, np.nan, 7]])
    build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert warned(tmp_path) == [
        "in 1 of 2 cells some genes have only zeros in their window: 2 in a.",
        "the expression of cell b is 7 for all of its 2 genes.",
    ]


def test_the_reference_is_an_array_of_its_own_and_medians_are_of_all_genes(tmp_path):
    write_genes(tmp_path, ["A", "B"])
    write_histone(tmp_path, "a.npz", ["A", "B"], np.ones((2, 1, 1), np.uint16))
    write_expression(tmp_path, ["X", "B", "A", "Y"], ["E000", "a"], [[1, 2, 3, 4], [5, 6, 7, np.nan]])
    store = build(tmp_path, ["a"], ["a.npz"], marks=["m"], bins=1, reference="E000")
    assert store.reference.tolist() == [3, 2]
    assert store.expression.tolist() == [[7, 6]]
    # Of 5, 6 and 7: X is no gene of the store.
    assert store.info.medians == {"a": 6.0}


def test_a_reference_that_the_source_lacks_is_refused(tmp_path):
    write_genes(tmp_path, ["A"])
    write_histone(tmp_path, "a.npz", ["A"], np.ones((1, 1, 1), np.uint16))
    write_expression(tmp_path, ["A"], ["a"], [[1]])
    with pytest.raises(InputError, match=r"takes a ratio to E000, for which the expression source has no value"):
        build(tmp_path, ["a"], ["a.npz"], marks=["m"], bins=1, reference="E000")


def test_cells_that_the_expression_lacks_are_predicted(tmp_path):
    write_genes(tmp_path, ["A"])
    for cell in "ab":
        write_histone(tmp_path, f"{cell}.npz", ["A"], np.ones((1, 1, 1), np.uint16))
    write_expression(tmp_path, ["A"], ["b"], [[3]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert np.array_equal(store.expression, [[np.nan], [3]], equal_nan=True)
    assert store.info.medians == {"b": 3.0}
    assert "1 cells without expression are predicted, but neither trained on nor scored: a." in warned(tmp_path)


def test_a_store_for_a_finished_model_needs_no_expression(tmp_path):
    write_genes(tmp_path, ["A"])
    about = {"scale": "counts", "order": "genomic", "depth": {"m": 12}, "counting": {"rule": "overlap"}}
    write_parsed(tmp_path / "a.npz", [], about=about, gene_id=np.array(["A"]), values=np.ones((1, 1, 1), np.uint16))
    paths = [tmp_path / name for name in ("genes.tsv", "cells.tsv", "store.json", "histone.npy")]
    parsed = ParsedSources(tmp_path / "genes.npz", [tmp_path / "a.npz"])
    settings = StoreSettings(["a"], ["m"], window=8, bins=1, strand_aware=True)
    build_store(paths, tmp_path / "warnings.tsv", parsed, settings)
    info = Store(paths).info
    assert "medians" not in json.loads((tmp_path / "store.json").read_text()) and info.medians is None
    assert info.depth == {"a": {"m": 12}} and info.counting == {"rule": "overlap"}
    assert warned(tmp_path) == ["Nothing odd was met."]


def test_a_track_in_one_cell_makes_all_values_numbers(tmp_path):
    write_genes(tmp_path, ["A"])
    write_histone(tmp_path, "a.npz", ["A"], np.full((1, 1, 1), 70000, np.uint32))
    write_histone(tmp_path, "b.npz", ["A"], np.full((1, 1, 1), 0.5, np.float32))
    write_expression(tmp_path, ["A"], ["a", "b"], [[1], [2]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert store.histone.dtype == np.float32 and store.info.scale == "counts"
    assert store.histone.ravel().tolist() == [70000, 0.5]
    assert np.allclose(store.histone_input([0, 1], [0, 0]).ravel(), np.log1p([70000, 0.5]))


def test_store_json_is_text_for_people(tmp_path):
    store = from_files(tmp_path, "genomic")
    text = (tmp_path / "store" / "store.json").read_text()
    assert text.startswith('{\n  "cells": 2,\n') and StoreInfo(**json.loads(text)) == store.info
