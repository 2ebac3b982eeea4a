"""Scores of every predictor in every regime, by hand on a few samples."""

import json

import numpy as np
import pandas as pd
import pytest

from wakawaka.core.files import read_table, write_table
from wakawaka.evaluation import score as score_module
from wakawaka.evaluation.labels import in_words
from wakawaka.evaluation.score import score
from wakawaka.example.check_example import check_example

# Two training cells and one unseen, two training genes and one unseen.
FINAL = pd.DataFrame(
    [
        ("c1", "g1", "train", 1.0, 1.5),
        ("c1", "g2", "train", 3.0, 2.5),
        ("c1", "g3", "unseen_gene", 4.0, 3.0),
        ("c2", "g1", "train", 2.0, 1.5),
        ("c2", "g2", "train", 6.0, 5.5),
        ("c2", "g3", "unseen_gene", np.nan, 3.0),
        ("c3", "g1", "unseen_cell", 2.5, 2.0),
        ("c3", "g2", "unseen_cell", 4.5, 5.5),
        ("c3", "g3", "both_unseen", 5.0, 3.0),
    ],
    columns=["cell", "gene_id", "regime", "truth", "prediction"],
)
RUNS = ["final", "fold-1", "fold-2"]


def fold(held_out_cell):
    """A fold that holds out one of the training cells, and predicts one more than the final model."""
    regime = FINAL["regime"].where(FINAL["regime"] == "train", "test")
    regime = regime.mask((regime == "train") & (FINAL["cell"] == held_out_cell), "unseen_cell")
    return FINAL.assign(regime=regime, prediction=FINAL["prediction"] + 1)


def with_means(table):
    """The table of the two baselines that need no marks."""
    trained = table[table["regime"] == "train"]
    by_gene = table["gene_id"].map(trained.groupby("gene_id")["truth"].mean())
    mean = trained["truth"].mean()
    return table.drop(columns="prediction").assign(training_mean=mean, gene_mean=by_gene.fillna(mean))


@pytest.fixture
def scored(tmp_path):
    """A function that scores three tables, those of the final run and of two folds, and returns the rows."""

    def make(
        final=FINAL, first=None, second=None, *, binary=False, other=None, groups=(1, 2, 3), similarity=(), draws=40
    ):
        tables = [final, fold("c1") if first is None else first, fold("c2") if second is None else second]
        networks = {"wakawaka": tables} | ({"other": [other(table) for table in tables]} if other else {})
        predictions = []
        for network, of_runs in networks.items():
            for run, table in zip(RUNS, of_runs, strict=True):
                predictions.append(tmp_path / f"{network}-{run}.tsv.gz")
                write_table(table, predictions[-1])
        baselines = [tmp_path / f"{run}.tsv" for run in RUNS]
        for path, table in zip(baselines, tables, strict=True):
            write_table(with_means(table), path)
        held_out = final["regime"] != "train"
        members = np.stack([table.loc[held_out, "prediction"] for table in tables[1:]])
        ensemble = {"ensemble_mean": members.mean(axis=0), "ensemble_sd": members.std(axis=0, ddof=1)}
        write_table(final[held_out].assign(**ensemble), tmp_path / "test.tsv.gz")
        write_table(pd.DataFrame({"gene_id": ["g1", "g2", "g3"], "group": groups}), tmp_path / "genes.tsv")
        columns = ["run", "gene_id", "similar_to", "similarity"]
        write_table(pd.DataFrame(similarity, columns=columns), tmp_path / "similarity.tsv")
        score(
            predictions, baselines, [tmp_path / "test.tsv.gz"], tmp_path / "genes.tsv", tmp_path / "similarity.tsv",
            tmp_path / "scores.tsv", networks=list(networks), models=["wakawaka"], runs=RUNS, draws=draws, rank_draws=40,
            seed=1, binary=binary, threads=2,
        )  # fmt: skip
        return read_table(tmp_path / "scores.tsv")

    return make


def value(table, predictor, metric, regime, run="final", set_name="test", baseline=None, similarity="all"):
    """The one value of a score."""
    names = ["set", "regime", "similarity", "run", "predictor", "metric"]
    rows = table[(table[names] == [set_name, regime, similarity, run, predictor, metric]).all(axis=1)]
    rows = rows[rows["baseline"].isna() if baseline is None else rows["baseline"] == baseline]
    assert len(rows) == 1
    return rows["value"].item()


