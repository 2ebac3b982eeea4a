"""The final models' scores on the built-in example, compared with what its truth allows."""

import json
import logging
from collections.abc import Iterable

import pandas as pd

from wakawaka.core.files import PathLike, read_table, write_table
from wakawaka.evaluation.labels import ALL, REGIMES
from wakawaka.splits.regimes import FINAL

log = logging.getLogger(__name__)


def check_example(scores: PathLike, truth: PathLike, table: PathLike, *, models: Iterable[str]) -> None:
    """Write a row per model and regime of the test set: the MSE of the model and of two baselines, and the expected MSEs.

    Args:
        scores: path of the table of scores.
        truth: path of the example's truth.json.
        table: output path. Columns: model, regime, final_model, expected_of_an_oracle, gene_mean, expected_gene_mean, training_mean,
            expected_training_mean, model_beats_training_mean (yes or no).
        models: names of the models.
    """
    with open(truth, encoding="utf-8") as file:
        expected = json.load(file)["expected_mse"]
    found = read_table(scores)
    found = found[(found["set"] == "test") & (found["run"] == FINAL) & (found["similarity"] == ALL)]
    reached = found[found["metric"] == "mse"].pivot(index="regime", columns="predictor", values="value")
    columns = ["model", "regime", "final_model", "expected_of_an_oracle", "gene_mean", "expected_gene_mean"]
    columns += ["training_mean", "expected_training_mean", "model_beats_training_mean"]
    rows = []
    for model, regime in ((model, name) for model in models for name in expected if name in reached.index):
        mse = reached.loc[regime]
        beats = bool(mse[model] < mse["training_mean"])
        row = {
            "model": model,
            "regime": REGIMES[regime],
            "final_model": mse[model],
            "expected_of_an_oracle": expected[regime]["oracle"],
        }
        for name in ("gene_mean", "training_mean"):
            row |= {name: mse[name], f"expected_{name}": expected[regime][name]}
        rows.append({**row, "model_beats_training_mean": "yes" if beats else "no"})
        if not beats:
            log.warning("%s, %s: the model is no better than the training mean", model, REGIMES[regime])
    write_table(pd.DataFrame(rows, columns=columns).round(3), table)
