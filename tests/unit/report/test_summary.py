"""The summary of scores that are written by hand."""

import pytest

from helpers.judged import judged, network_rows, rendered, row, sentences

FACTS = {"expected_loss": {"motif": 1.0, "interaction": 0.25}}


def test_seen_genes_are_compared_with_their_mean(tmp_path):
    _, page = judged(tmp_path, network_rows())
    assert sentences(page)[0] == (
        "1. *Seen genes, unseen cells:* The per-gene training mean, which uses no input, has skill 0.50 (0.45 to 0.55) compared with "
        "the training mean. The model wakawaka has skill 0.40 (0.35 to 0.45) compared with the per-gene training mean: it is better."
    )


@pytest.mark.parametrize(
    ("memory", "words"), [(0.4, "it is better"), (-0.4, "it is worse"), (0.0, "it is not certainly better or worse")]
)
def test_few_cells_limit_what_is_said(tmp_path, memory, words):
    _, page = judged(tmp_path, network_rows(memory=memory, resampled="genes", cells=2))
    limits = "" if memory == 0 else " for these 2 cells; the interval does not cover the choice of cells"
    assert sentences(page)[0].endswith(f": {words}{limits}.")
    assert "cover the choice of genes only, not the choice of cells: 2 cells are too few to resample." in page


@pytest.mark.parametrize(("seen", "unseen", "trained", "lesson"), [
    (0.0, 0.5, 0.5, "For seen genes, the DNA of another gene is nearly as good as the own DNA"),
    (0.1, 0.5, 0.6, "For seen genes, the DNA of another gene is nearly as good as the own DNA"),
    (0.1, 0.5, 0.7, "the network with the DNA of other genes does not fit its training samples as well"),
    (0.4, 0.5, 0.5, "The sequence itself helps, for seen genes too."),
    (0.4, 0.0, 0.5, "It is not certain that the sequence helps for unseen genes"),
    (0.0, 0.0, 0.5, "It is not certain that the sequence helps for unseen genes"),
])  # fmt: skip
def test_lessons_of_permuted_genes(tmp_path, seen, unseen, trained, lesson):
    rows = network_rows(permuted=unseen, permuted_seen=seen, trained=trained)
    table, page = judged(tmp_path, rows, facts=FACTS)
    assert lesson in sentences(page)[2]
    assert "(MSE lower by 0.50; the planted motif accounts for 1.00)" in sentences(page)[2]
    found = table[(table["check"] == "memorising, DNA") & (table["regime"] == "unseen_gene")]
    assert (found["verdict"].item() == "holds") == (unseen > 0)


def test_without_an_interval_the_effect_of_the_sequence_is_uncertain(tmp_path):
    _, page = judged(tmp_path, network_rows(permuted=0.6, half=None, resampled="nothing", cells=2))
    assert "It is not certain that the sequence helps for unseen genes" in sentences(page)[2]


def test_without_the_ablation_or_without_dna_the_third_sentence_says_so(tmp_path):
    rows = [one for one in network_rows() if "permuted" not in f"{one['predictor']}{one['baseline']}"]
    _, page = judged(tmp_path, rows)
    assert "No network was trained with the DNA of other genes (``ablations``)" in sentences(page)[2]
    _, page = judged(tmp_path, rows, modules=("histone",))
    assert "There is no DNA input" in sentences(page)[2]


def test_without_seen_genes_only_unseen_ones_are_described(tmp_path):
    rows = [one for one in network_rows(permuted=0.5) if one["regime"] != "unseen_cell"]
    _, page = judged(tmp_path, rows)
    assert "*Seen genes:* No sample of a seen gene in an unseen cell" in sentences(page)[0]
    assert sentences(page)[2].endswith("The sequence itself helps.")


def test_without_unseen_genes_memory_is_not_detected(tmp_path):
    rows = [one for one in network_rows() if one["regime"] in ("unseen_cell", "train")]
    _, page = judged(tmp_path, rows)
    assert "a model that only memorises genes would not be detected" in sentences(page)[1]
    assert "Only unseen genes would show" in sentences(page)[2]


