"""The table of the built-in example's scores and of what its truth allows."""

import json
import logging

import numpy as np
import pandas as pd
import pytest

from helpers.score_rows import score_row
from wakawaka.core.files import read_table, write_table
from wakawaka.example.check_example import check_example

REGIMES = ("unseen_cell", "unseen_gene", "both_unseen")


@pytest.mark.parametrize(("loss", "beats"), [(1.5, "yes"), (2.0, "no"), (2.5, "no")])
def test_a_row_per_regime_with_scores(tmp_path, caplog, loss, beats):
    losses = {"wakawaka": loss, "gene_mean": 1.75, "training_mean": 2.0}
    rows = [score_row(name, "mse", value, regime) for name, value in losses.items() for regime in REGIMES[:2]]
    # Other metrics, runs and bins of similarity.
    rows += [
        score_row("wakawaka", "r2", 77.0, "unseen_cell"),
        score_row("wakawaka", "mse", 77.0, "unseen_cell", run="fold_mean"),
        score_row("wakawaka", "mse", 77.0, "unseen_cell", similarity="below 0.01"),
    ]
    write_table(pd.DataFrame(rows), tmp_path / "scores.tsv")
    expected = {"oracle": 0.25, "gene_mean": 1.7, "training_mean": 1.9}
    (tmp_path / "truth.json").write_text(json.dumps({"expected_mse": dict.fromkeys(REGIMES, expected)}))
    with caplog.at_level(logging.WARNING):
        check_example(tmp_path / "scores.tsv", tmp_path / "truth.json", tmp_path / "x.tsv", models=["wakawaka"])
    found = read_table(tmp_path / "x.tsv")
    assert found.to_dict("list") == {
        "model": ["wakawaka"] * 2, "regime": ["seen genes, unseen cells", "unseen genes, seen cells"], "final_model": [loss] * 2,
        "expected_of_an_oracle": [0.25] * 2, "gene_mean": [1.75] * 2, "expected_gene_mean": [1.7] * 2, "training_mean": [2.0] * 2,
        "expected_training_mean": [1.9] * 2, "model_beats_training_mean": [beats] * 2,
    }  # fmt: skip
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == (2 if beats == "no" else 0)
    assert all("wakawaka, " in line and "training mean" in line for line in warned)
    assert np.isfinite(found["final_model"]).all()
