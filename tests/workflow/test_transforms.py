"""Targets that are made of more than the value itself, from the config file to the scores."""

import json

import numpy as np
import pandas as pd
import yaml
from conftest import SMALL, scores_of


def start(project, example, column=None, **expression):
    """Write a configuration with the example's own files, its expression being 2 to the power of what it was."""
    folder = example / "results/example"
    table = 2 ** pd.read_csv(folder / "expression.tsv", sep="\t", index_col="gene_id")
    if column:
        table[column] = np.arange(len(table)) % 7
    table.to_csv(project / "resources/expression.tsv", sep="\t")
    config = yaml.safe_load((project / SMALL).read_text())
    config |= {
        "modules": ["histone"],
        "genes": {"path": str(folder / "genes.gtf")},
        "histone": {"path": str(folder / "counts/{cell}.tsv.gz")},
        "expression": {"path": "resources/expression.tsv", **expression},
        "held_out_genes": str(folder / "held_out_genes.txt"),
    }
    (project / "my.yaml").write_text(yaml.safe_dump(config))
    return table


def predictions(project, run):
    return pd.read_csv(project / f"results/predictions/wakawaka/{run}.tsv.gz", sep="\t", na_values=["-"])


def test_z_scores_are_of_the_training_samples_of_each_run(project, example):
    values = start(project, example, transform="zscore_per_gene")
    targets = ["results/scores/scores.tsv", "results/figures/wakawaka/predictions.png"]
    project.snakemake(*targets, configfile="my.yaml")
    for run in ("final", "fold-1"):
        rows = predictions(project, run)
        rows["value"] = [values.at[gene, cell] for cell, gene in zip(rows["cell"], rows["gene_id"], strict=True)]
        trained = rows[rows["regime"] == "train"].groupby("gene_id")["value"].agg(["mean", "std"])
        expected = (rows["value"] - rows["gene_id"].map(trained["mean"])) / rows["gene_id"].map(trained["std"])
        assert np.allclose(rows["truth"], expected, rtol=1e-4, atol=1e-4, equal_nan=True)
        # A gene that the run has not seen is predicted, but has no truth.
        assert rows.loc[rows["regime"].isin(["unseen_gene", "both_unseen"]), "truth"].isna().all()
        assert rows["prediction"].notna().all()
        about = json.loads((project / f"results/models/wakawaka/{run}/preprocessing.json").read_text())
        assert sorted(about["fitted"]["gene_id"]) == sorted(trained.index)
    # Of an unseen gene there is nothing to score, and nothing to pool.
    scores = scores_of(project)
    for name in ("test", "validation"):
        assert set(scores.loc[scores["set"] == name, "regime"]) == {"unseen_cell"}


def test_a_ratio_is_to_a_column_that_is_no_cell(project, example):
    values = start(project, example, column="E000", transform="log2ratio:E000")
    project.snakemake("results/predictions/wakawaka/final.tsv.gz", configfile="my.yaml")
    rows = predictions(project, "final")
    assert "E000" not in set(rows["cell"])
    value = np.array([values.at[gene, cell] for cell, gene in zip(rows["cell"], rows["gene_id"], strict=True)])
    expected = np.log2((value + 1) / (values.loc[rows["gene_id"], "E000"].to_numpy() + 1))
    assert np.allclose(rows["truth"], expected, rtol=1e-4, atol=1e-4)
