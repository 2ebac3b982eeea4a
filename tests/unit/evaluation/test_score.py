"""Scores of every predictor in every regime, computed by hand on a few samples."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from wakawaka.core.files import read_table, write_table
from wakawaka.evaluation.score import ScoreSettings, score

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
SETTINGS = ScoreSettings(replicates=40, rank_replicates=40, seed=1, binary=False, threads=2)


def fold(held_out_cell):
    """Return a fold that holds out one training cell, and predicts one more than the final model."""
    regime = FINAL["regime"].where(FINAL["regime"] == "train", "test")
    regime = regime.mask((regime == "train") & (FINAL["cell"] == held_out_cell), "unseen_cell")
    return FINAL.assign(regime=regime, prediction=FINAL["prediction"] + 1)


def with_means(table):
    """Return a table of the two baselines that need no marks."""
    trained = table[table["regime"] == "train"]
    by_gene = table["gene_id"].map(trained.groupby("gene_id")["truth"].mean())
    mean = trained["truth"].mean()
    return table.drop(columns="prediction").assign(training_mean=mean, gene_mean=by_gene.fillna(mean))


def score_tables(folder, networks, fold_means, groups, similarity=(), settings=SETTINGS):
    """Score the tables of each network and of the two means; return the scores.

    Args:
        networks: dict from names to lists of tables, one for each run, the final run first.
        fold_means: (model, path) of the means of the fold models.
        groups: [gene] int.
        similarity: rows of run, gene_id, similar_to and similarity.
    """
    predictions, baselines = [], []
    for network, tables in networks.items():
        for run, table in zip(RUNS, tables, strict=False):
            predictions.append((network, run, folder / f"{network}-{run}.tsv.gz"))
            write_table(table, predictions[-1][2])
    for run, table in zip(RUNS, next(iter(networks.values())), strict=False):
        baselines.append((run, folder / f"{run}.tsv"))
        write_table(with_means(table), baselines[-1][1])
    genes = pd.unique(next(iter(networks.values()))[0]["gene_id"])
    write_table(pd.DataFrame({"gene_id": genes, "group": groups}), folder / "genes.tsv")
    columns = ["run", "gene_id", "similar_to", "similarity"]
    write_table(pd.DataFrame(similarity, columns=columns), folder / "similarity.tsv")
    others = folder / "genes.tsv", folder / "similarity.tsv", folder / "scores.tsv", settings
    # Files are known by their network and run, not by their order.
    score(predictions[::-1], baselines[::-1], fold_means, *others)
    return read_table(folder / "scores.tsv")


@pytest.fixture
def scored(tmp_path):
    """Return a function that scores the tables of the final run and of two folds, and returns the rows."""

    def make(
        final=FINAL,
        first=None,
        second=None,
        *,
        binary=False,
        other=None,
        groups=(1, 2, 3),
        similarity=(),
    ):
        tables = [final, fold("c1") if first is None else first, fold("c2") if second is None else second]
        networks = {"wakawaka": tables} | ({"other": [other(table) for table in tables]} if other else {})
        held_out = final["regime"] != "train"
        members = np.stack([table.loc[held_out, "prediction"] for table in tables[1:]])
        fold_mean = {"fold_mean": members.mean(axis=0), "fold_sd": members.std(axis=0, ddof=1)}
        write_table(final[held_out].assign(**fold_mean), tmp_path / "test.tsv.gz")
        return score_tables(
            tmp_path,
            networks,
            [("wakawaka", tmp_path / "test.tsv.gz")],
            groups,
            similarity,
            replace(SETTINGS, binary=binary),
        )

    return make


def value(table, predictor, metric, regime, run="final", set_name="test", baseline=None, similarity="all"):
    """Return the one value of a score."""
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
    # The errors of four samples are 0.5, 1, 1 and 2.
    assert value(table, "wakawaka", "mse", "pool") == pytest.approx((0.25 + 1 + 1 + 4) / 4)


def test_the_table_is_tidy(scored):
    table = scored()
    keys = ["set", "regime", "similarity", "run", "predictor", "metric", "baseline"]
    assert not table.duplicated(keys).any()
    assert table.columns.tolist() == [*keys, "value", "ci_low", "ci_high", "resampled", "cells", "genes", "samples"]
    assert set(table.loc[table["metric"] == "skill", "baseline"].dropna()) == {"wakawaka", "training_mean", "gene_mean"}
    # Three genes and three cells are too few to resample.
    assert set(table["resampled"]) == {"nothing"} and table[["ci_low", "ci_high"]].isna().all(axis=None)


def test_the_mean_of_the_fold_models_is_scored_on_the_test_set(scored):
    table = scored()
    assert value(table, "wakawaka", "mse", "both_unseen", run="fold_mean") == pytest.approx((5 - 4) ** 2)
    # Compared with the training mean of the final run, 3, and the final model, which predicts 3 too.
    for baseline in ("training_mean", "wakawaka"):
        found = value(table, "wakawaka", "skill", "both_unseen", run="fold_mean", baseline=baseline)
        assert found == pytest.approx(1 - 1 / (5 - 3) ** 2)
    # Both folds predict equal values: their spread is 0 and covers no truth.
    assert value(table, "wakawaka", "coverage", "unseen_cell", run="fold_mean") == 0
    of_fold_mean = table[table["run"] == "fold_mean"]
    assert set(of_fold_mean["set"]) == {"test"}
    # Without predictions of training samples there are no gene means to subtract.
    assert not of_fold_mean["metric"].str.contains("beyond").any()


def test_the_mean_over_folds_weighs_by_samples(scored):
    first = fold("c1")
    first.loc[first["gene_id"] == "g2", "truth"] = first.loc[first["gene_id"] == "g2", "truth"].where(
        first["cell"] != "c1"
    )
    table = scored(first=first)
    one, other = (value(table, "wakawaka", "mse", "unseen_cell", run, "validation") for run in RUNS[1:])
    # fold-1 holds out c1, where only g1 has a truth: error 1.5. fold-2 holds out c2: errors 0.5 and 0.5.
    assert (one, other) == pytest.approx((2.25, 0.25))
    mean = value(table, "wakawaka", "mse", "unseen_cell", "mean", "validation")
    assert mean == pytest.approx((2.25 + 0.5) / 3)
    assert value(table, "wakawaka", "rmse", "unseen_cell", "mean", "validation") == pytest.approx(np.sqrt(mean))
    constant = value(table, "training_mean", "mse", "unseen_cell", "mean", "validation")
    skill = value(table, "wakawaka", "skill", "unseen_cell", "mean", "validation", baseline="training_mean")
    assert skill == pytest.approx(1 - mean / constant)
    # Two samples have no correlation, so the mean is undefined too.
    assert np.isnan(value(table, "wakawaka", "pearson", "unseen_cell", "mean", "validation"))


def grid(cells, genes, held_out_cells, held_out_genes, seed=0):
    """Return a table of random truths with effects of genes, and of predictions that are the truths with noise."""
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


def score_final(folder, tables, similarity=None, replicates=200):
    """Score the final run of networks, a dict from names to tables; `similarity` [gene] is of the genes in their order."""
    genes = pd.unique(next(iter(tables.values()))["gene_id"])
    rows = (
        [] if similarity is None else [("final", gene, "-", one) for gene, one in zip(genes, similarity, strict=True)]
    )
    networks = {name: [table] for name, table in tables.items()}
    return score_tables(folder, networks, [], np.arange(len(genes)), rows, replace(SETTINGS, replicates=replicates))


def arrays(table):
    """Return regime, truth and prediction [cell, gene] of a table."""
    shape = table["cell"].nunique(), table["gene_id"].nunique()
    return tuple(table[name].to_numpy().reshape(shape) for name in ("regime", "truth", "prediction"))


def test_a_predictor_of_the_gene_alone_has_no_correlation_beyond_gene_means(tmp_path):
    """Subtracting the truths' means from predictions would give a constant a correlation above zero."""
    samples = grid(12, 60, 5, 20)
    table = score_final(tmp_path, {"wakawaka": samples})
    for name in ("pearson_beyond_gene_mean", "spearman_beyond_gene_mean"):
        for predictor in ("training_mean", "gene_mean"):
            assert np.isnan(value(table, predictor, name, "unseen_cell"))
    found = table[(table["metric"] == "pearson_beyond_gene_mean") & (table["predictor"] == "wakawaka")]
    assert set(found["regime"]) == {"unseen_cell", "train"}
    regimes, truth, predicted = arrays(samples)
    assert (regimes[7:, :40] == "unseen_cell").all() and (regimes[:7, :40] == "train").all()
    rest = [values[7:, :40] - values[:7, :40].mean(axis=0) for values in (truth, predicted)]
    expected = np.corrcoef(rest[0].ravel(), rest[1].ravel())[0, 1]
    assert value(table, "wakawaka", "pearson_beyond_gene_mean", "unseen_cell") == pytest.approx(expected, rel=1e-6)


