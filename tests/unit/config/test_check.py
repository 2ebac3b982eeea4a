import copy
from pathlib import Path

import pytest
import yaml

from wakawaka.config.check import cells_of, check_config, check_files, new_samples_of, paths_of, samples_of, sources_of
from wakawaka.core.errors import InputError

ROOT = Path(__file__).parents[3]
SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "config.yaml").read_text())


def checked(config):
    return check_config(config, SCHEMA)


def merged(base, changes):
    """Return a copy of nested dicts with changes."""
    base = copy.deepcopy(base)
    for key, value in changes.items():
        base[key] = merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
    return base


# config.yaml and the schema


def test_the_file_holds_every_key_at_its_default():
    """But for the further model and the experiments the file is complete, so nothing is added to it; and it changes no default."""
    file = {
        **copy.deepcopy(DEFAULT),
        "models": {"wakawaka": copy.deepcopy(DEFAULT["models"]["wakawaka"])},
        "experiments": {},
    }
    found = checked(file)
    assert found == checked({})
    for module in ("histone", "dna"):
        file["models"]["wakawaka"][module]["convolutions"] = [
            {"dilation": 1, "padding": "valid", "batch_norm": False} | layer
            for layer in file["models"]["wakawaka"][module]["convolutions"]
        ]
    file["models"]["wakawaka"]["training"] = DEFAULT["training"]
    # How long points are trained, and which they are, follows from the rest.
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
    config = {"folds": {"number": 2}, "models": {"small": {"dna": {"convolutions": [{"filters": 1, "width": 2}]}}}}
    found = checked(config)
    assert found["folds"] == {"number": 2, "hold_out": "cells_and_genes"}
    assert list(found["models"]) == ["small"]
    small = found["models"]["small"]
    further = {"dilation": 1, "padding": "valid", "batch_norm": False}
    assert small["dna"]["convolutions"] == [{"filters": 1, "width": 2, "activation": "relu", "pool": 1} | further]
    assert small["histone"] == checked({})["models"]["wakawaka"]["histone"] and small["leaky_slope"] == 0.05
    assert small["training"] == found["training"] == checked({})["training"]


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "tests" / "config").glob("*.yaml")), *sorted((ROOT / "resources").glob("*.yaml"))]
)
def test_every_configuration_of_the_project_is_sound(path):
    # As Snakemake reads them: on top of config.yaml.
    checked(merged(DEFAULT, yaml.safe_load(path.read_text())))


# One sentence for every kind of mistake

