"""What a run consists of."""

import subprocess
import sys

import pytest

from helpers.configs import DEFAULT, ROOT, changed, checked
from wakawaka.config.plan import in_order, make_plan
from wakawaka.core.errors import InputError

SEARCH = {
    "search_space": {"learning_rate": [0.1, 0.2], "joint_dense": [[], [30, 20]], "dropout": None},
    "epochs": [1, 2, 5],
}


def plan_of(changes=None, samples=None, new_samples=None):
    """Return the plan of config.yaml with changes."""
    return make_plan(checked(changed(DEFAULT, changes or {})), samples or {}, new_samples or {})


# Networks and runs


def test_networks_are_the_models_and_their_ablations():
    plan = plan_of({"models": {"other": {}}, "ablations": ["histone_only", "permuted_genes"]})
    assert plan.models[0] == "wakawaka" and plan.models[-1] == "other"
    assert plan.networks[: len(plan.models)] == plan.models
    assert plan.networks[-2:] == ["other.histone_only", "other.permuted_genes"]
    assert len(plan.networks) == 3 * len(plan.models)


@pytest.mark.parametrize(
    ("modules", "left"), [(["histone"], []), (["dna"], ["permuted_genes"]), (["histone", "dna"], None)]
)
def test_a_single_module_is_not_left_out(modules, left):
    ablations = ["histone_only", "dna_only", "permuted_genes"]
    plan = plan_of({"modules": modules, "ablations": ablations})
    expected = [f"wakawaka.{name}" for name in (ablations if left is None else left)]
    assert [name for name in plan.networks if name.startswith("wakawaka.")] == expected


def test_runs_are_the_final_one_and_the_folds():
    plan = plan_of({"folds": {"number": 3}})
    assert plan.folds == ["fold-1", "fold-2", "fold-3"]
    assert plan.runs == ["final", *plan.folds]


def test_experiments_and_their_bases_are_scored_once_each():
    plan = plan_of()
    assert plan.experiments["experiment-8"] == plan.bases["experiment-8"] == "wakawaka"
    assert plan.experiment_networks[0] == "wakawaka"
    assert sorted(plan.experiment_networks) == sorted({*plan.experiments.values(), *plan.bases.values()})


def test_what_trains_a_network():
    plan = plan_of({"models": {"wakawaka": {"training": {"pretraining_epochs": 4}}}})
    whole = plan.network("wakawaka")
    assert whole["modules"] == ["histone", "dna"] and not whole["permuted_genes"]
    assert set(whole["spec"]) == {"histone", "dna", "joint", "negative_slope"}
    assert whole["schedule"]["pretraining_epochs"] == 4
    alone = plan.network("wakawaka.dna_only")
    assert alone["modules"] == ["dna"] and alone["spec"] == whole["spec"]
    # There is no joint module to train after single ones.
    assert alone["schedule"] == whole["schedule"] | {"pretraining_epochs": 0}
    assert plan.network("wakawaka.permuted_genes") == whole | {"permuted_genes": True}
    assert plan.network("experiment-1")["spec"]["dna"] == plan.config["experiments"]["experiment-1"]["dna"]
    # choose_trial writes them.
    assert plan.network("tuned") == {
        "spec": None,
        "modules": ["histone", "dna"],
        "permuted_genes": False,
        "schedule": None,
    }


def test_an_experiment_that_cannot_be_trained_is_refused_with_a_remedy():
    plan = plan_of({"experiments": {"wide": {"dna": {"crop": 20000}}}})
    with pytest.raises(
        InputError, match=r"`experiments.wide.dna.crop` .* Or leave the experiment out: `experiments: {wide: null}`"
    ):
        plan.network("wide")
    with pytest.raises(
        InputError, match=r"`experiments.wide.dna.crop` .* cannot be trained: `experiments: {wide: null}`"
    ):
        plan.check_experiments()


def test_experiments_must_be_there_to_be_trained():
    plan_of().check_experiments()
    with pytest.raises(InputError, match="`experiments` is empty: add one"):
        plan_of({"experiments": dict.fromkeys(DEFAULT["experiments"])}).check_experiments()


# The target