def test_intervals_contain_the_score_and_pairs_share_replicates(tmp_path):
    samples = grid(12, 60, 5, 20)
    better = samples.assign(prediction=0.98 * samples["prediction"] + 0.02 * samples["truth"])
    table = score_final(tmp_path, {"wakawaka": samples, "other": better})
    with_ends = table[table["ci_low"].notna()]
    assert ((with_ends["ci_low"] <= with_ends["value"]) & (with_ends["value"] <= with_ends["ci_high"])).mean() > 0.95
    assert set(table.loc[table["regime"] != "pool", "resampled"]) == {"genes and cells"}
    assert set(table.loc[table["regime"] == "pool", "resampled"]) == {"genes"}
    gain = table[
        (table["metric"] == "pearson_difference") & (table["predictor"] == "other") & (table["baseline"] == "wakawaka")
    ]
    assert (gain["ci_low"] > 0).all() and (gain["ci_low"] < gain["value"]).all()
    pair = table[
        (table[["predictor", "metric", "baseline", "regime"]] == ["other", "skill", "wakawaka", "unseen_cell"]).all(
            axis=1
        )
    ]
    # The interval of each score is wide, that of their comparison narrow.
    assert pair["ci_low"].item() > 0.03 and pair["ci_high"].item() - pair["ci_low"].item() < 0.002
    alone = table[(table["predictor"] == "other") & (table["metric"] == "mse") & (table["regime"] == "unseen_cell")]
    assert alone["ci_high"].item() - alone["ci_low"].item() > 0.02


