"""Which sample is drawn, and by which model."""

import keras
import numpy as np
import pandas as pd
import pytest

from wakawaka.core.errors import InputError
from wakawaka.core.files import read_table, write_table
from wakawaka.interpretation.attribute import _agreement, _centred, _choose, _gradients
from wakawaka.interpretation.check_genes import find_genes
from wakawaka.network.build import before_sigmoid


class TinyStore:
    genes = np.array(["g1", "g2", "g3"])
    cells = np.array(["c1", "c2"])


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


@pytest.fixture
def choose(tmp_path):
    def choose(gene, test=TEST, out_of_fold=OUT_OF_FOLD, binary=False):
        write_table(pd.DataFrame(test, columns=["cell", "gene_id", "regime", "truth", "final"]), tmp_path / "test.tsv")
        columns = ["cell", "gene_id", "regime", "run", "truth", "prediction"]
        write_table(pd.DataFrame(out_of_fold, columns=columns), tmp_path / "oof.tsv")
        return _choose(TinyStore, tmp_path / "test.tsv", tmp_path / "oof.tsv", gene, binary)

    return choose


def test_a_named_gene_is_drawn_where_it_is_best_predicted(choose):
    assert choose("g1") == {"cell": "c2", "gene_id": "g1", "regime": "unseen_cell", "truth": 1.0, "run": "final"}


def test_best_is_highly_expressed(choose):
    assert choose("best")["gene_id"] == "g2"


def test_without_a_known_truth_in_the_test_set_the_fold_that_held_the_sample_out_is_drawn(choose):
    """Its regime is true of that model; the final one was trained on the sample."""
    expected = {"cell": "c2", "gene_id": "g3", "regime": "unseen_gene", "truth": 4.0, "run": "fold-2"}
    assert choose("g3") == expected
    hidden = [(*row[:3], np.nan, row[4]) for row in TEST]
    assert choose("best", hidden)["run"] == "fold-1"


def test_the_best_label_is_the_1_of_the_highest_probability(choose):
    """However few 1s there are: in the first table they are less than the tenth that counts as highly expressed."""
    rare = [("c1", f"g{number}", "unseen_cell", 0.0, 0.01) for number in range(30)]
    ones = [("c1", "g1", "unseen_cell", 1.0, 0.7), ("c2", "g2", "unseen_cell", 1.0, 0.9)]
    for test in ([*rare, *ones], [*ones, ("c2", "g1", "unseen_cell", 0.0, 0.95)]):
        sample = choose("best", test, binary=True)
        assert (sample["gene_id"], sample["cell"], sample["truth"]) == ("g2", "c2", 1)
    # Without a 1 in the test set, one that a fold held out.
    folds = [("c1", "g3", "unseen_gene", "fold-1", 1.0, 0.2), ("c2", "g3", "unseen_gene", "fold-2", 1.0, 0.4)]
    assert choose("best", rare, folds, binary=True)["run"] == "fold-2"


def test_where_no_truth_is_known_the_best_is_the_highest_prediction(choose):
    hidden = [(*row[:3], np.nan, row[4]) for row in TEST]
    folds = [(*row[:4], np.nan, row[5]) for row in OUT_OF_FOLD]
    sample = choose("best", hidden, folds)
    assert (sample["gene_id"], sample["cell"], sample["regime"], sample["run"]) == ("g1", "c1", "unseen_cell", "final")
    assert np.isnan(sample["truth"])
    sample = choose("best", [], folds)
    assert (sample["gene_id"], sample["cell"], sample["run"]) == ("g3", "c2", "fold-2")


def test_gradients_of_a_binary_network_are_those_of_its_log_odds():
    """A network that is certain: through its sigmoid no gradient would come."""
    inputs = keras.Input((2,), name="histone")
    odds = keras.layers.Dense(1, name="expression")(inputs)
    network = keras.Model([inputs], keras.layers.Activation("sigmoid", name="probability")(odds))
    network.get_layer("expression").set_weights([np.array([[3.0], [-1.0]]), np.array([200.0])])
    values = {"histone": np.array([[2.0, 1.0]], np.float32)}
    output, gradients = _gradients(before_sigmoid(network), values)
    assert output == 205 and gradients["histone"].tolist() == [3, -1]
    assert _gradients(network, values)[1]["histone"].tolist() == [0, 0]


def test_a_gene_without_any_truth_is_drawn_in_the_first_cell(choose):
    sample = choose("g2", [(*row[:3], np.nan, row[4]) for row in TEST])
    assert (sample["cell"], sample["regime"], sample["run"]) == ("c1", "-", "final")
    assert np.isnan(sample["truth"])


def test_the_mean_over_the_bases_is_taken_from_gradients_of_dna_alone():
    gradient = np.array([[1.0, 2.0, 3.0, 6.0]])
    assert _centred("dna", gradient).tolist() == [[-2, -1, 0, 3]]
    assert _centred("histone", gradient) is gradient


def test_agreement_is_the_mean_correlation_of_all_pairs():
    up, down = np.arange(4.0), -np.arange(4.0)
    assert _agreement([up, up, down]) == pytest.approx((1 - 1 - 1) / 3)
    assert np.isnan(_agreement([up]))


def test_named_genes_are_looked_up(tmp_path):
    write_table(
        pd.DataFrame({"gene_id": ["ENSG00000000003"], "chrom": "1", "tss": 1, "strand": "+", "group": "-"}),
        tmp_path / "genes.tsv",
    )
    find_genes([tmp_path / "genes.tsv"], tmp_path / "found.tsv", genes=["best", "ENSG00000000003.15"])
    assert read_table(tmp_path / "found.tsv").values.tolist() == [["ENSG00000000003.15", "ENSG00000000003"]]
    with pytest.raises(InputError, match="`interpret.genes` names NOSUCH, not among the genes"):
        find_genes([tmp_path / "genes.tsv"], tmp_path / "none.tsv", genes=["NOSUCH"])
    assert not (tmp_path / "none.tsv").exists()


def test_an_unknown_gene_asked_for_by_the_path_of_its_figure_is_refused(choose):
    with pytest.raises(InputError, match="NOSUCH cannot be drawn"):
        choose("NOSUCH")
