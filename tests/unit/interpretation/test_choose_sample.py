"""Which sample is attributed, and to which run's model."""

import numpy as np
import pandas as pd
import pytest

from helpers.stores import store_of
from wakawaka.core.errors import InputError
from wakawaka.core.files import write_table
from wakawaka.interpretation.choose_sample import Sample, choose_sample

# cell, gene, regime, truth, final
TEST = [
    ("c1", "g1", "unseen_cell", 9.0, 8.0),
    ("c2", "g1", "unseen_cell", 1.0, 1.1),
    ("c1", "g2", "unseen_cell", 10.0, 3.0),
    ("c2", "g2", "unseen_cell", np.nan, 3.0),
]
# cell, gene, regime, run, truth, prediction
OUT_OF_FOLD = [
    ("c1", "g3", "unseen_gene", "fold-1", 5.0, 1.0),
    ("c2", "g3", "unseen_gene", "fold-2", 4.0, 3.5),
]
TEST_WITHOUT_TRUTH = [(*row[:3], np.nan, row[4]) for row in TEST]
FOLDS_WITHOUT_TRUTH = [(*row[:4], np.nan, row[5]) for row in OUT_OF_FOLD]


@pytest.fixture
def choose(tmp_path):
    store = store_of(tmp_path, cells=["c1", "c2"], genes=["g1", "g2", "g3"])

    def choose(gene, test=TEST, out_of_fold=OUT_OF_FOLD, binary=False):
        write_table(pd.DataFrame(test, columns=["cell", "gene_id", "regime", "truth", "final"]), tmp_path / "test.tsv")
        columns = ["cell", "gene_id", "regime", "run", "truth", "prediction"]
        write_table(pd.DataFrame(out_of_fold, columns=columns), tmp_path / "oof.tsv")
        return choose_sample(store, tmp_path / "test.tsv", tmp_path / "oof.tsv", gene, binary)

    return choose


def test_a_named_gene_is_drawn_where_it_is_best_predicted(choose):
    assert choose("g1") == Sample("c2", "g1", "unseen_cell", 1.0, "final")


def test_best_is_highly_expressed(choose):
    assert choose("best").gene_id == "g2"


def test_without_a_known_truth_in_the_test_set_the_fold_that_held_the_sample_out_is_drawn(choose):
    """The regime is that of the fold's model; the final one was trained on the sample."""
    assert choose("g3") == Sample("c2", "g3", "unseen_gene", 4.0, "fold-2")
    assert choose("best", TEST_WITHOUT_TRUTH).run == "fold-1"


def test_the_best_label_is_the_1_of_the_highest_probability(choose):
    """The number of 1s does not matter: in the first table they are less than a tenth of the samples."""
    rare = [("c1", f"g{number}", "unseen_cell", 0.0, 0.01) for number in range(30)]
    ones = [("c1", "g1", "unseen_cell", 1.0, 0.7), ("c2", "g2", "unseen_cell", 1.0, 0.9)]
    for test in ([*rare, *ones], [*ones, ("c2", "g1", "unseen_cell", 0.0, 0.95)]):
        sample = choose("best", test, binary=True)
        assert (sample.gene_id, sample.cell, sample.truth) == ("g2", "c2", 1)
    # Without a 1 in the test set, one that a fold held out.
    folds = [("c1", "g3", "unseen_gene", "fold-1", 1.0, 0.2), ("c2", "g3", "unseen_gene", "fold-2", 1.0, 0.4)]
    assert choose("best", rare, folds, binary=True).run == "fold-2"


def test_where_no_truth_is_known_the_best_is_the_highest_prediction(choose):
    sample = choose("best", TEST_WITHOUT_TRUTH, FOLDS_WITHOUT_TRUTH)
    assert (sample.gene_id, sample.cell, sample.regime, sample.run) == ("g1", "c1", "unseen_cell", "final")
    assert np.isnan(sample.truth)
    sample = choose("best", [], FOLDS_WITHOUT_TRUTH)
    assert (sample.gene_id, sample.cell, sample.run) == ("g3", "c2", "fold-2")


def test_a_gene_without_any_truth_is_drawn_in_the_first_cell(choose):
    sample = choose("g2", TEST_WITHOUT_TRUTH)
    assert (sample.cell, sample.regime, sample.run) == ("c1", "-", "final")
    assert np.isnan(sample.truth)


def test_an_unknown_gene_asked_for_by_the_path_of_its_figure_is_refused(choose):
    with pytest.raises(InputError, match="NOSUCH cannot be drawn: it is not among the genes of the store"):
        choose("NOSUCH")