def test_each_regime_by_hand(scored):
    table = scored()
    assert value(table, "wakawaka", "mse", "unseen_cell") == pytest.approx((0.25 + 1) / 2)
    assert value(table, "training_mean", "mse", "unseen_cell") == pytest.approx((0.25 + 2.25) / 2)
    assert value(table, "gene_mean", "mse", "unseen_cell") == pytest.approx((1 + 0) / 2)
    assert value(table, "wakawaka", "skill", "unseen_cell", baseline="training_mean") == pytest.approx(0.5)
    assert value(table, "wakawaka", "skill", "unseen_cell", baseline="gene_mean") == pytest.approx(-0.25)
    # A sample without a truth is not scored.
    unseen = table[(table["set"] == "test") & (table["regime"] == "unseen_gene")]
    assert set(unseen["samples"]) == {1} and set(unseen["cells"]) == {1} and set(unseen["genes"]) == {1}
    assert value(table, "gene_mean", "mse", "unseen_gene") == pytest.approx(1.0)
    assert value(table, "gene_mean", "skill", "unseen_gene", baseline="training_mean") == 0
    assert value(table, "wakawaka", "mse", "train", set_name="train") == pytest.approx(0.25)
    # Errors 0.5, 1, 1 and 2 of four samples.
    assert value(table, "wakawaka", "mse", "pool") == pytest.approx((0.25 + 1 + 1 + 4) / 4)


def test_the_table_is_tidy(scored):
    table = scored()
    keys = ["set", "regime", "similarity", "run", "predictor", "metric", "baseline"]
    assert not table.duplicated(keys).any()
    assert table.columns.tolist() == [*keys, "value", "low", "high", "over", "cells", "genes", "samples"]
    assert set(table.loc[table["metric"] == "skill", "baseline"].dropna()) == {"wakawaka", "training_mean", "gene_mean"}
    # Three genes and three cells are too few to draw.
    assert set(table["over"]) == {"nothing"} and table[["low", "high"]].isna().all(axis=None)


def test_the_mean_of_the_fold_models_is_scored_on_the_test_set(scored):
    table = scored()
    assert value(table, "wakawaka", "mse", "both_unseen", run="ensemble") == pytest.approx((5 - 4) ** 2)
    # Against the final run's training mean, 3, and the final model, which predicts that too.
    for baseline in ("training_mean", "wakawaka"):
        found = value(table, "wakawaka", "skill", "both_unseen", run="ensemble", baseline=baseline)
        assert found == pytest.approx(1 - 1 / (5 - 3) ** 2)
    # Both folds predict the same: no spread, and no truth within it.
    assert value(table, "wakawaka", "coverage", "unseen_cell", run="ensemble") == 0
    of_ensemble = table[table["run"] == "ensemble"]
    assert set(of_ensemble["set"]) == {"test"}
    # It has no predictions of training samples, whose means would have to be taken off.
    assert not of_ensemble["metric"].str.contains("beyond").any()


def test_the_mean_over_folds_weighs_by_samples(scored):
    first = fold("c1")
    first.loc[first["gene_id"] == "g2", "truth"] = first.loc[first["gene_id"] == "g2", "truth"].where(
        first["cell"] != "c1"
    )
    table = scored(first=first)
    one, other = (value(table, "wakawaka", "mse", "unseen_cell", run, "validation") for run in RUNS[1:])
    # fold-1 holds out c1, of which g1 alone has a truth: error 1.5; fold-2 holds out c2: 0.5 and 0.5.
    assert (one, other) == pytest.approx((2.25, 0.25))
    mean = value(table, "wakawaka", "mse", "unseen_cell", "mean", "validation")
    assert mean == pytest.approx((2.25 + 0.5) / 3)
    assert value(table, "wakawaka", "rmse", "unseen_cell", "mean", "validation") == pytest.approx(np.sqrt(mean))
    constant = value(table, "training_mean", "mse", "unseen_cell", "mean", "validation")
    skill = value(table, "wakawaka", "skill", "unseen_cell", "mean", "validation", baseline="training_mean")
    assert skill == pytest.approx(1 - mean / constant)
    # Two samples have no correlation, so that the mean has none either.
    assert np.isnan(value(table, "wakawaka", "pearson", "unseen_cell", "mean", "validation"))


def grid(cells, genes, held_out_cells, held_out_genes, seed=0):
    """A table of random truths, with effects of genes and cells, and of predictions that know the truth but for some noise."""
    rng = np.random.default_rng(seed)
    truth = 2 * rng.normal(size=genes) + rng.normal(size=(cells, genes))
    out = np.arange(cells)[:, None] >= cells - held_out_cells, np.arange(genes)[None, :] >= genes - held_out_genes
    regimes = np.select(
        [out[0] & out[1], out[0] & ~out[1], ~out[0] & out[1]], ["both_unseen", "unseen_cell", "unseen_gene"], "train"
    )
    return pd.DataFrame(
        {
            "cell": np.repeat([f"c{number}" for number in range(cells)], genes),
            "gene_id": np.tile([f"g{number:03}" for number in range(genes)], cells),
            "regime": regimes.ravel(),
            "truth": truth.ravel(),
            "prediction": (truth + 0.5 * rng.normal(size=truth.shape)).ravel(),
        }
    )