def test_regimes_are_scored_by_the_similarity_of_genes(tmp_path):
    similarity = np.full(60, np.nan)
    similarity[40:] = [0.0] * 10 + [0.03] * 5 + [0.2] * 5
    samples = grid(12, 60, 5, 20)
    table = score_final(tmp_path, {"wakawaka": samples}, similarity)
    of_genes = table[table["regime"] == "unseen_gene"].groupby("similarity")["genes"].first().to_dict()
    assert of_genes == {"all": 20, "below 0.01": 10, "0.01 to 0.05": 5, "0.2 and above": 5}
    _, truth, predicted = arrays(samples)
    found = value(table, "wakawaka", "mse", "unseen_gene", similarity="0.2 and above")
    assert found == pytest.approx(((truth - predicted)[:7, 55:] ** 2).mean(), rel=1e-6)
    # Seen genes have no similarity.
    assert set(table.loc[table["regime"] == "unseen_cell", "similarity"]) == {"all"}


def test_regimes_without_any_truth_are_left_out(scored):
    """Z-scores, for example, have no truths for genes without training samples."""
    tables = [
        table.assign(truth=table["truth"].mask(table["gene_id"] == "g3")) for table in (FINAL, fold("c1"), fold("c2"))
    ]
    table = scored(*tables)
    # The pool of one regime would repeat that regime.
    assert set(table["regime"]) == {"unseen_cell", "train"}
    assert set(table.loc[table["set"] == "test", "run"]) == {"final", "fold_mean"}


@pytest.mark.parametrize("binary", [False, True])
def test_without_known_held_out_truths_only_training_samples_are_scored(scored, binary):
    tables = [
        table.assign(truth=table["truth"].where(table["regime"] == "train"))
        for table in (FINAL, fold("c1"), fold("c2"))
    ]
    table = scored(*(map(labelled, tables) if binary else tables), binary=binary)
    assert set(table["set"]) == {"train"} and set(table["run"]) == {"final", "fold-1", "fold-2", "mean"}


def labelled(table):
    """Return the samples with labels and probabilities."""
    labels = (table["truth"] > 2.75).astype(float).where(table["truth"].notna())
    return table.assign(truth=labels, prediction=table["prediction"] / 10)


def test_labels_have_scores_of_their_own(scored):
    table = scored(labelled(FINAL), labelled(fold("c1")), labelled(fold("c2")), binary=True)
    metrics = set(table["metric"])
    assert {name for name in metrics if not name.endswith("_difference")} == {
        "bce", "auroc", "aupr", "auroc_across_genes", "aupr_across_genes", "auroc_across_cells", "sd_ratio",
        "skill", "calibration_error",
    }  # fmt: skip
    # The truths 0 and 1 have the predictions 0.2 and 0.55.
    expected = -(np.log(0.8) + np.log(0.55)) / 2
    assert value(table, "wakawaka", "bce", "unseen_cell") == pytest.approx(expected, rel=1e-6)
    assert value(table, "wakawaka", "auroc", "unseen_cell") == 1
    assert value(table, "training_mean", "bce", "unseen_cell") == pytest.approx(np.log(2), rel=1e-6)
    assert value(table, "training_mean", "auroc", "unseen_cell") == 0.5
    skill = value(table, "wakawaka", "skill", "unseen_cell", baseline="training_mean")
    assert skill == pytest.approx(1 - expected / np.log(2), rel=1e-6)
    # One sample has no AUROC.
    assert np.isnan(value(table, "wakawaka", "auroc", "both_unseen"))


def test_networks_are_compared_with_each_other(scored):
    table = scored(other=lambda final: final.assign(prediction=final["truth"].fillna(0)))
    assert value(table, "other", "mse", "unseen_cell") == 0
    assert value(table, "other", "skill", "unseen_cell", baseline="wakawaka") == 1
    # Compared with a predictor without error, the skill is undefined and not minus infinity.
    assert np.isnan(value(table, "wakawaka", "skill", "unseen_cell", baseline="other"))
