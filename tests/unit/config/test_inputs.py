"""Cells, sources and input files of a config."""

from pathlib import Path

import pytest

from helpers.configs import DEFAULT, changed, checked
from wakawaka.config.inputs import cells_of, check_files, new_samples_of, paths_of, samples_of, sources_of
from wakawaka.core.errors import InputError


@pytest.mark.parametrize(
    ("own", "forgotten"),
    [
        ({"genes": {"path": "a.gtf"}}, "histone.path"),
        (
            {
                "genes": {"path": "a.gtf"},
                "histone": {"path": "{cell}.tsv"},
                "sequence": {"path": "a.fa"},
                "expression": {"path": "a.tsv"},
            },
            "held_out_genes",
        ),
    ],
)
def test_a_key_that_still_names_the_example_is_refused(own, forgotten):
    with pytest.raises(
        InputError, match=f"^config key `{forgotten}` still names the built-in example, but `genes.path`"
    ):
        checked(own)


def test_cells_and_sources():
    assert cells_of(DEFAULT) == [f"C{number:02d}" for number in range(1, 11)]
    assert sources_of(DEFAULT) == ["genes", "histone", "sequence", "expression"]
    assert sources_of(checked({"modules": ["dna"]})) == ["genes", "sequence", "expression"]
    assert sources_of(checked({"modules": ["histone"]})) == ["genes", "histone", "expression"]


def test_files_below_results_need_not_exist():
    check_files(DEFAULT)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"genes": {"path": "no.gtf"}},
            "config key `genes.path`: the file no.gtf does not exist; correct the path or put",
        ),
        ({"histone": {"path": "{cell}.tsv"}}, "config key `histone.path`: the file C02.tsv does not exist"),
        (
            {"histone": {"reader": "npz", "path": ["C01.tsv", "no.npz"]}},
            "config key `histone.path`: the file no.npz does not",
        ),
        ({"sequence": {"path": "."}}, "config key `sequence.path`: the file . does not exist"),
        ({"expression": {"path": "no.tsv"}}, "config key `expression.path`: the file no.tsv does not exist"),
        ({"held_out_genes": "no.txt"}, "config key `held_out_genes`: the file no.txt does not exist"),
        ({"submission": {"order": "no.npz"}}, "config key `submission.order`: the file no.npz does not exist"),
    ],
)
def test_missing_files_are_named(tmp_path, monkeypatch, changes, says):
    monkeypatch.chdir(tmp_path)
    Path("C01.tsv").touch()
    with pytest.raises(InputError) as caught:
        check_files(changed(DEFAULT, changes))
    assert str(caught.value).startswith(says)


def test_files_of_an_unused_module_are_not_looked_for():
    check_files(changed(DEFAULT, {"modules": ["dna"], "histone": {"path": "no/{cell}.tsv"}}))


def test_ones_own_held_out_genes_go_with_the_example():
    checked({"held_out_genes": "resources/mine.txt"})
    with pytest.raises(InputError, match="`held_out_genes`: the file resources/mine.txt does not exist"):
        check_files(checked({"held_out_genes": "resources/mine.txt"}))


def test_paths_of_a_source_go_by_cell_where_there_is_one_for_each():
    cells = {"train": ["a", "b", "c", "d"], "held_out": []}
    config = checked({"cells": cells, "genes": {"path": "results/example/x.gtf"}})
    assert paths_of(config, "genes") == [(None, "results/example/x.gtf")]
    assert paths_of(config, "histone") == [(cell, f"results/example/counts/{cell}.tsv.gz") for cell in "abcd"]
    files = ["results/example/{cell}/train.csv", "results/example/{cell}/test.csv"]
    histone = {"reader": "deepchrome", "path": files}
    expression = {
        "reader": "quantification",
        "path": "results/example/{cell}.sf",
        "transform": "log2ratio:e",
        "missing": ["b"],
    }
    config = checked({"cells": cells, "histone": histone, "expression": expression})
    assert paths_of(config, "histone")[:3] == [
        ("a", "results/example/a/train.csv"), ("a", "results/example/a/test.csv"), ("b", "results/example/b/train.csv"),
    ]  # fmt: skip
    # The reference is read like a cell.
    assert [cell for cell, _ in paths_of(config, "expression")] == ["a", "c", "d", "e"]


def sheet(folder, name, *rows):
    path = folder / name
    path.write_text("cell\tmark\tpath\n" + "".join("\t".join(row) + "\n" for row in rows))
    return str(path)


def test_files_of_a_sample_sheet_are_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("there.bam").touch()
    path = sheet(tmp_path, "samples.tsv", ("a", "m", "there.bam"), ("b", "m", "not.bam"))
    config = {
        "modules": ["histone"],
        "cells": {"train": ["a", "b"], "held_out": []},
        "folds": {"number": 2},
        "histone": {"reader": "sample_sheet", "path": path, "marks": ["m"]},
        "held_out_genes": [],
    }
    # The genes and the expression are the example's, which a rule makes: a sheet of one's own may go with them.
    config = checked(config)
    assert samples_of(config) == {"a": [("m", "there.bam")], "b": [("m", "not.bam")]}
    assert new_samples_of(config) == {}
    with pytest.raises(InputError, match="^config key `histone.path`: the file not.bam does not exist"):
        check_files(config)
    Path("not.bam").touch()
    check_files(config)


def test_a_finished_model_needs_nothing_of_the_cells_it_was_trained_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.gtf", "a.fa", "x.bam", "y.bam"):
        Path(name).touch()
    path = sheet(tmp_path, "new.tsv", ("y", "m", "y.bam"), ("x", "m", "x.bam"), ("x", "other", "z.bam"))
    config = {
        "genes": {"path": "a.gtf"},
        "sequence": {"path": "a.fa"},
        "histone": {"marks": ["m"]},
        "predict_new": {"samples": path, "model": "theirs/model.keras"},
    }
    Path("theirs").mkdir()
    config = checked(config)
    assert sources_of(config) == ["genes", "sequence"]
    assert samples_of(config) == {}
    assert list(new_samples_of(config).items()) == [("y", [("m", "y.bam")]), ("x", [("m", "x.bam")])]
    for name in ("model.keras", "preprocessing.json"):
        with pytest.raises(InputError, match=f"^config key `predict_new.model`: the file theirs/{name} does not exist"):
            check_files(config)
        Path("theirs", name).touch()
    check_files(config)
    # Not even a sheet of what the model was trained on that is wrong.
    sheet(tmp_path, "train.tsv", ("C01", "another", "x.bam"))
    assert samples_of(changed(config, {"histone": {"reader": "sample_sheet", "path": "train.tsv"}})) == {}
    # DNA is the same in every cell: a row is needed, but no marks.
    assert new_samples_of(changed(config, {"modules": ["dna"], "histone": {"marks": ["none"]}})) == {"y": [], "x": []}
    Path("x.bam").unlink()
    with pytest.raises(InputError, match="^config key `predict_new.samples`: the file x.bam does not exist"):
        check_files(config)


def test_names_of_new_cells_become_parts_of_paths(tmp_path):
    config = checked(
        {"predict_new": {"samples": sheet(tmp_path, "new.tsv", ("../x", "m", "x.bam"))}, "histone": {"marks": ["m"]}}
    )
    with pytest.raises(
        InputError, match="new.tsv, line 2: the cell is called '../x': because the name becomes part of file names"
    ):
        new_samples_of(config)
