"""Checks of a whole config: defaults, one sentence per mistake, and contradictions."""

import copy

import pytest
import yaml

from helpers.configs import DEFAULT, ROOT, SCHEMA, changed, checked
from wakawaka.config.check import check_config
from wakawaka.core.errors import InputError


def test_the_file_holds_every_key_at_its_default():
    """Apart from the second model and the experiments, the file has every key, and none differs from its default."""
    file = {
        **copy.deepcopy(DEFAULT),
        "models": {"wakawaka": copy.deepcopy(DEFAULT["models"]["wakawaka"])},
        "experiments": {},
    }
    found = checked(file)
    assert found == checked({})
    # Descriptions are for readers of the file. Nothing depends on them.
    del file["models"]["wakawaka"]["description"]
    for module in ("histone", "dna"):
        file["models"]["wakawaka"][module]["convolutions"] = [
            {"dilation": 1, "padding": "valid", "batch_norm": False} | layer
            for layer in file["models"]["wakawaka"][module]["convolutions"]
        ]
    file["models"]["wakawaka"]["training"] = DEFAULT["training"]
    # The epochs and the trials of the search follow from the rest.
    assert found["tuning"].pop("epochs") == [10] and len(found["tuning"].pop("drawn")) == 4
    assert file["tuning"].pop("epochs") is None
    assert found == file


def test_the_arguments_are_left_as_they_are():
    config, schema = {"cells": {"held_out": []}}, copy.deepcopy(SCHEMA)
    found = check_config(config, schema)
    found["models"]["wakawaka"]["histone"]["dense"].append(1)
    found["cells"]["train"].append("x")
    assert config == {"cells": {"held_out": []}}
    assert schema == SCHEMA
    assert checked({})["models"]["wakawaka"]["histone"]["dense"] == [82]


def test_what_is_not_named_takes_its_default():
    config = {
        "folds": {"number": 2},
        "models": {"small": {"dna": {"convolutions": [{"filters": 1, "kernel_size": 2}]}}},
    }
    found = checked(config)
    assert found["folds"] == {"number": 2, "hold_out": "cells_and_genes"}
    assert list(found["models"]) == ["small"]
    small = found["models"]["small"]
    further = {"dilation": 1, "padding": "valid", "batch_norm": False}
    assert small["dna"]["convolutions"] == [
        {"filters": 1, "kernel_size": 2, "activation": "relu", "pool_size": 1} | further
    ]
    assert small["histone"] == checked({})["models"]["wakawaka"]["histone"] and small["negative_slope"] == 0.05
    assert small["training"] == found["training"] == checked({})["training"]


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "tests" / "config").glob("*.yaml")), *sorted((ROOT / "resources").glob("*.yaml"))]
)
def test_every_configuration_of_the_project_is_sound(path):
    # As Snakemake reads them: on top of config.yaml.
    checked(changed(DEFAULT, yaml.safe_load(path.read_text())))


