"""Targets that are made of more than the value itself, from the config file to the scores."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.project import SMALL, scores_of, table


@pytest.fixture
def start(finished):
    """A function that writes a configuration with a transform, after it has raised 2 to the power of the example's expression."""

    def write(transform, column=None):
        """Return the new values as a table; with a further column of that name, where one is given."""
        path = finished / "results/example/expression.tsv"
        values = 2 ** pd.read_csv(path, sep="\t", index_col="gene_id")
        if column:
            values[column] = np.arange(len(values)) % 7
        values.to_csv(path, sep="\t")
        config = yaml.safe_load((finished / SMALL).read_text())
        config |= {"modules": ["histone"], "expression": {"transform": transform}}
        (finished / "my.yaml").write_text(yaml.safe_dump(config))
        return values

    return write


def predictions(project, run):
    return table(project, f"predictions/wakawaka/{run}.tsv.gz")


def test_z_scores_are_of_the_training_samples_of_each_run(finished, start):
    values = start("zscore_per_gene")
    targets = ["results/scores/scores.tsv", "results/figures/wakawaka/predictions.png"]
    finished.snakemake(*targets, configfile="my.yaml")
    for run in ("final", "fold-1"):
        rows = predictions(finished, run)
        rows["value"] = [values.at[gene, cell] for cell, gene in zip(rows["cell"], rows["gene_id"], strict=True)]
        trained = rows[rows["regime"] == "train"].groupby("gene_id")["value"].agg(["mean", "std"])
        expected = (rows["value"] - rows["gene_id"].map(trained["mean"])) / rows["gene_id"].map(trained["std"])
        assert np.allclose(rows["truth"], expected, rtol=1e-4, atol=1e-4, equal_nan=True)
        # A gene that the run has not seen is predicted, but has no truth.
        assert rows.loc[rows["regime"].isin(["unseen_gene", "both_unseen"]), "truth"].isna().all()
        assert rows["prediction"].notna().all()
        about = json.loads((finished / f"results/models/wakawaka/{run}/preprocessing.json").read_text())
        assert sorted(about["fitted"]["gene_id"]) == sorted(trained.index)
    # Of an unseen gene there is nothing to score, and nothing to pool.
    scores = scores_of(finished)
    for name in ("test", "validation"):
        assert set(scores.loc[scores["set"] == name, "regime"]) == {"unseen_cell"}


def test_a_ratio_is_to_a_column_that_is_no_cell(finished, start):
    values = start("log2ratio:E000", column="E000")
    finished.snakemake("results/predictions/wakawaka/final.tsv.gz", configfile="my.yaml")
    rows = predictions(finished, "final")
    assert "E000" not in set(rows["cell"])
    value = np.array([values.at[gene, cell] for cell, gene in zip(rows["cell"], rows["gene_id"], strict=True)])
    expected = np.log2((value + 1) / (values.loc[rows["gene_id"], "E000"].to_numpy() + 1))
    assert np.allclose(rows["truth"], expected, rtol=1e-4, atol=1e-4)
