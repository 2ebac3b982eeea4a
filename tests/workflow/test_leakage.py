"""A split that leaks is refused by name; allowed all the same, it is told in red on the report's first page."""

import re

import pandas as pd
import pytest
import yaml

from helpers.project import Project

CONFIG = {
    "models": {"wakawaka": None},
    "modules": ["histone"],
    "cells": {"train": ["C01", "C02", "C03", "C04"], "held_out": ["C05"]},
    "held_out_genes": [],
    "window": 2000,
    "bins": 50,
    "folds": {"number": 2, "hold_out": "genes"},
    "training": {"epochs": 1},
    "ablations": [],
    "bootstrap": {"replicates": 40, "rank_replicates": 40},
    "example": {"genes": 40, "held_out_genes": 4},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project.fresh(tmp_path_factory.mktemp("leakage"))


@pytest.fixture(scope="module")
def pair(project):
    """Two genes whose windows overlap, of a split that does not leak."""
    run(project, "results/splits/genes.tsv")
    groups = pd.read_csv(project / "results/splits/genes.tsv", sep="\t").groupby("group")["gene_id"].apply(list)
    return next(genes for genes in groups if len(genes) == 2)


def run(project, *arguments, check=True, **changes):
    (project / "my.yaml").write_text(yaml.safe_dump(CONFIG | changes))
    return project.snakemake(*arguments, configfile="my.yaml", check=check)


def test_a_held_out_gene_whose_window_overlaps_that_of_a_training_gene_is_refused(project, pair):
    held_out, trained = pair
    said = run(project, "results/splits/samples.tsv.gz", held_out_genes=[held_out], check=False)
    assert said.returncode == 1
    message = said.stdout
    assert f"{held_out} with {trained}: overlapping windows" in message
    assert f"add {trained} to `held_out_genes`" in message and f"remove {held_out} from it" in message
    assert "set `allow_leakage: true`" in message and "in red" in message
    assert "Traceback" not in message
    assert not list((project / "results/splits").glob("*"))


def test_random_rows_are_refused_before_anything_has_run(project):
    said = run(project, "-n", folds={"number": 2, "hold_out": "samples"}, check=False)
    assert said.returncode == 1
    assert "`folds.hold_out` is samples" in said.stdout and "`allow_leakage: true`" in said.stdout
    assert "Traceback" not in said.stdout


def test_leaks_that_are_allowed_are_told_in_red(project, pair):
    held_out, trained = pair
    settings = {"held_out_genes": [held_out], "folds": {"number": 2, "hold_out": "samples"}, "allow_leakage": True}
    run(project, **settings)
    run(project, "--report", "results/report.html", **settings)
    audit = pd.read_csv(project / "results/splits/audit.tsv", sep="\t", na_values=["-"]).set_index(["run", "regime"])
    of_pair = f"1 genes share a group with training genes ({held_out} with {trained}: overlapping windows)"
    leaks = audit["leak"].dropna()
    assert set(leaks.index) == {
        ("final", "unseen_gene"), ("final", "both_unseen"), ("fold-1", "leaking"), ("fold-2", "leaking")
    }  # fmt: skip
    assert leaks["final", "unseen_gene"] == leaks["final", "both_unseen"] == of_pair
    # Of random rows nearly every gene, and every cell.
    count = audit.at[("fold-1", "leaking"), "genes_also_trained_on"]
    of_rows = f"{count} genes are trained on too"
    assert count > 30 and of_rows in leaks["fold-1", "leaking"]
    assert "4 cells are trained on too (C01, C02, C03, C04)" in leaks["fold-1", "leaking"]
    # In red, before anything else, and of each run.
    page = (project / "results/verdicts/summary.rst").read_text().splitlines()
    told = [line for line in page if line.startswith(":red:`Leakage, allowed by allow_leakage: ")]
    first_sentence = next(number for number, line in enumerate(page) if line.startswith("1. "))
    assert len(told) == len(leaks) and page.index(told[-1]) < first_sentence
    report = (project / "results/report.html").read_text()
    red = re.findall(r'<span class=\\?"red\\?">(.*?)</span>', report)
    assert len(red) == len(leaks)
    assert any(of_pair in text and "unseen genes, seen cells" in text for text in red)
    assert any(of_rows in text and "random rows (leaking)" in text for text in red)
    assert re.search(r"\.red \{\s*color: #b91c1c", report)
    # The scores stand in a regime of their own.
    scores = pd.read_csv(project / "results/scores/scores.tsv", sep="\t")
    assert set(scores.loc[scores["set"] == "validation", "regime"]) == {"leaking"}