def test_regimes_without_a_test_set_are_those_of_the_folds(tmp_path):
    test = [one for one in network_rows() if one["regime"] in ("unseen_cell", "train")]
    folds = [
        one | {"set": "validation", "run": "mean"} for one in network_rows(unseen=0.3) if one["regime"] == "unseen_gene"
    ]
    _, page = judged(tmp_path, [*test, *folds])
    rendered(page)
    assert "skill 0.30 (0.25 to 0.35) for unseen genes, seen cells (held out by the folds)" in sentences(page)[1]
    assert "The same on the samples that the folds hold out (mean over folds):" in page


@pytest.mark.parametrize("regime", ["both_unseen", "leaking"])
def test_a_single_regime_is_enough(tmp_path, regime):
    rows = [one | {"regime": regime} for one in network_rows(permuted=0.5) if one["regime"] == "both_unseen"]
    rows += [one for one in network_rows() if one["regime"] == "train"]
    _, page = judged(tmp_path, rows)
    rendered(page)
    words = "Compared with the same network trained on the DNA of other genes, wakawaka has skill 0.50"
    assert words in sentences(page)[2]


@pytest.mark.parametrize(
    ("skill", "words"),
    [(0.3, "learns more than a weighted sum"), (-0.3, "does not certainly learn more than a weighted sum")],
)
def test_a_network_of_marks_is_compared_with_the_ridge(tmp_path, skill, words):
    rows = [
        *network_rows(),
        row("wakawaka.histone_only", "mse", 1.2, "unseen_gene"),
        row("wakawaka.histone_only", "skill", skill, "unseen_gene", "ridge_bins"),
    ]
    _, page = judged(tmp_path, rows, facts=FACTS)
    assert words in sentences(page)[3]
    assert "(MSE lower by 0.80; the planted interaction accounts for 0.25)" in sentences(page)[3]
    _, page = judged(tmp_path, network_rows(ridge=skill), modules=("histone",))
    assert words in sentences(page)[3] and "(MSE lower by 1.00)" in sentences(page)[3]


def test_the_best_simple_model_is_named(tmp_path):
    _, page = judged(tmp_path, network_rows())
    assert "the best simple model is the boosted trees on summaries of marks with MSE 1.50" in sentences(page)[3]
    rows = [one for one in network_rows() if "_bins" not in f"{one['predictor']}{one['baseline']}"]
    rows = [one for one in rows if "_summaries" not in f"{one['predictor']}{one['baseline']}"]
    _, page = judged(tmp_path, rows)
    assert "Without histone marks, the only simple models are the means." in sentences(page)[3]


def test_collapse_and_calibration(tmp_path):
    rows = [one | ({"value": 0.02} if one["metric"] == "sd_ratio" else {}) for one in network_rows()]
    rows.append(row("wakawaka", "coverage", 0.8, "both_unseen", run="fold_mean"))
    rows.append(row("wakawaka", "calibration_error", 0.04, "both_unseen", run="fold_mean"))
    _, page = judged(tmp_path, rows)
    assert sentences(page)[4] == (
        "5. *Trust:* The MSE is 0.50 on the training samples and 1.00 for both unseen. The standard deviation of predictions is 2% of "
        "that of the truths: they are almost constant. The fold models' mean ± 1.96 standard deviations contains 80% of the truths, "
        "instead of 95%. Probabilities differ from the observed shares of 1s by 0.04 on average."
    )
    assert "Near 0, the model predicts almost a constant." in page


def test_five_sentences_a_model_and_one_table(tmp_path):
    rows = network_rows() + [one for one in network_rows("other_") if one["predictor"].startswith("other_")]
    _, page = judged(tmp_path, rows, models=("wakawaka", "other_"))
    assert len(sentences(page)) == 10 and sentences(page)[5].startswith("1. *Seen genes, unseen cells:*")
    assert "The MSE on the test set with its 95% interval. After the slash: skill compared with training mean." in page
    table = [line.strip() for line in page.splitlines() if "|" in line]
    for line in (
        "wakawaka|" + "1.00 (0.95 to 1.05) / 0.60|" * 3 + "0.50 (0.45 to 0.55) / –",
        "training mean|" + "4.00 (3.95 to 4.05) / 0|" * 3 + "0.50 (0.45 to 0.55) / 0",
    ):
        assert line in table
    assert any(line.startswith("other\\_, DNA of other genes|") for line in table)


