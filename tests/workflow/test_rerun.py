"""What runs again after what change."""

import os
import re

import pytest
from conftest import SMALL

LIBRARY = "workflow/scripts/wakawaka"


@pytest.fixture
def edit(example):
    """A function that replaces text in a file of the finished example; the file is put back after the test."""
    originals = {}

    def replace(name, old, new):
        path = example / name
        text = originals.setdefault(path, path.read_text())
        assert old in text
        path.write_text(text.replace(old, new, 1))

    yield replace
    for path, text in originals.items():
        path.write_text(text)


def test_second_run_has_nothing_to_do(example):
    assert "Nothing to be done" in example.snakemake(configfile=SMALL).stdout


def test_touching_every_file_of_the_project_reruns_nothing(example):
    for path in example.folder.rglob("*"):
        if path.is_file() and path.relative_to(example.folder).parts[0] not in (
            "results",
            "logs",
            "benchmarks",
            ".snakemake",
        ):
            os.utime(path)
    assert example.planned(configfile=SMALL) == {}


def test_editing_the_code_of_figures_redraws_figures_only(example, edit):
    edit(f"{LIBRARY}/figures/style.py", "dpi=200", "dpi=100")
    planned = example.planned(configfile=SMALL)
    assert planned
    assert all(name.startswith("plot_") for name in planned)


def test_editing_one_figure_redraws_that_figure(example, edit):
    edit(f"{LIBRARY}/figures/plot_learning_curves.py", "import", "import string\nimport")
    assert example.planned(configfile=SMALL) == {"plot_learning_curves": 1}


def test_editing_the_code_of_the_model_retrains(example, edit):
    edit(f"{LIBRARY}/network/build.py", "keras.layers.Flatten(", "keras.layers.Flatten(trainable=True, ")
    planned = example.planned(configfile=SMALL)
    assert planned["train"] == 3
    assert "build_store" not in planned


def test_a_comment_or_a_docstring_in_the_model_retrains_nothing(example, edit):
    text = (example / LIBRARY / "network/build.py").read_text()
    docstring = re.search(r'"""(.+?)"""', text, re.DOTALL)[1]
    edit(f"{LIBRARY}/network/build.py", docstring, docstring + "\nMore was said.")
    edit(f"{LIBRARY}/training/train.py", "import logging", "# A comment.\nimport logging")
    assert example.planned(configfile=SMALL) == {}


def test_a_setting_of_the_training_retrains_but_prepares_nothing(example, tmp_path):
    (tmp_path / "more.yaml").write_text("training: {epochs: 2}")
    planned = example.planned("--configfile", SMALL, tmp_path / "more.yaml")
    assert planned["train"] == 3
    assert not {"simulate_example", "build_store", "split"} & set(planned)


def test_another_number_of_draws_scores_again_but_trains_nothing(example, tmp_path):
    (tmp_path / "more.yaml").write_text("bootstrap: {draws: 50}")
    planned = example.planned("--configfile", SMALL, tmp_path / "more.yaml")
    figures = {"plot_predictions": 1, "plot_scores": 1}
    tables = {"score": 1, "verdicts": 1, "check_example": 1, "compare": 1, "fingerprint": 1}
    assert planned == tables | figures


def test_editing_the_code_of_the_verdicts_judges_again_and_nothing_else(example, edit):
    edit(f"{LIBRARY}/report/thresholds.py", "OVERFITTED = 1.05", "OVERFITTED = 1.1")
    assert example.planned(configfile=SMALL) == {"verdicts": 1}


def test_one_more_ablation_trains_itself_alone(example, tmp_path):
    (tmp_path / "more.yaml").write_text("ablations: [shuffled_dna]")
    planned = example.planned("--configfile", SMALL, tmp_path / "more.yaml")
    assert planned["train"] == planned["predict"] == 3
    assert {"score", "verdicts", "plot_scores", "fingerprint"} <= set(planned)
    # The models' own predictions, and what is made of these alone, stay as they are.
    assert not {"build_store", "split", "baselines", "aggregate", "attribute", "plot_learning_curves"} & set(planned)


def test_one_fold_by_its_path(example):
    planned = example.planned("-f", "results/models/wakawaka/fold-2/model.keras", configfile=SMALL)
    assert planned == {"train": 1}


def test_one_fold_by_its_path_on_a_fresh_clone(project):
    planned = project.planned("results/models/wakawaka/fold-2/model.keras", configfile=SMALL)
    assert planned["train"] == 1
    assert not {"predict", "score", "attribute"} & set(planned)


def test_the_same_seed_gives_the_same_bits(example):
    target = "results/models/wakawaka/fold-2/model.keras"
    first = weights(example / target)
    example.snakemake("-f", target, configfile=SMALL)
    again = weights(example / target)
    # What was trained again is newer than what was made of it: make everything current for the tests that follow.
    example.snakemake(configfile=SMALL)
    assert first == again


def weights(path):
    """Return the bytes of every weight in a model file."""
    import zipfile

    import h5py

    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as stored, h5py.File(stored) as weights:
        found = {}
        weights.visititems(
            lambda name, item: found.update({name: item[()].tobytes()}) if isinstance(item, h5py.Dataset) else None
        )
    assert len(found) > 10
    return found
