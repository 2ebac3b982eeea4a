from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from wakawaka.core.files import write_table
from wakawaka.evaluation.labels import LABELS
from wakawaka.splits.regimes import HELD_OUT, LEAKING, POOL, POOLED, TEST, TRAIN, read_regimes

STORE = SimpleNamespace(cells=np.array(["01", "02"]), genes=np.array(["1", "2", "3"]))


def test_every_regime_has_a_label_of_its_own():
    assert set(LABELS) == {TRAIN, *HELD_OUT, POOL}
    assert len(set(LABELS.values())) == len(LABELS)


def test_random_rows_are_not_pooled_with_what_was_held_out_in_earnest():
    assert set(POOLED) == set(HELD_OUT) - {LEAKING}


def test_read_regimes(tmp_path):
    final = ["train", "train", "unseen_gene", "unseen_cell", "unseen_cell", "both_unseen"]
    table = pd.DataFrame(
        {"cell": np.repeat(STORE.cells, 3), "gene_id": np.tile(STORE.genes, 2), "fold-1": TEST, "final": final}
    )
    write_table(table, tmp_path / "samples.tsv.gz")
    assert read_regimes(tmp_path / "samples.tsv.gz", STORE, "final").tolist() == [final[:3], final[3:]]
    assert (read_regimes(tmp_path / "samples.tsv.gz", STORE, "fold-1") == TEST).all()
    write_table(table[:-1], tmp_path / "samples.tsv.gz")
    with pytest.raises(AssertionError, match="is of another store"):
        read_regimes(tmp_path / "samples.tsv.gz", STORE, "final")