def test_the_page_is_valid_and_leaks_are_red(tmp_path):
    rows = [one | ({"value": 0.01} if one["metric"] == "sd_ratio" else {}) for one in network_rows("my_model_")]
    _, page = judged(tmp_path, rows, models=("my_model_",), leaks=["2 genes are trained on too (A_, B`)"])
    html = rendered(page)
    leak = "Leakage, allowed by allow_leakage: final, seen genes, unseen cells: 2 genes are trained on too (A_, B`)"
    assert f'<span class="red">{leak}</span>' in html
    assert "my_model_ falls short in <em>collapse</em>." in html
    assert 'class="red"' not in rendered(judged(tmp_path, network_rows())[1])


def test_without_known_truths_of_held_out_samples(tmp_path):
    rows = [row(name, "mse", 1.0, "train", set="train") for name in ("training_mean", "wakawaka")]
    rows += [one | {"run": "mean"} for one in rows]
    table, page = judged(tmp_path, rows, modules=("dna",))
    rendered(page)
    assert len(sentences(page)) == 5 and "no held-out sample has a known truth" in page
    assert set(table["check"]) <= {"overfitting"}


def test_without_a_test_set_the_folds_are_shown(tmp_path):
    rows = [
        one | {"set": "validation" if one["set"] == "test" else one["set"], "run": "mean"} for one in network_rows()
    ]
    table, page = judged(tmp_path, rows)
    rendered(page)
    assert set(table.loc[table["check"] == "collapse", "set"]) == {"validation"}
    assert "The MSE on the samples that the folds hold out (mean over folds) with its 95% interval." in page


def test_the_mean_of_the_fold_models_has_a_row(tmp_path):
    _, page = judged(tmp_path, [*network_rows(), row("wakawaka", "mse", 0.25, "unseen_gene", run="fold_mean")])
    assert "wakawaka, mean of the folds|–|0.25 (0.20 to 0.30) / –|–|–" in page


def test_the_pool_is_over_genes_only(tmp_path):
    rows = [one | {"regime": "pool", "resampled": "genes"} for one in network_rows() if one["regime"] == "both_unseen"]
    _, page = judged(tmp_path, [*network_rows(), *rows])
    assert "Intervals for all held-out samples cover the choice of genes only, so that" in page


def test_verdicts_are_counted_and_those_that_fall_short_listed(tmp_path):
    rows = [
        row("wakawaka", "r2", -0.3, regime, cells=2, resampled="genes") for regime in ("unseen_cell", "unseen_gene")
    ]
    table, page = judged(tmp_path, [*network_rows(), *rows])
    counts = table["verdict"].value_counts()
    assert (
        f"Results of {len(table)} checks: holds {counts['holds']}, undecided {counts['undecided']}, falls short 2."
        in page
    )
    # What the regimes have in common is written once.
    assert (
        "- wakawaka falls short in *R2*. Seen genes, unseen cells: R² is -0.30 (-0.35 to -0.25), not above 0. It is the share of the "
        "variance within the regime that is explained. With 2 cells, the interval covers the choice of genes only, not the choice of "
        "cells. Unseen genes, seen cells: R² is -0.30 (-0.35 to -0.25), not above 0. What to do: train for more epochs"
    ) in page


def test_similar_genes_have_rows_of_their_own(tmp_path):
    similar = [
        row("wakawaka", "mse", 0.5, "unseen_gene", similarity="0.2 and above", genes=7),
        row("wakawaka", "skill", 0.9, "unseen_gene", "training_mean", similarity="0.2 and above", genes=7),
    ]
    similar += [one | {"similarity": "below 0.01"} for one in similar]
    _, page = judged(tmp_path, [*network_rows(), *similar])
    rendered(page)
    assert "wakawaka|unseen genes, seen cells|0.2 and above|7|0.50 (0.45 to 0.55)|0.90 (0.85 to 0.95)" in page
    assert "similarity" not in judged(tmp_path, network_rows())[1]