def run_of(table, similarity=None):
    """The `Run` of a table, with the two means."""
    shape = table["cell"].nunique(), table["gene_id"].nunique()
    predicted = with_means(table).assign(wakawaka=table["prediction"])
    columns = {
        (name, "final"): predicted[name].to_numpy(float).reshape(shape)
        for name in ("training_mean", "gene_mean", "wakawaka")
    }
    regimes, truth = (table[name].to_numpy().reshape(shape) for name in ("regime", "truth"))
    like = np.full(shape[1], np.nan) if similarity is None else similarity
    return score_module.Run("final", regimes, truth.astype(float), columns, like)


def rows_of(run, draws=200):
    """The rows of a final run without folds or ensembles."""
    settings = score_module.Settings(draws, 40, 1, np.arange(run.truth.shape[1]), False, 2)
    return pd.DataFrame(
        [
            row
            for where, parts in score_module._blocks(run, [])
            if parts
            for row in score_module._block_rows(where, parts, {}, settings)
        ]
    )


def test_beyond_the_gene_means_a_predictor_of_genes_alone_has_nothing_to_say():
    """Subtracting the truth's means from predictions instead would give a constant a correlation above zero."""
    run = run_of(grid(12, 60, 5, 20))
    table = rows_of(run)
    for name in ("pearson_beyond_gene_mean", "spearman_beyond_gene_mean"):
        for predictor in ("training_mean", "gene_mean"):
            assert np.isnan(value(table, predictor, name, "unseen_cell"))
    found = table[(table["metric"] == "pearson_beyond_gene_mean") & (table["predictor"] == "wakawaka")]
    assert set(found["regime"]) == {"unseen_cell", "train"}
    seen = run.regimes == "unseen_cell"
    trained = np.where(run.regimes == "train", 1.0, np.nan)[:7, :40]
    truth, predicted = run.truth, run.predicted["wakawaka", "final"]
    rest = [values[7:, :40] - np.mean(values[:7, :40] * trained, axis=0) for values in (truth, predicted)]
    assert seen[7:, :40].all()
    expected = np.corrcoef(rest[0].ravel(), rest[1].ravel())[0, 1]
    assert value(table, "wakawaka", "pearson_beyond_gene_mean", "unseen_cell") == pytest.approx(expected)


def test_intervals_hold_the_score_and_pairs_are_drawn_together():
    run = run_of(grid(12, 60, 5, 20))
    better = run.predicted["wakawaka", "final"] * 0.98 + 0.02 * run.truth
    run.predicted["other", "final"] = better
    table = rows_of(run)
    with_ends = table[table["low"].notna()]
    assert ((with_ends["low"] <= with_ends["value"]) & (with_ends["value"] <= with_ends["high"])).mean() > 0.95
    assert set(table.loc[table["regime"] != "pool", "over"]) == {"genes and cells"}
    assert set(table.loc[table["regime"] == "pool", "over"]) == {"genes"}
    gain = table[
        (table["metric"] == "pearson_difference") & (table["predictor"] == "other") & (table["baseline"] == "wakawaka")
    ]
    assert (gain["low"] > 0).all() and (gain["low"] < gain["value"]).all()
    pair = table[
        (table[["predictor", "metric", "baseline", "regime"]] == ["other", "skill", "wakawaka", "unseen_cell"]).all(
            axis=1
        )
    ]
    # Each by itself is known to a tenth or so, the difference between them to a thousandth.
    assert pair["low"].item() > 0.03 and pair["high"].item() - pair["low"].item() < 0.002
    alone = table[(table["predictor"] == "other") & (table["metric"] == "mse") & (table["regime"] == "unseen_cell")]
    assert alone["high"].item() - alone["low"].item() > 0.02