NO_HISTONE = {"modules": ["dna"]}
CONVOLUTION = {"filters": 1, "width": 5, "pool": 2}


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
        ({"models": {"m": {"dna": {"convolutions": [{"width": 3}]}}}}, "config key `models.m.dna.convolutions.0` lacks the key `filters`."),
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
            {"models": {"m": {"dna": {"convolutions": [{"filters": 1, "width": 12, "dilation": 1000}]}}}},
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
            {"models": {"m": {"histone": {"average": 200}}}},
            "config key `models.m.histone.average` is 200, but there are only 100 bins: make it smaller.",
        ),
        (
            {"models": {"m": {"dna": {"convolutions": [{"filters": 1, "width": 6, "activation": "gelu"}]}}}},
            "config key `models.m.dna.convolutions.0.activation` must be one of relu, leaky_relu, elu, tanh, not 'gelu'.",
        ),
        (
            {"models": {"m": {"dna": {"convolutions": []}, "training": {"dna_words": 8}}}},
            "config key `models.m.training.dna_words` is 8, but the DNA module has no first convolution with `activation: relu` and",
        ),
        (
            {
                "models": {
                    "m": {
                        "dna": {"convolutions": [{"filters": 1, "width": 12, "activation": "tanh"}]},
                        "training": {"dna_words": 8},
                    }
                }
            },
            "config key `models.m.training.dna_words` is 8, but the DNA module has no first convolution with `activation: relu` and",
        ),
        (
            {
                "models": {
                    "m": {
                        "dna": {"convolutions": [{"filters": 1, "width": 7, "activation": "relu"}]},
                        "training": {"dna_words": 8},
                    }
                }
            },
            "config key `models.m.training.dna_words` is 8, but the filters of the first convolution of DNA are only 7 bp wide: make them",
        ),
        (
            {
                "models": {
                    "m": {
                        "dna": {
                            "crop": 6,
                            "convolutions": [{"filters": 1, "width": 12, "activation": "relu", "padding": "same"}],
                        },
                        "training": {"dna_words": 8},
                    }
                }
            },
            "config key `models.m.training.dna_words` is 8, but the module sees only 6 bp of DNA: make the words shorter.",
        ),
        ({"training": {"dna_words": 13}}, "config key `training.dna_words` must be at most 12, not 13."),
        ({"models": {"m": {"leaky_slope": float("inf")}}}, "config key `models.m.leaky_slope` is inf: it must be a finite number."),
        ({"example": {"depth": float("nan")}}, "config key `example.depth` is nan: it must be a finite number."),
        (
            {"tuning": {"space": {"weight_decay": [float("nan"), 0]}}},
            "config key `tuning.space.weight_decay.0` is nan: it must be a finite number.",
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
            {"experiments": {"e": {"training": {"decay": "linear"}}}},
            "config key `experiments.e.training.decay` must be one of none, cosine, not 'linear'.",
        ),
        ({"genes": {"path": ["a.gtf", "b.gtf"]}}, "config key `genes.path` is a list, but the reader `gtf` takes one path."),
        (
            {"histone": {"path": "counts/a.tsv"}},
            "config key `histone.path` is 'counts/a.tsv': it needs {cell} where the name of the cell stands.",
        ),
        (
            {"genes": {"reader": "npz"}},
            "config key `sequence.reader` is fasta, but `genes` gives no coordinates to put windows at: use a GTF",
        ),
        (
            {"modules": ["histone"], "genes": {"reader": "npz"}, "histone": {"reader": "sample_sheet"}},
            "config key `histone.reader` is sample_sheet, but `genes` gives no coordinates to put windows at: use a GTF",
        ),
        (
            {"modules": ["histone"], "genes": {"reader": "deepchrome", "path": "{cell}.csv"}, "predict_new": {"samples": "new.tsv"}},
            "config key `histone.reader` is sample_sheet, but `genes` gives no coordinates to put windows at: use a GTF",
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
            "config key `expression.transform` is zscore_per_gene, which nothing is known of for genes that are held out, but ",
        ),
        (
            {"expression": {"reader": "csv", "path": "{cell}.csv", "missing": ["C99"]}},
            "config key `expression`: C99 is named there, but it is no cell in",
        ),
        ({"expression": {"names": {"C99": "x"}}}, "config key `expression`: C99 is named there, but it is no cell in `cells`; correct"),
        (
            {"expression": {"reader": "quantification", "path": "quant.sf"}},
            "config key `expression.path` is 'quant.sf': it needs {cell} where the name of the cell stands.",
        ),
        (
            {"histone": {"reader": "deepchrome", "path": ["{cell}/train.csv", "test.csv"]}},
            "config key `histone.path` is 'test.csv': it needs {cell} where the name of the cell stands.",
        ),
        (
            {"genes": {"reader": "table", "columns": {"tss": None}}},
            "config key `sequence.reader` is fasta, but `genes` gives no coordinates to put windows at: use a GTF",
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
        checked(merged(DEFAULT, changes))


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
            "models": {"m": {"histone": {"convolutions": [{"filters": 1, "width": 10}]}}},
        },
    ],
)
def test_what_is_no_mistake(config):
    checked(config)


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


# Names and files


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
        check_files(merged(DEFAULT, changes))
    assert str(caught.value).startswith(says)


def test_files_of_an_unused_module_are_not_looked_for():
    check_files(merged(DEFAULT, {"modules": ["dna"], "histone": {"path": "no/{cell}.tsv"}}))


