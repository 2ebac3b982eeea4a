"""Verdicts and the summary of scores that a test gives row by row."""

import json

import docutils.core
import numpy as np
import pandas as pd

from helpers.score_rows import score_row
from wakawaka.core.files import read_table, write_table
from wakawaka.report.verdicts import verdicts

RUNS = ["final", "fold-1", "fold-2"]
REGIMES = ("unseen_cell", "unseen_gene", "both_unseen")
# Enough cells and genes to resample both.
MANY = {"cells": 6, "genes": 100, "samples": 600, "resampled": "genes and cells"}


def row(predictor, metric, value, regime, baseline=None, **more):
    """Return a row of scores with an interval over genes and cells."""
    return score_row(predictor, metric, value, regime, baseline, **MANY | more)


def network_rows(
    name="wakawaka", permuted=0.0, permuted_seen=0.0, memory=0.4, unseen=0.6, ridge=0.3, trained=0.5, **more
):
    """Return the rows of a network, of its ablation and of baselines.

    Args:
        permuted, permuted_seen: skill compared with the network with permuted genes, for unseen and for seen genes.
        memory: skill compared with the per-gene mean.
        unseen: skill compared with the training mean.
        ridge: skill compared with the ridge.
        trained: training loss of the network with permuted genes.
    """
    rows = []
    for regime in REGIMES:
        seen = regime == "unseen_cell"
        losses = {
            "training_mean": 4.0,
            name: 1.0,
            "ridge_bins": 2.0,
            "trees_summaries": 1.5,
            f"{name}.permuted_genes": 1.5,
        }
        rows += [row(predictor, "mse", loss, regime, **more) for predictor, loss in losses.items()]
        rows.append(row(name, "sd_ratio", 0.8, regime, **more))
        skills = {"training_mean": unseen, "ridge_bins": ridge, "trees_summaries": ridge}
        skills |= {f"{name}.permuted_genes": permuted_seen if seen else permuted}
        rows += [row(name, "skill", skill, regime, baseline, **more) for baseline, skill in skills.items()]
        if seen:
            rows.append(row("gene_mean", "mse", 2.0, regime, **more))
            rows.append(row("gene_mean", "skill", 0.5, regime, "training_mean", **more))
            rows.append(row(name, "skill", memory, regime, "gene_mean", **more))
    losses = {"training_mean": 0.5, name: 0.5, f"{name}.permuted_genes": trained}
    return rows + [row(one, "mse", loss, "train", set="train", **more) for one, loss in losses.items()]


def judged(
    folder,
    rows,
    *,
    curves=([3, 2, 1], [3, 2, 1]),
    leaks=(),
    models=("wakawaka",),
    modules=("histone", "dna"),
    facts=None,
    binary=False,
):
    """Judge rows of scores; return the table of verdicts and the summary.

    Args:
        curves: the losses of each fold, epoch by epoch, of training and validation.
        leaks: what the regimes of the final run share.
        facts: content of the example's truth.json.
    """
    loss = "bce" if binary else "mse"
    write_table(pd.DataFrame(rows), folder / "scores.tsv")
    histories = []
    for model in models:
        for run, curve in zip(RUNS, [curves[0], *curves], strict=True):
            column = {} if run == "final" else {f"val_{loss}_unseen_gene": curve}
            path = folder / f"{model}-{run}.tsv"
            write_table(pd.DataFrame({"epoch": range(1, len(curve) + 1), f"train_{loss}": curve, **column}), path)
            histories.append((model, run, path))
    audit = pd.DataFrame({"run": "final", "regime": REGIMES, "leak": [*leaks, *[np.nan] * (3 - len(leaks))]})
    write_table(audit, folder / "audit.tsv")
    truth = folder / "truth.json" if facts else None
    if truth:
        truth.write_text(json.dumps(facts))
    verdicts(
        folder / "scores.tsv", histories, folder / "audit.tsv", truth, folder / "verdicts.tsv", folder / "summary.rst",
        modules=list(modules), binary=binary,
    )  # fmt: skip
    return read_table(folder / "verdicts.tsv"), (folder / "summary.rst").read_text()


def verdict(table, check, regime):
    """Return the one verdict of a check in a regime."""
    found = table[(table["check"] == check) & (table["regime"] == regime)]
    assert len(found) == 1
    return found.iloc[0]


def sentences(page):
    """Return the numbered sentences of a summary."""
    return [line for line in page.splitlines() if line[:1].isdigit()]


def rendered(page):
    """Return a summary as HTML; docutils must not report anything."""
    settings = {"report_level": 1, "halt_level": 1, "raw_enabled": False}
    return docutils.core.publish_string(page, writer="html5", settings_overrides=settings).decode()
