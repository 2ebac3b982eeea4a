"""wakawaka-plus from the raw files to the report: members, words, and genes that hold none of them."""

import json

import numpy as np
import pytest
import yaml
from conftest import SMALL, Project, scores_of

# Of the small example's genes some hold a word and some do not.
GENES = ["best", "GENE0001", "GENE0002", "GENE0003", "GENE0004"]


@pytest.fixture(scope="module", params=["value", "above_median"])
def plus(request, tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("plus"))
    config = yaml.safe_load((project / SMALL).read_text())
    config["models"] = {"wakawaka": None, "wakawaka-plus": {"training": {"epochs": 2}}}
    config |= {"interpret": {"genes": GENES}, "expression": {"target": request.param}}
    (project / "my.yaml").write_text(yaml.safe_dump(config))
    project.snakemake(configfile="my.yaml")
    project.snakemake("--report", "results/report.html", configfile="my.yaml")
    return project


def test_everything_is_made_of_it(plus):
    assert set(scores_of(plus, set="test", run="final")["predictor"]) >= {"wakawaka-plus", "gene_mean"}
    assert (plus / "results/report.html").stat().st_size > 10**6
    about = json.loads((plus / "results/models/wakawaka-plus/final/preprocessing.json").read_text())
    assert about["schedule"]["members"] == 2 and about["schedule"]["epochs"] == 2
    assert "wakawaka-plus" in (plus / "results/compare/compare.html").read_text()


def test_a_gene_without_words_is_drawn_as_one_that_no_base_matters_of(plus):
    drawn = [np.load(plus / f"results/attributions/wakawaka-plus/{gene}.npz", allow_pickle=False) for gene in GENES]
    assert all(one["dna_words"] for one in drawn)
    assert any(not one["dna_gradient"].any() for one in drawn)
    for gene, one in zip(GENES, drawn, strict=True):
        # Elsewhere than in a word nothing moves the prediction: at most 16 words of 12 bases.
        assert (one["dna_gradient"].any(axis=1)).sum() <= 16 * 12
        assert (plus / f"results/figures/wakawaka-plus/dna_{gene}.png").stat().st_size > 10**4