def test_an_experiment_is_a_model_with_changes_and_may_build_on_one_above_it():
    first = {"dna": {"crop": 4000}, "joint": {"dense": [5]}, "printed": 3.3}
    second = {"model": "one", "joint": {"dropout": 0.2}, "training": {"epochs": 3}}
    found = checked(
        {"training": {"batch_size": 50}, "experiments": {"one": first, "two": second, "three": {"model": "two"}}}
    )
    base, experiments = found["models"]["wakawaka"], found["experiments"]
    assert experiments["one"]["dna"] == base["dna"] | {"crop": 4000}
    assert experiments["two"]["dna"] == experiments["one"]["dna"]
    assert experiments["two"]["joint"] == {"input_dropout": 0, "dense": [5], "dropout": 0.2}
    assert experiments["two"]["training"] == found["training"] | {"epochs": 3} and found["training"]["batch_size"] == 50
    assert {name: one["network"] for name, one in experiments.items()} == {"one": "one", "two": "two", "three": "two"}
    # What is printed of one is not of the other.
    assert [one["printed"] for one in experiments.values()] == [3.3, None, None]
    # The model itself stays as it is.
    assert base["dna"]["crop"] is None and base["joint"]["dense"] == [100]


def test_experiments_that_are_the_same_network_are_trained_once():
    changes = {
        "dna": {"dna": {"crop": 4000}},
        "nothing": {"leaky_slope": 0.05, "training": {}},
        "again": {"model": "dna"},
        "pretrained": {"training": {"pretraining_epochs": 3}},
    }
    both = checked({"experiments": changes})["experiments"]
    assert [both[name]["network"] for name in changes] == ["dna", "wakawaka", "dna", "pretrained"]
    # Without DNA there is neither a window to crop nor a joint module behind frozen ones.
    marks = checked({"experiments": changes, "modules": ["histone"]})["experiments"]
    assert {one["network"] for one in marks.values()} == {"wakawaka"}


def test_what_an_untrainable_experiment_is_the_base_of_is_refused_with_its_reason():
    found = checked({"experiments": {"a": {"model": "nobody"}, "b": {"model": "a"}}})["experiments"]
    assert found["b"]["refused"].startswith(
        "config key `experiments.b.model` is a, which cannot be trained: config key `experiments.a.model` is nobody, which is neither"
    )


@pytest.mark.parametrize(
    ("text", "plain"), [("5e-4", " (write 0.0005)."), ("1e-8", " (write 0.00000001)."), ("1e999", "."), ("here", ".")]
)
def test_a_number_that_yaml_takes_for_a_text_is_written_out(text, plain):
    with pytest.raises(InputError) as caught:
        checked({"training": {"learning_rate": text}})
    assert str(caught.value) == f"config key `training.learning_rate` must be a number, not {text!r}{plain}"


def test_an_experiment_that_does_not_fit_is_refused_only_when_it_is_asked_for():
    found = checked({"experiments": {"e": {"dna": {"crop": 20000}}}})
    assert found["experiments"]["e"]["refused"].startswith(
        "config key `experiments.e.dna.crop` is 20000 bp, wider than"
    )
    assert "refused" not in checked({"experiments": {"e": {"dna": {"crop": 2000}}}})["experiments"]["e"]
    found = checked({"experiments": {"e": {"model": "f"}, "f": {}}})
    says = "config key `experiments.e.model` is f, which is neither a model nor an experiment above it: there are wakawaka."
    assert found["experiments"]["e"]["refused"] == says and "refused" not in found["experiments"]["f"]


def test_a_model_of_config_yaml_is_taken_away_by_null():
    assert list(checked({"models": {"wakawaka": None, "mine": {}}})["models"]) == ["mine"]
    with pytest.raises(InputError, match="`models` needs at least 1 key"):
        checked({"models": {"wakawaka": None}})


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
    assert samples_of(merged(config, {"histone": {"reader": "sample_sheet", "path": "train.tsv"}})) == {}
    # DNA is the same in every cell: a row is needed, but no marks.
    assert new_samples_of(merged(config, {"modules": ["dna"], "histone": {"marks": ["none"]}})) == {"y": [], "x": []}
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