def test_regimes_are_scored_by_the_similarity_of_genes():
    similarity = np.full(60, np.nan)
    similarity[40:] = [0.0] * 10 + [0.03] * 5 + [0.2] * 5
    run = run_of(grid(12, 60, 5, 20), similarity)
    table = rows_of(run)
    of_genes = table[table["regime"] == "unseen_gene"].groupby("similarity")["genes"].first().to_dict()
    assert of_genes == {"all": 20, "below 0.01": 10, "0.01 to 0.05": 5, "0.2 and above": 5}
    errors = (run.truth - run.predicted["wakawaka", "final"])[:7, 55:] ** 2
    assert value(table, "wakawaka", "mse", "unseen_gene", similarity="0.2 and above") == pytest.approx(errors.mean())
    # Of seen genes there is no similarity.
    assert set(table.loc[table["regime"] == "unseen_cell", "similarity"]) == {"all"}


def test_regimes_without_any_truth_are_left_out(scored):
    """As z-scores have it: none of genes that a run has not seen."""
    tables = [
        table.assign(truth=table["truth"].mask(table["gene_id"] == "g3")) for table in (FINAL, fold("c1"), fold("c2"))
    ]
    table = scored(*tables)
    # A pool of one regime is that regime.
    assert set(table["regime"]) == {"unseen_cell", "train"}
    assert set(table.loc[table["set"] == "test", "run"]) == {"final", "ensemble"}


@pytest.mark.parametrize("binary", [False, True])
def test_without_any_truth_of_what_is_held_out_the_training_samples_are_scored(scored, binary):
    tables = [
        table.assign(truth=table["truth"].where(table["regime"] == "train"))
        for table in (FINAL, fold("c1"), fold("c2"))
    ]
    table = scored(*(map(labelled, tables) if binary else tables), binary=binary)
    assert set(table["set"]) == {"train"} and set(table["run"]) == {"final", "fold-1", "fold-2", "mean"}


def labelled(table):
    """The same samples with labels and probabilities."""
    labels = (table["truth"] > 2.75).astype(float).where(table["truth"].notna())
    return table.assign(truth=labels, prediction=table["prediction"] / 10)


def test_labels_have_scores_of_their_own(scored):
    table = scored(labelled(FINAL), labelled(fold("c1")), labelled(fold("c2")), binary=True)
    metrics = set(table["metric"])
    assert {name for name in metrics if not name.endswith("_difference")} == {
        "bce", "auroc", "aupr", "auroc_across_genes", "aupr_across_genes", "auroc_across_cells", "sd_ratio",
        "skill", "calibration_error",
    }  # fmt: skip
    # Truths 0 and 1, predicted 0.2 and 0.55.
    expected = -(np.log(0.8) + np.log(0.55)) / 2
    assert value(table, "wakawaka", "bce", "unseen_cell") == pytest.approx(expected, rel=1e-6)
    assert value(table, "wakawaka", "auroc", "unseen_cell") == 1
    assert value(table, "training_mean", "bce", "unseen_cell") == pytest.approx(np.log(2), rel=1e-6)
    assert value(table, "training_mean", "auroc", "unseen_cell") == 0.5
    skill = value(table, "wakawaka", "skill", "unseen_cell", baseline="training_mean")
    assert skill == pytest.approx(1 - expected / np.log(2), rel=1e-6)
    # One sample: no AUROC.
    assert np.isnan(value(table, "wakawaka", "auroc", "both_unseen"))


def test_networks_stand_beside_each_other(scored):
    table = scored(other=lambda final: final.assign(prediction=final["truth"].fillna(0)))
    assert value(table, "other", "mse", "unseen_cell") == 0
    assert value(table, "other", "skill", "unseen_cell", baseline="wakawaka") == 1
    # Nothing is to be gained beside who makes no error: not infinitely much lost either.
    assert np.isnan(value(table, "wakawaka", "skill", "unseen_cell", baseline="other"))


def test_predictors_in_words():
    assert in_words("ridge_bins") == "ridge on all bins" and in_words("my-model") == "my-model"
    assert in_words("wakawaka.shuffled_dna") == "wakawaka, DNA of other genes"


@pytest.mark.parametrize(("prediction", "verdict"), [(4.0, "yes"), (9.0, "no")])
def test_the_example_is_checked_against_its_truth(scored, tmp_path, prediction, verdict):
    scored(FINAL.assign(prediction=FINAL["prediction"].where(FINAL["regime"] == "train", prediction)))
    expected = dict.fromkeys(("oracle", "gene_mean", "training_mean"), 1.0)
    regimes = ("unseen_cell", "unseen_gene", "both_unseen")
    (tmp_path / "truth.json").write_text(json.dumps({"expected_mse": dict.fromkeys(regimes, expected)}))
    check_example(tmp_path / "scores.tsv", tmp_path / "truth.json", tmp_path / "example.tsv", models=["wakawaka"])
    found = read_table(tmp_path / "example.tsv")
    assert len(found) == 3
    assert found["model_beats_training_mean"].iloc[-1] == verdict
