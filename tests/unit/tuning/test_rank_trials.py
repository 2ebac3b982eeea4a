"""The ranks of trials, from the histories of their folds."""

import numpy as np
import pandas as pd
import pytest

from wakawaka.core.errors import InputError
from wakawaka.core.files import read_table, write_table
from wakawaka.tuning.rank_trials import rank_trials


@pytest.fixture
def ranked(tmp_path):
    """A function that ranks trials by their losses: per trial and fold a dict by regime, or None for a failed training."""

    def make(losses, trials, before=None, loss="mse"):
        histories = []
        for number, folds in enumerate(losses):
            for fold, found in enumerate(folds):
                path = tmp_path / f"{number}-{fold}.tsv"
                # The trials of a further rung have the names of their ranks in the rung before.
                histories.append((f"rank-{number + 1}" if before else f"trial-{number}", f"fold-{fold}", path))
                if found is None:
                    write_table(pd.DataFrame(columns=["epoch", "seconds"]), path)
                    continue
                last = {f"val_{loss}_{regime}": value for regime, value in found.items()}
                # Earlier epochs do not count.
                rows = [{"epoch": 1, "seconds": 1, f"train_{loss}": 0, **dict.fromkeys(last, 0)}]
                write_table(pd.DataFrame([*rows, {"epoch": 2, "seconds": 10, f"train_{loss}": 0, **last}]), path)
        output = tmp_path / "ranks.tsv"
        named = {f"trial-{number}": trial for number, trial in enumerate(trials)}
        # The rows name their trials, so that their order does not matter.
        histories.sort(key=lambda row: row[1])
        rank_trials(histories, before, output, tmp_path / "order.tsv", trials=named)
        return read_table(output, dtype={"lr_schedule": str, "joint_dense": str})

    return make


TRIALS = [
    {"learning_rate": "0.1", "lr_schedule": "none"},
    {"learning_rate": "0.2", "lr_schedule": "none"},
    {"learning_rate": "0.3", "lr_schedule": "cosine"},
]


def test_the_loss_is_the_mean_over_regimes_of_their_means_over_folds(ranked):
    first = [{"unseen_cell": 1.0, "unseen_gene": 2.0}, {"unseen_cell": 3.0, "unseen_gene": 4.0}]
    # The second fold has no targets of unseen genes.
    second = [{"unseen_cell": 1.0, "unseen_gene": 1.0}, {"unseen_cell": 2.0}]
    table = ranked([first, second, first], TRIALS)
    assert table["learning_rate"].tolist() == [0.2, 0.1, 0.3]
    assert table["lr_schedule"].tolist() == ["none", "none", "cosine"]
    assert table["rank"].tolist() == [1, 2, 3]
    assert table["val_mse_unseen_cell"].tolist() == [1.5, 2, 2]
    assert table["val_mse_unseen_gene"].tolist() == [1, 3, 3]
    assert table["loss"].tolist() == [1.25, 2.5, 2.5]
    assert table["sd"].tolist() == pytest.approx([np.std([1, 2], ddof=1)] + 2 * [np.std([1.5, 3.5], ddof=1)], rel=1e-6)
    assert table["seconds"].tolist() == [20, 20, 20]


@pytest.mark.parametrize("bad", [None, {"unseen_cell": np.inf}, {"unseen_cell": np.nan}])
def test_a_trial_that_failed_in_one_fold_ranks_last(ranked, bad):
    table = ranked([[{"unseen_cell": 0.1}, bad], [{"unseen_cell": 5}, {"unseen_cell": 5}]], TRIALS[:2], loss="bce")
    assert table["learning_rate"].tolist() == [0.2, 0.1]
    assert table["loss"][0] == 5 and np.isnan(table["loss"][1]) and np.isnan(table["val_bce_unseen_cell"][1])


def test_a_search_without_any_loss_ends_with_a_sentence(ranked):
    with pytest.raises(InputError, match="no trial has a finite validation loss"):
        ranked([[None], [{"unseen_cell": np.inf}]], TRIALS[:2])
    with pytest.raises(InputError, match="no sample that a fold holds out has a known target"):
        ranked([[{}]], TRIALS[:1])


def test_trials_of_a_further_rung_are_the_first_of_the_one_before(ranked, tmp_path):
    first = ranked([[{"unseen_cell": value}] for value in (3, 1, 2)], TRIALS)
    assert first["learning_rate"].tolist() == [0.2, 0.3, 0.1]
    before = (tmp_path / "order.tsv").rename(tmp_path / "before.tsv")
    # Rank 1 of the rung before comes second here.
    table = ranked([[{"unseen_cell": value}] for value in (2, 1)], [], before)
    assert table["learning_rate"].tolist() == [0.3, 0.2]
    assert table["lr_schedule"].tolist() == ["cosine", "none"]
