"""The final models' scores on the built-in example beside what its truth allows."""

import json
import logging

import pandas as pd

from wakawaka.core.files import read_table, write_table
from wakawaka.evaluation.labels import LABELS

log = logging.getLogger(__name__)


def check_example(scores, truth, table, *, models):
    """Write a row per model and regime of the test set: the MSEs reached and expected, and whether the model beats the training mean.

    Args:
        scores: path of the table of scores. truth: path of the example's truth.json. table: output path. models: list of str.
    """
    with open(truth, encoding="utf-8") as file:
        expected = json.load(file)["expected_mse"]
    found = read_table(scores)
    found = found[(found["set"] == "test") & (found["run"] == "final") & (found["similarity"] == "all")]
    reached = found[found["metric"] == "mse"].pivot(index="regime", columns="predictor", values="value")
    columns = ["model", "regime", "final_model", "expected_of_an_oracle", "gene_mean", "expected_gene_mean"]
    columns += ["training_mean", "expected_training_mean", "model_beats_training_mean"]
    rows = []
    for model, regime in ((model, name) for model in models for name in expected if name in reached.index):
        mse = reached.loc[regime]
        beats = bool(mse[model] < mse["training_mean"])
        row = {
            "model": model,
            "regime": LABELS[regime],
            "final_model": mse[model],
            "expected_of_an_oracle": expected[regime]["oracle"],
        }
        for name in ("gene_mean", "training_mean"):
            row |= {name: mse[name], f"expected_{name}": expected[regime][name]}
        rows.append({**row, "model_beats_training_mean": "yes" if beats else "no"})
        if not beats:
            log.warning("%s, %s: the model is no better than the training mean", model, LABELS[regime])
    write_table(pd.DataFrame(rows, columns=columns).round(3), table)