NO_HISTONE = {"modules": ["dna"]}
CONVOLUTION = {"filters": 1, "kernel_size": 5, "pool_size": 2}


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"modles": {}}, "unknown key `modles` in the config: did you mean `modules`?"),
        ({"folds": {"nmber": 2}}, "unknown key `nmber` in `folds` of the config: did you mean `number`?"),
        ({"folds": {"zzz": 2}}, "unknown key `zzz` in `folds` of the config: the keys there are hold_out, number."),
        ({1: 2}, "unknown key `1` in the config: the keys there are a"),
        ({"models": {"m": {"histone": {"drop": 0}}}}, "unknown key `drop` in `models.m.histone` of the config: did you mean `dropout`?"),
        ({"seed": "one"}, "config key `seed` must be a whole number, not 'one'."),
        ({"seed": True}, "config key `seed` must be a whole number, not True."),
        ({"folds": {"number": 4.0}}, "config key `folds.number` must be a whole number, not 4.0."),
        ({"folds": {"number": 2.5}}, "config key `folds.number` must be a whole number, not 2.5."),
        ({"cells": None}, "config key `cells` must be a group of keys, not null."),
        ({"cells": {"train": "C01"}}, "config key `cells.train` must be a list, not 'C01'."),
        ({"cells": {"train": [1]}}, "config key `cells.train.0` must be a text, not 1."),
        ({"held_out_genes": 7}, "config key `held_out_genes` must be a text or a list, not 7."),
        ({"genes": {"columns": {"tss": 3}}}, "config key `genes.columns.tss` must be a text or null, not 3."),
        ({"training": {"learning_rate": "fast"}}, "config key `training.learning_rate` must be a number, not 'fast'."),
        ({"folds": {"number": 1}}, "config key `folds.number` must be at least 2, not 1."),
        ({"training": {"epochs": 0}}, "config key `training.epochs` must be at least 1, not 0."),
        ({"training": {"learning_rate": float("nan")}}, "config key `training.learning_rate` is nan: it must be a finite number."),
        (
            {"training": {"genes_per_batch": 30}},
            "config key `training.genes_per_batch` is 30, which does not divide `batch_size`, 100: ",
        ),
        ({"training": {"learning_rate": 0}}, "config key `training.learning_rate` must be more than 0, not 0."),
        ({"models": {"m": {"joint": {"dropout": 1}}}}, "config key `models.m.joint.dropout` must be less than 1, not 1."),
        ({"window": 10001}, "config key `window` must be a multiple of 2, not 10001."),
        ({"histone": {"scale": "log"}}, "config key `histone.scale` must be one of counts, log1p, signal, not 'log'."),
        ({"modules": ["rna"]}, "config key `modules.0` must be one of histone, dna, not 'rna'."),
        ({"genes": {"first_base": 2}}, "config key `genes.first_base` must be one of 0, 1, not 2."),
        ({"modules": []}, "config key `modules` needs at least 1 entry."),
        ({"cells": {"train": []}}, "config key `cells.train` needs at least 1 entry."),
        ({"models": {}}, "config key `models` needs at least 1 key."),
        ({"expression": {"label": ""}}, "config key `expression.label` must not be empty."),
        ({"modules": ["dna", "dna"]}, "config key `modules` names something twice: 'dna'."),
        ({"cells": {"held_out": ["C09", "C08x", "C09"]}}, "config key `cells.held_out` names something twice: 'C09'."),
        ({"histone": {"marks": ["a", "b", "b"]}}, "config key `histone.marks` names something twice: 'b'."),
        ({"models": {"m": {"dna": {"convolutions": [{"kernel_size": 3}]}}}}, "config key `models.m.dna.convolutions.0` lacks the key "),
        ({"cells": {"train": ["C01/a"]}}, "config key `cells.train.0` is 'C01/a': because the name becomes part of file names, use"),
        ({"cells": {"held_out": ["_x"]}}, "config key `cells.held_out.0` is '_x': because the name becomes part of file names, use"),
        ({"models": {"a.b": {}}}, "config key `models` is 'a.b': because the name becomes part of file names, use"),
        ({"models": {1: {}}}, "config key `models`: the name 1 in it is not a text: put it in quotes."),
        ([], "the config must be a group of keys, not []."),
        # Values that contradict each other.
        (
            {"cells": {"train": ["a", "b", "c", "d"], "held_out": ["c"]}},
            "config keys `cells.train` and `cells.held_out` both name c: a cell is either trained on or held out.",
        ),
        (
            {"cells": {"train": ["a", "b", "c"], "held_out": []}},
            "config key `folds.number` is 4, but there are only 3 training cells to hold out in turn: set `folds.hold_out: genes`",
        ),
        (
            {"folds": {"hold_out": "samples"}},
            "config key `folds.hold_out` is samples, which holds out random rows, so that every gene and cell of theirs is trained on too",
        ),
        ({"models": {"ridge_bins": {}}}, "config key `models.ridge_bins`: this is the name of a baseline; take another one."),
        ({"allow_leakage": "yes"}, "config key `allow_leakage` must be true or false, not 'yes'."),
        ({"bins": 3}, "config key `bins` is 3, which does not divide the window of 10000 bp into equal bins."),
        (
            {"models": {"m": {"histone": {"convolutions": [CONVOLUTION] * 5}}}},
            # 100, 48, 22, 9, 2, and then nothing.
            "config key `models.m.histone.convolutions`: convolution 5 is 5 wide (its dilation included), but only 2 of the 100 bins are",
        ),
        (
            {"window": 30, "bins": 1, **NO_HISTONE},
            "config key `models.wakawaka.dna.convolutions`: convolution 1 has a pool of 32, but only 25 of the 30 bp are left",
        ),
        (
            {"models": {"m": {"dna": {"convolutions": [{"filters": 1, "kernel_size": 12, "dilation": 1000}]}}}},
            "config key `models.m.dna.convolutions`: convolution 1 is 11001 wide (its dilation included), but only 10000 of the",
        ),
        (
            {"models": {"m": {"dna": {"crop": 20000}}}},
            "config key `models.m.dna.crop` is 20000 bp, wider than the window of 10000 bp: make it smaller, or null for all of it.",
        ),
        (
            {"models": {"m": {"dna": {"crop": 20}}}},
            "config key `models.m.dna.convolutions`: convolution 1 has a pool of 32, but only 15 of the 20 bp are",
        ),
        (
            {"models": {"m": {"histone": {"bin_average": 200}}}},
            "config key `models.m.histone.bin_average` is 200, but there are only 100 bins: make it smaller.",
        ),
        (
            {"models": {"m": {"dna": {"convolutions": [{"filters": 1, "kernel_size": 6, "activation": "gelu"}]}}}},
            "config key `models.m.dna.convolutions.0.activation` must be one of relu, leaky_relu, elu, tanh, not 'gelu'.",
        ),
        (
            {"models": {"m": {"dna": {"convolutions": []}, "training": {"kmer_length": 8}}}},
            "config key `models.m.training.kmer_length` is 8, but the DNA module has no first convolution with `activation: relu` and",
        ),
        (
            {
                "models": {
                    "m": {
                        "dna": {"convolutions": [{"filters": 1, "kernel_size": 12, "activation": "tanh"}]},
                        "training": {"kmer_length": 8},
                    }
                }
            },
            "config key `models.m.training.kmer_length` is 8, but the DNA module has no first convolution with `activation: relu` and",
        ),
        (
            {
                "models": {
                    "m": {
                        "dna": {"convolutions": [{"filters": 1, "kernel_size": 7, "activation": "relu"}]},
                        "training": {"kmer_length": 8},
                    }
                }
            },
            "config key `models.m.training.kmer_length` is 8, but the filters of the first convolution of DNA are only 7 bp wide:",
        ),
        (
            {
                "models": {
                    "m": {
                        "dna": {
                            "crop": 6,
                            "convolutions": [{"filters": 1, "kernel_size": 12, "activation": "relu", "padding": "same"}],
                        },
                        "training": {"kmer_length": 8},
                    }
                }
            },
            "config key `models.m.training.kmer_length` is 8, but the module sees only 6 bp of DNA: make the k-mers shorter.",
        ),
        ({"training": {"kmer_length": 13}}, "config key `training.kmer_length` must be at most 12, not 13."),
        ({"models": {"m": {"negative_slope": float("inf")}}}, "config key `models.m.negative_slope` is inf: it must be a finite number."),
        ({"example": {"depth": float("nan")}}, "config key `example.depth` is nan: it must be a finite number."),
        (
            {"tuning": {"search_space": {"weight_decay": [float("nan"), 0]}}},
            "config key `tuning.search_space.weight_decay.0` is nan: it must be a finite number.",
        ),
        ({"models": None}, "config key `models` must be a group of keys, not null."),
        ({"models": {"m": {"training": {"epochs": 0}}}}, "config key `models.m.training.epochs` must be at least 1, not 0."),
        ({"models": {"m": {"training": {"epoch": 5}}}}, "unknown key `epoch` in `models.m.training` of the config: did you mean `epochs`?"),
        (
            {"models": {"m": {"training": {"genes_per_batch": 30}}}},
            "config key `models.m.training.genes_per_batch` is 30, which does not divide `batch_size`, 100: ",
        ),
        ({"experiments": {"e": {"dna": {"corp": 5}}}}, "unknown key `corp` in `experiments.e.dna` of the config: did you mean `crop`?"),
        ({"experiments": {"wakawaka": {}}}, "config key `experiments.wakawaka`: this is the name of a model; take another one."),
        (
            {"experiments": {"e": {"training": {"lr_schedule": "linear"}}}},
            "config key `experiments.e.training.lr_schedule` must be one of constant, cosine, not 'linear'.",
        ),
        ({"genes": {"path": ["a.gtf", "b.gtf"]}}, "config key `genes.path` is a list, but the reader `gtf` takes one path."),
        (
            {"histone": {"path": "counts/a.tsv"}},
            "config key `histone.path` is 'counts/a.tsv': it needs {cell} where the name of the cell is.",
        ),
        (
            {"genes": {"reader": "npz"}},
            "config key `sequence.reader` is fasta, but `genes` gives no coordinates to place windows at: use a GTF",
        ),
        (
            {"modules": ["histone"], "genes": {"reader": "npz"}, "histone": {"reader": "sample_sheet"}},
            "config key `histone.reader` is sample_sheet, but `genes` gives no coordinates to place windows at: use a GTF",
        ),
        (
            {"modules": ["histone"], "genes": {"reader": "deepchrome", "path": "{cell}.csv"}, "predict_new": {"samples": "new.tsv"}},
            "config key `histone.reader` is sample_sheet, but `genes` gives no coordinates to place windows at: use a GTF",
        ),
        ({"expression": {"transform": "log10"}}, "config key `expression.transform` must be none, log2p1, ln1p, zscore_per_gene"),
        ({"expression": {"transform": "log2ratio"}}, "config key `expression.transform` must be none, log2p1, ln1p, zscore_per_gene"),
        (
            {"expression": {"transform": "log2p1", "target": "above_median"}},
            "config key `expression.transform` is log2p1, but labels (`expression.target: above_median`) are not transformed",
        ),
        (
            {"expression": {"reader": "deepchrome", "path": "{cell}.csv"}},
            "config key `expression.target` is value, but the reader deepchrome reads labels, 0 and 1: set it to label.",
        ),
        (
            {"expression": {"transform": "log2ratio:C03"}},
            "config key `expression.transform` divides by C03, which `cells` names too: its own target would be 0 everywhere; remove",
        ),
        (
            {"expression": {"missing": ["C01"]}},
            "config key `expression.missing` is for the reader quantification or csv or deepchrome only, not for matrix",
        ),
        (
            {"expression": {"reader": "quantification", "path": "{cell}.sf", "names": {"C01": "x"}}},
            "config key `expression.names` is for the reader matrix only, not for quantification: remove it.",
        ),
        (
            {"expression": {"transform": "zscore_per_gene"}, "folds": {"hold_out": "genes"}},
            "config key `expression.transform` is zscore_per_gene, which is not defined for held-out genes, but ",
        ),
        (
            {"expression": {"reader": "csv", "path": "{cell}.csv", "missing": ["C99"]}},
            "config key `expression`: C99 is named there, but it is no cell in",
        ),
        ({"expression": {"names": {"C99": "x"}}}, "config key `expression`: C99 is named there, but it is no cell in `cells`; correct"),
        (
            {"expression": {"reader": "quantification", "path": "quant.sf"}},
            "config key `expression.path` is 'quant.sf': it needs {cell} where the name of the cell is.",
        ),
        (
            {"histone": {"reader": "deepchrome", "path": ["{cell}/train.csv", "test.csv"]}},
            "config key `histone.path` is 'test.csv': it needs {cell} where the name of the cell is.",
        ),
        (
            {"genes": {"reader": "table", "columns": {"tss": None}}},
            "config key `sequence.reader` is fasta, but `genes` gives no coordinates to place windows at: use a GTF",
        ),
    ],
)  # fmt: skip
def test_mistakes(config, says):
    with pytest.raises(InputError) as caught:
        checked(config)
    assert str(caught.value).startswith(says)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "changes", [{"seed": "one"}, {"folds": {"nmber": 2}}, {"models": {"wakawaka": {"joint": {"dense": [0]}}}}]
)
def test_one_mistake_is_told_in_a_full_file_too(changes):
    with pytest.raises(InputError, match="`(seed|nmber|models.wakawaka.joint.dense.0)`"):
        checked(changed(DEFAULT, changes))