@pytest.mark.parametrize(
    ("expression", "label"),
    [
        ({"transform": "none"}, "RPKM"),
        ({"transform": "log2p1"}, "log2(RPKM + 1)"),
        ({"transform": "ln1p"}, "ln(RPKM + 1)"),
        ({"transform": "zscore_per_gene"}, "z-score of RPKM"),
        ({"transform": "log2ratio:E000"}, "log2((RPKM + 1) / (E000 + 1))"),
        ({"transform": "none", "target": "above_median"}, "probability of expression"),
    ],
)
def test_label_of_the_target(expression, label):
    plan = plan_of({"expression": {"label": "RPKM", **expression}})
    assert plan.target_label == label
    assert plan.target == {"kind": "value", "transform": "none"} | {
        {"target": "kind"}.get(key, key): value for key, value in expression.items()
    }
    assert plan.binary == ("target" in expression)


def test_a_reference_is_read_with_the_cells_and_kept_in_the_store():
    plan = plan_of({"expression": {"transform": "log2ratio:E000"}})
    assert plan.reference == "E000" and plan.expression_cells == [*plan.cells, "E000"]
    assert plan.store[-1] == "results/store/reference.npy"
    assert plan_of().reference is None and plan_of().expression_cells == plan_of().cells


@pytest.mark.parametrize(
    ("changes", "simulated"),
    [
        ({"expression": {"transform": "none"}}, True),
        ({"expression": {"transform": "log2p1"}}, False),
        ({"expression": {"target": "above_median"}}, False),
    ],
)
def test_the_example_is_known_by_its_target(changes, simulated):
    plan = plan_of(changes)
    assert plan.is_simulated == simulated
    assert not plan.is_course


def test_the_course_is_known_by_its_forms_and_its_cells():
    held_out = ["E071", "E084", "E087", "E096", "E112", "E113"]
    course = {
        "cells": {"train": [f"C{number}" for number in range(50)], "held_out": held_out},
        "genes": {"reader": "npz", "path": ["b.npz", "a.npz"]},
        "histone": {"reader": "npz", "path": ["b.npz", "a.npz"]},
        "sequence": {"reader": "csv", "path": "seq.csv"},
        "expression": {"reader": "npz", "path": ["b.npz", "a.npz"], "transform": "none"},
        "held_out_genes": [],
    }
    plan = plan_of(course)
    assert plan.is_course
    # Several readers read them: each file is named once.
    assert plan.shared_files == ["a.npz", "b.npz"]
    assert not plan_of(changed(course, {"modules": ["histone"]})).is_course
    assert not plan_of(changed(course, {"cells": {"held_out": held_out[1:]}})).is_course


# Files


def test_parsed_sources_are_named_by_their_readers():
    plan = plan_of()
    assert [plan.parsed(source) for source in ("genes", "histone", "sequence", "expression")] == [
        "results/read_gtf/genes.npz",
        "results/read_counts/{cell}.npz",
        "results/read_fasta/sequence.npz",
        "results/read_matrix/expression.npz",
    ]


def test_every_reader_of_the_schema_has_a_rule():
    rules = " ".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    for source, changes in {"histone": {"reader": "sample_sheet"}, "genes": {"reader": "bed"}}.items():
        assert f"rule {plan_of({source: changes}).parsed(source).split('/')[1]}:" in rules


def test_paths_of_one_cell_and_of_all():
    plan = plan_of({"histone": {"path": "results/example/{cell}.tsv"}})
    assert plan.paths("histone", "C02") == ["results/example/C02.tsv"]
    assert len(plan.paths("histone")) == len(plan.cells)


@pytest.mark.parametrize("module", ["histone", "dna"])
def test_the_store_has_the_arrays_of_the_modules(module):
    plan = plan_of({"modules": [module]})
    names = ["genes.tsv", "cells.tsv", "expression.npy", "store.json", f"{module}.npy"]
    assert plan.store == [f"results/store/{name}" for name in names]
    assert plan.store_without_test_set == [f"results/drop_test_set/{name}" for name in names]
    assert plan.new_store == [f"results/predict_new/{name}" for name in names if name != "expression.npy"]


