"""The samples and targets of a run."""

import numpy as np
import pytest

from helpers.stores import store_of
from wakawaka.training.task import Task

VALUE = {"kind": "value", "transform": "none"}
LABEL = {"kind": "label", "transform": "none"}
REGIMES = np.array([["train", "train", "unseen_gene"], ["unseen_cell", "unseen_cell", "both_unseen"]])
EXPRESSION = np.array([[1.0, np.nan, 0.0], [np.nan, np.nan, 1.0]], np.float32)


@pytest.fixture
def store(tmp_path):
    return store_of(tmp_path, cells=2, genes=3, expression=EXPRESSION)


def test_training_samples_are_those_with_a_target(store):
    task = Task(store, REGIMES, "fold-1", VALUE)
    assert task.trained.tolist() == [[True, False, False], [False, False, False]]
    assert task.cells.tolist() == [0] and task.genes.tolist() == [0]


def test_a_fold_watches_the_regimes_that_have_a_target(store):
    watched = Task(store, REGIMES, "fold-1", VALUE).watched
    assert list(watched) == ["unseen_gene", "both_unseen"]
    assert np.argwhere(watched["both_unseen"]).tolist() == [[1, 2]]


def test_the_final_run_does_not_watch_the_test_set(store):
    assert Task(store, REGIMES, "final", VALUE).watched == {}


@pytest.mark.parametrize(
    ("target", "modules", "expected"), [(VALUE, ["histone", "dna"], True), (VALUE, ["histone"], False), (LABEL, ["dna"], False)]
)  # fmt: skip
def test_gene_effects_need_dna_and_a_value(store, caplog, target, modules, expected):
    caplog.set_level("INFO")
    genes = Task(store, REGIMES, "fold-1", target, True, modules).training_genes
    assert (genes is not None) == expected
    assert ("no gene effects: they need DNA" in caplog.text) != expected
    assert Task(store, REGIMES, "fold-1", target, False, modules).training_genes is None


def test_genes_with_expression_but_without_a_target_are_named(store, caplog):
    Task(store, REGIMES, "fold-1", {"kind": "value", "transform": "zscore_per_gene"})
    assert "2 genes with expression have no target" in caplog.text and "G00, G02" in caplog.text
