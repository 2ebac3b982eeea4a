"""The provenance of a small run."""

import hashlib
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.preprocessing import write_preprocessing_of
from helpers.stores import write_store
from wakawaka.core.files import save_array, write_table
from wakawaka.report import provenance as module
from wakawaka.report.provenance import provenance

SCRIPTS = Path(module.__file__).parents[2]
TARGET = {"kind": "value", "transform": "none"}
CONFIG = {"seed": 7, "folds": {"number": 2, "hold_out": "genes"}, "modules": ["histone", "dna"], "bins": 4}
# The last cell and the last gene are the test set. The truth of one training sample is unknown.
EXPRESSION = [[1.0, 3.0, 8.0], [np.nan, 5.0, 10.0], [2.0, 6.0, 0.5]]
REGIMES = ["train", "train", "unseen_gene"] * 2 + ["unseen_cell", "unseen_cell", "both_unseen"]


@pytest.fixture
def arguments(tmp_path):
    """A store of three cells and three genes, a model of two runs and the benchmarks of two jobs."""
    store = tmp_path / "store"
    store.mkdir()
    sources = [{"path": "data/genes.gtf", "sha256": "aa", "bytes": 3}, {"path": "data/counts.tsv", "sha256": "bb"}]
    names = {"cells": ["A", "B", "C"], "genes": ["1", "2", "3"], "marks": ["H3K4me3", "H3K27me3"]}
    arrays = {"expression": np.array(EXPRESSION, np.float32), "histone": None, "dna": None}
    write_store(store, **names, bins=4, window=400, info={"medians": {}, "sources": sources}, **arrays)
    grid = {"cell": np.repeat(["A", "B", "C"], 3), "gene_id": ["1", "2", "3"] * 3, "final": REGIMES}
    write_table(pd.DataFrame(grid), tmp_path / "samples.tsv.gz")
    made = {"versions": {"keras": "3.1"}, "seed": 7, "threads": 2, "device": "cpu"}
    for run, made_with in (("final", made), ("fold-1", {})):
        write_preprocessing_of(tmp_path / f"waka/{run}/preprocessing.json", made_with=made_with)
    benchmark(tmp_path, "train/waka/final", "12.5", "1024.25")
    benchmark(tmp_path, "split/split", "0.5", "-")
    return {
        "store": [store / name for name in ("genes.tsv", "cells.tsv", "expression.npy", "store.json")],
        "samples": tmp_path / "samples.tsv.gz",
        "preprocessing": [tmp_path / f"waka/{run}/preprocessing.json" for run in ("final", "fold-1")],
        "table": tmp_path / "provenance.tsv",
        "benchmarks": tmp_path / "benchmarks",
        "config": CONFIG,
        "target": TARGET,
    }


def benchmark(folder, job, seconds, memory):
    path = folder / f"benchmarks/{job}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\tmax_vms\n{seconds}\t0:00:12\t{memory}\t2048\n")


def made(arguments, **others):
    """Return {topic: {item: value}} of the table, in its order."""
    provenance(**arguments | others)
    lines = [line.split("\t") for line in arguments["table"].read_text().splitlines()]
    assert lines[0] == ["topic", "item", "value"]
    topics = {}
    for topic, item, value in lines[1:]:
        assert item not in topics.setdefault(topic, {})
        topics[topic][item] = value
    return topics


def test_the_data_are_named_by_their_checksums(arguments):
    topics = made(arguments)
    assert topics["source"] == {"data/genes.gtf": "aa", "data/counts.tsv": "bb"}
    assert topics["store"] == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in arguments["store"]}
    assert topics["data"] == {
        "cells": "3", "genes": "3", "bins": "4", "bin_size": "100", "window": "400", "strand_aware": "True",
        "scale": "counts", "marks": "H3K4me3, H3K27me3",
    }  # fmt: skip


def test_only_samples_with_a_truth_count(arguments):
    topics = made(arguments)
    assert topics["samples"] == {"train": "3", "unseen_cell": "2", "unseen_gene": "2", "both_unseen": "1", "test": "5"}
    # Training has 1, 3 and 5; the test set 2, 6, 8, 10 and 0.5.
    assert topics["target mean"] == {
        "train": "3", "unseen_cell": "4", "unseen_gene": "9", "both_unseen": "0.5", "test": "5.3"
    }  # fmt: skip
    assert topics["target variance"] == {
        "train": "2.666667", "unseen_cell": "4", "unseen_gene": "1", "both_unseen": "0", "test": "12.76"
    }  # fmt: skip


def test_the_target_is_the_transformed_one(arguments):
    topics = made(arguments, target={"kind": "value", "transform": "log2p1"})
    assert float(topics["target mean"]["train"]) == pytest.approx(np.mean(np.log2([2, 4, 6])), rel=1e-6)
    assert topics["settings"]["transform"] == "log2p1"


def test_without_truths_of_the_test_set_its_mean_is_unknown(arguments):
    expression = np.array(EXPRESSION, np.float32)
    expression[2], expression[:, 2] = np.nan, np.nan
    save_array(expression, arguments["store"][2])
    topics = made(arguments)
    assert topics["samples"]["test"] == "0" and topics["samples"]["train"] == "3"
    assert topics["target mean"]["test"] == topics["target variance"]["both_unseen"] == "-"


def test_settings_and_their_checksum(arguments):
    settings = made(arguments)["settings"]
    digest = settings.pop("config_sha256")
    assert settings == {
        "seed": "7", "target": "value", "transform": "none", "folds": "2", "hold_out": "genes", "modules": "histone, dna"
    }  # fmt: skip
    assert len(digest) == 64
    reordered = dict(reversed(CONFIG.items()))
    assert made(arguments, config=reordered)["settings"]["config_sha256"] == digest
    assert made(arguments, config=CONFIG | {"bins": 5})["settings"]["config_sha256"] != digest


def test_software_is_what_is_installed(arguments, monkeypatch):
    monkeypatch.setattr(module, "PACKAGES", ("numpy", "no-such-package", "snakemake"))
    software = made(arguments)["software"]
    assert list(software) == ["python", "numpy", "snakemake", "operating_system", "cpu", "cores"]
    assert software["numpy"] == np.__version__ and software["snakemake"] == version("snakemake")
    assert software["python"] == sys.version.split()[0]
    assert software["cpu"] and int(software["cores"]) >= 1


def test_models_have_the_settings_of_their_training(arguments):
    topics = made(arguments)
    assert topics["made_with waka/final"] == {"seed": "7", "threads": "2", "device": "cpu", "keras": "3.1"}
    assert topics["made_with waka/fold-1"] == {"seed": "-", "threads": "-", "device": "-"}


def test_times_of_measured_jobs(arguments):
    # A file that is being written.
    (arguments["benchmarks"] / "late.tsv").write_text("")
    topics = made(arguments)
    assert topics["seconds"] == {"split/split": "0.5", "train/waka/final": "12.5"}
    assert topics["max_rss_mb"] == {"split/split": "-", "train/waka/final": "1024.25"}


def test_no_benchmarks_give_no_times(arguments, tmp_path):
    topics = made(arguments, benchmarks=tmp_path / "nowhere")
    assert "seconds" not in topics and "samples" in topics


def test_equal_inputs_give_equal_bytes_without_paths_of_the_machine(arguments, tmp_path):
    made(arguments)
    first = arguments["table"].read_bytes()
    made(arguments)
    assert arguments["table"].read_bytes() == first
    assert str(tmp_path).encode() not in first and str(Path.home()).encode() + b"/" not in first


def test_provenance_imports_no_tensorflow():
    check = "import sys, wakawaka.report.provenance; print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