def test_reads_of_the_example_are_those_that_the_sheet_names():
    samples = {
        "a": [("m", "results/example/reads/a.bam"), ("n", "own.bam")],
        "b": [("m", "results/example/reads/b.bam")],
    }
    plan = plan_of(samples=samples)
    assert plan.example_reads == [
        ("a", "m", "results/example/reads/a.bam"),
        ("b", "m", "results/example/reads/b.bam"),
    ]


def test_how_files_of_a_sheet_are_counted():
    plan = plan_of({"bins": 50})
    assert set(plan.counting) == {
        "counting", "min_mapq", "duplicates", "scale", "bins", "window", "strand_aware",
    }  # fmt: skip
    assert plan.counting["bins"] == 50


def test_a_finished_model_has_its_preprocessing_next_to_it():
    plan = plan_of({"predict_new": {"model": "./theirs//model.keras"}})
    assert (plan.new_model, plan.new_preprocessing) == ("theirs/model.keras", "theirs/preprocessing.json")


# The search


def test_rungs_and_their_trials():
    search = plan_of({"tuning": SEARCH | {"keep_fraction": 0.5}}).search
    assert search.rungs == ["1", "2", "3"] and search.epochs == [1, 2, 5] and search.sizes == [4, 2, 1]
    assert search.ranked_trials("2") == ["rank-1", "rank-2"] and search.ranked_trials("3") == ["rank-1"]
    assert search.rank("2", "rank-2") == 2
    with pytest.raises(InputError, match="Rung 2 of the search has no trial rank-3: .* from rank-1 to rank-2"):
        search.rank("2", "rank-3")
    assert search.values["joint_dense"] == ["none", "30-20"]
    assert search.texts[-1]["joint_dense"] == "30-20"


def test_what_trains_a_trial():
    plan = plan_of({"tuning": SEARCH})
    texts = plan.search.texts[-1]
    first = plan.first_rung(texts | {"further": "x"})
    assert first["model"]["joint"]["dense"] == [30, 20] and first["model"]["training"]["learning_rate"] == 0.2
    assert first["space"] is None and first["rank"] is None
    further = plan.further_rung("2", "rank-1")
    assert further == {"model": plan.varied_settings(), "space": plan.search.space, "rank": 1}


def test_a_trial_that_was_not_drawn_is_checked():
    space = {"histone_kernel_size": [5, 40], "histone_pool_size": [2, 5]}
    plan = plan_of({"tuning": {"search_space": space | {"learning_rate": None, "dropout": None}, "trials": 1}})
    with pytest.raises(InputError, match=r"`tuning.search_space \(histone_kernel_size 40, histone_pool_size 2\)"):
        plan.first_rung({"histone_kernel_size": "40", "histone_pool_size": "2"})


def test_the_tuned_network_is_scored_with_the_one_that_it_varies():
    assert plan_of().tuned_networks == ["tuned", "wakawaka"]
    assert plan_of({"tuning": {"model": "experiment-1"}}).tuned_networks == ["tuned", "experiment-1"]
    # This experiment is the model itself.
    assert plan_of({"tuning": {"model": "experiment-8"}}).tuned_networks == ["tuned", "wakawaka"]


# The order of further config files


def test_models_have_the_order_of_config_yaml():
    found = in_order({"models": {"mine": {}, "a": 1, "b": 2}, "seed": 3}, {"models": {"a": {}, "b": {}}})
    assert list(found["models"].items()) == [("a", 1), ("b", 2), ("mine", {})]
    assert found["seed"] == 3 and "experiments" not in found


def test_a_null_that_removes_nothing_is_refused():
    assert in_order({"models": {"a": None}}, {"models": {"a": {}}})["models"] == {"a": None}
    with pytest.raises(InputError, match="`experiments.x` is null, .* there is nothing: there are none"):
        in_order({"experiments": {"x": None}}, {"models": {"a": {}}})


def test_a_plan_needs_no_heavy_library():
    """Snakemake imports it at every start."""
    code = "import sys, wakawaka.config.plan; print({'tensorflow', 'keras', 'polars', 'pysam', 'scipy'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=ROOT / "workflow" / "scripts", capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
