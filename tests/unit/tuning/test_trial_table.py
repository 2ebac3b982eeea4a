"""Columns and types of the table of a rung."""

import pandas as pd

from wakawaka.core.files import write_table
from wakawaka.tuning.trial_table import hyperparameters_of, read_ranks

TABLE = pd.DataFrame(
    {
        "rank": [1, 2],
        "learning_rate": ["0.0005", "1e-05"],
        "joint_dense": ["none", "100-50"],
        "loss": [1.5, None],
        "sd": [0.5, None],
        "val_mse_unseen_cell": [1.5, None],
        "val_bce_both_unseen": [2.5, None],
        "seconds": [3, None],
    }
)


def test_hyperparameters_are_the_columns_without_a_meaning_of_their_own():
    assert hyperparameters_of(TABLE) == ["learning_rate", "joint_dense"]


def test_hyperparameters_stay_texts_and_missing_losses_are_missing(tmp_path):
    write_table(TABLE, tmp_path / "ranks.tsv")
    found = read_ranks(tmp_path / "ranks.tsv")
    assert found[["learning_rate", "joint_dense"]].equals(TABLE[["learning_rate", "joint_dense"]])
    assert found["loss"].isna().tolist() == [False, True]
    assert found["rank"].tolist() == [1, 2]