@pytest.mark.parametrize(
    "config",
    [
        {"modules": ["dna"], "histone": {"path": "no-cell.tsv"}},
        {
            "modules": ["histone"],
            "held_out_genes": [],
            "genes": {"reader": "npz", "path": ["a.npz", "b.npz"]},
            "histone": {"reader": "npz", "path": ["a.npz", "b.npz"]},
            "expression": {"path": "rpkm.tsv"},
        },
        {"modules": ["histone"], "sequence": {"path": ["a", "b"]}},
        {"expression": {"transform": "log2ratio:E000", "names": {"E000": "Universal"}}},
        {"expression": {"target": "label"}},
        # What a finished model does not need may be missing or wrong.
        {"predict_new": {"samples": "new.tsv"}, "histone": {"path": "no-cell.tsv"}},
        {"genes": {"reader": "table", "columns": {"chrom": None, "tss": None}}, "sequence": {"reader": "csv"}},
        {"cells": {"train": ["a"]}, "folds": {"hold_out": "genes"}},
        {"cells": {"train": ["a"]}, "folds": {"hold_out": "samples"}, "allow_leakage": True},
        {"cells": {"train": ["E003", "GM12878+x", "a-b_c.d"]}, "folds": {"number": 3}},
        # 10 positions, a convolution of width 10, a pool of 1: one is left.
        {
            "modules": ["histone"],
            "window": 10,
            "bins": 10,
            "models": {"m": {"histone": {"convolutions": [{"filters": 1, "kernel_size": 10}]}}},
        },
    ],
)
def test_what_is_no_mistake(config):
    checked(config)


def test_a_model_of_config_yaml_is_taken_away_by_null():
    assert list(checked({"models": {"wakawaka": None, "mine": {}}})["models"]) == ["mine"]
    with pytest.raises(InputError, match="`models` needs at least 1 key"):
        checked({"models": {"wakawaka": None}})


@pytest.mark.parametrize("section", ["models", "experiments"])
def test_no_model_may_be_called_tuned(section):
    with pytest.raises(InputError, match=f"`{section}.tuned`: this is the name of what `snakemake tuning` trains"):
        check_config({section: {"tuned": {"negative_slope": 0.1}}}, SCHEMA)
