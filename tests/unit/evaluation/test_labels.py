"""The names that tables, pages and figures show."""

import pandas as pd
import pytest

from wakawaka.evaluation import labels


@pytest.mark.parametrize(
    ("predictor", "run", "title"),
    [
        ("ridge_bins", "final", "ridge on all bins"),
        ("my-model", "final", "my-model"),
        ("wakawaka", "fold_mean", "wakawaka, mean of the folds"),
        ("wakawaka.permuted_genes", "mean", "wakawaka, DNA of other genes"),
    ],
)
def test_titles_of_predictors(predictor, run, title):
    assert labels.predictor_title(predictor, run) == title


@pytest.mark.parametrize(
    ("metric", "baseline", "title"),
    [
        ("mse", None, "MSE"),
        ("skill", "gene_mean", "skill compared with per-gene training mean"),
        ("aupr_across_genes_difference", "training_mean", "AUPR across genes minus that of training mean"),
    ],
)
def test_titles_of_metrics(metric, baseline, title):
    assert labels.metric_title(metric, baseline) == title


def test_kinds_of_predictors():
    names = ["wakawaka", "wakawaka.dna_only", "gene_mean"]
    assert [labels.is_network(name) for name in names] == [True, True, False]
    assert [labels.is_ablation(name) for name in names] == [False, True, False]


def test_every_bin_of_similarity_has_a_name():
    assert len(labels.SIMILARITY_NAMES) == len(labels.SIMILARITY_ENDS)


@pytest.mark.parametrize(
    ("sets", "shown"), [(["train", "test"], ("test", "final")), (["train"], ("validation", "mean"))]
)
def test_the_test_set_is_shown_if_it_has_scores(sets, shown):
    assert labels.shown_set(pd.DataFrame({"set": sets})) == shown
