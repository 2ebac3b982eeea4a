"""What runs again after what change."""

import os
import re

import pytest

from helpers.project import SMALL, tracked_files, weights

LIBRARY = "workflow/scripts/wakawaka"

# The jobs of the small example by what they are made of, from the scores back to the store.
PLOTS = {
    "plot_architecture": 1,
    "plot_calibration": 1,
    "plot_dna_gene": 1,
    "plot_histone_gene": 1,
    "plot_learning_curves": 1,
    "plot_predictions": 1,
    "plot_scores": 1,
}
OF_SCORES = {"score": 1, "verdicts": 1, "check_example": 1, "compare": 1}
OF_MODELS = {
    "train": 3,
    "predict": 3,
    "aggregate": 1,
    "submit": 1,
    "attribute": 1,
    "provenance": 1,
    **OF_SCORES,
    **PLOTS,
}
OF_STORE = {"build_store": 1, "check_genes": 1, "split": 1, "baselines": 3, **OF_MODELS}


@pytest.fixture(scope="module")
def finished(example, tmp_path_factory):
    """A copy of the finished small example for all tests here, whose results none of them changes."""
    return example.copy(tmp_path_factory.mktemp("rerun") / "project")


@pytest.fixture
def edit(finished):
    """A function that replaces text in a file of the finished example; the file is put back after the test."""
    originals = {}

    def replace(name, old, new):
        path = finished / name
        text = path.read_text()
        originals.setdefault(path, text)
        assert old in text
        path.write_text(text.replace(old, new, 1))

    yield replace
    for path, text in originals.items():
        path.write_text(text)


@pytest.fixture
def extend(edit):
    """A function that adds code to a module."""
    return lambda name: edit(f"{LIBRARY}/{name}", "import", "import string\nimport")


def test_second_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in finished.snakemake(configfile=SMALL).stdout


def test_touching_every_file_of_the_project_reruns_nothing(finished):
    for name in tracked_files():
        os.utime(finished / name)
    assert finished.planned(configfile=SMALL) == {}


@pytest.mark.parametrize(
    ("module", "reread"),
    [
        ("sources/expression/read_matrix.py", {"read_matrix": 1}),
        ("sources/histone/read_counts.py", {"read_counts": 8}),
        # DNA is cut around the genes.
        ("sources/genes/read_gtf.py", {"read_gtf": 1, "read_fasta": 1}),
    ],
)
def test_editing_a_reader_reads_its_source_again_and_makes_everything_behind_the_store(
    finished, extend, module, reread
):
    extend(module)
    assert finished.planned(configfile=SMALL) == reread | OF_STORE


def test_editing_the_code_of_the_model_retrains_and_prepares_nothing(finished, extend):
    extend("network/build.py")
    assert finished.planned(configfile=SMALL) == OF_MODELS


def test_a_comment_or_a_docstring_in_the_model_retrains_nothing(finished, edit):
    text = (finished / LIBRARY / "network/build.py").read_text()
    docstring = re.search(r'"""(.+?)"""', text, re.DOTALL)[1]
    edit(f"{LIBRARY}/network/build.py", docstring, docstring + "\nMore was said.")
    edit(f"{LIBRARY}/training/train.py", "import logging", "# A comment.\nimport logging")
    assert finished.planned(configfile=SMALL) == {}


def test_editing_the_style_of_figures_redraws_figures_only(finished, edit):
    edit(f"{LIBRARY}/figures/style.py", "dpi=200", "dpi=100")
    assert finished.planned(configfile=SMALL) == PLOTS


def test_editing_one_figure_redraws_that_figure(finished, extend):
    extend("figures/plot_learning_curves.py")
    assert finished.planned(configfile=SMALL) == {"plot_learning_curves": 1}


def test_editing_a_threshold_judges_again_and_nothing_else(finished, edit):
    edit(f"{LIBRARY}/report/thresholds.py", "OVERFITTED = 1.05", "OVERFITTED = 1.1")
    assert finished.planned(configfile=SMALL) == {"verdicts": 1}


def test_editing_a_caption_runs_nothing(finished, edit):
    edit("workflow/report/plot_scores.rst", "\n", " Otherwise.\n")
    assert finished.planned(configfile=SMALL) == {}


def test_editing_a_label_a_threshold_and_a_caption_trains_and_predicts_nothing(finished, edit):
    edit(f"{LIBRARY}/evaluation/labels.py", "unseen genes, seen cells", "new genes, seen cells")
    edit(f"{LIBRARY}/report/thresholds.py", "OVERFITTED = 1.05", "OVERFITTED = 1.1")
    edit("workflow/report/plot_scores.rst", "\n", " Otherwise.\n")
    # The figure of the architecture has no labels.
    labelled = {name: count for name, count in PLOTS.items() if name != "plot_architecture"}
    assert finished.planned(configfile=SMALL) == OF_SCORES | labelled


def test_a_setting_of_the_training_retrains_but_prepares_nothing(finished, tmp_path):
    (tmp_path / "more.yaml").write_text("training: {epochs: 2}")
    assert finished.planned(configfile=[SMALL, tmp_path / "more.yaml"]) == OF_MODELS


def test_another_number_of_replicates_scores_again_but_trains_nothing(finished, tmp_path):
    (tmp_path / "more.yaml").write_text("bootstrap: {replicates: 50}")
    planned = finished.planned(configfile=[SMALL, tmp_path / "more.yaml"])
    # The provenance holds a checksum of all settings.
    assert planned == OF_SCORES | {"provenance": 1, "plot_predictions": 1, "plot_scores": 1}


def test_one_more_ablation_trains_itself_alone(finished, tmp_path):
    (tmp_path / "more.yaml").write_text("ablations: [permuted_genes]")
    planned = finished.planned(configfile=[SMALL, tmp_path / "more.yaml"])
    # The models' own predictions, and what is made of these alone, stay as they are.
    of_ablation = {"train": 3, "predict": 3, "provenance": 1, "plot_predictions": 1, "plot_scores": 1}
    assert planned == OF_SCORES | of_ablation


def test_one_fold_by_its_path(finished):
    planned = finished.planned("-f", "results/models/wakawaka/fold-2/model.keras", configfile=SMALL)
    assert planned == {"train": 1}


def test_one_fold_by_its_path_on_a_fresh_clone(project):
    planned = project.planned("results/models/wakawaka/fold-2/model.keras", configfile=SMALL)
    assert planned["train"] == 1
    assert not {"predict", "score", "attribute"} & set(planned)


def test_the_same_seed_gives_the_same_bits(example, tmp_path):
    copy, target = example.copy(tmp_path / "project"), "results/models/wakawaka/fold-2/model.keras"
    copy.snakemake("-f", target, configfile=SMALL)
    assert weights(copy / target) == weights(example / target)
