"""wakawaka-plus from the raw files to the report: an ensemble, k-mers, and genes that hold none of them."""

import json

import numpy as np
import pytest
import yaml

from helpers.project import SMALL, scores_of

# Of the small example's genes some hold a k-mer and some do not.
GENES = ["best", "GENE0001", "GENE0002"]


@pytest.fixture(scope="module")
def plus(example, tmp_path_factory):
    """A copy of the small example to which wakawaka-plus was added."""
    project = example.copy(tmp_path_factory.mktemp("plus") / "project")
    config = yaml.safe_load((project / SMALL).read_text())
    config |= {"models": {"wakawaka-plus": {"training": {"epochs": 2}}}, "interpret": {"genes": GENES}}
    (project / "my.yaml").write_text(yaml.safe_dump(config))
    project.snakemake(configfile="my.yaml")
    project.snakemake("--report", "results/report.html", configfile="my.yaml")
    return project


def test_everything_is_made_of_it(plus):
    found = set(scores_of(plus, set="test", run="final")["predictor"])
    assert {"wakawaka", "wakawaka-plus", "gene_mean"} <= found
    report = (plus / "results/report.html").read_text()
    assert len(report) > 10**6 and "wakawaka-plus" in report
    about = json.loads((plus / "results/models/wakawaka-plus/final/preprocessing.json").read_text())
    assert about["schedule"]["ensemble_size"] == 2 and about["schedule"]["epochs"] == 2
    assert "wakawaka-plus" in (plus / "results/compare/compare.html").read_text()


def test_a_gene_without_kmers_is_drawn_as_one_of_which_no_base_matters(plus):
    drawn = [np.load(plus / f"results/attributions/wakawaka-plus/{gene}.npz", allow_pickle=False) for gene in GENES]
    assert all(one["fixed_kmers"] for one in drawn)
    assert any(not one["dna_gradient"].any() for one in drawn)
    for gene, one in zip(GENES, drawn, strict=True):
        # Elsewhere than in a k-mer nothing moves the prediction: at most 16 k-mers of 12 bases.
        assert (one["dna_gradient"].any(axis=1)).sum() <= 16 * 12
        assert (plus / f"results/figures/wakawaka-plus/dna_{gene}.png").stat().st_size > 10**4
