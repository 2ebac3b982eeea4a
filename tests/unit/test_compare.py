"""Scores with intervals beside the baselines: which samples are scored, and what is compared."""

import numpy as np
import pandas as pd
import pytest

from wakawaka import metrics
from wakawaka.compare import compare
from wakawaka.files import read_table, write_table
from wakawaka.regimes import BOTH_UNSEEN, TEST, TRAIN, UNSEEN_CELL, UNSEEN_GENE

CELLS, GENES = 12, 60


def regimes(cell_out, gene_out):
    cell_out, gene_out = cell_out[:, None], gene_out[None]
    return np.select([cell_out & gene_out, cell_out, gene_out], [BOTH_UNSEEN, UNSEEN_CELL, UNSEEN_GENE], TRAIN)


def run(regime, truth, model, seed):
    """Tables as `predict` and `baselines` write them; the ridge is as good as the model."""
    names = {
        "cell": np.repeat([f"c{n}" for n in range(CELLS)], GENES),
        "gene_id": np.tile([f"g{n}" for n in range(GENES)], CELLS),
    }
    known = {**names, "regime": regime.ravel(), "truth": truth.ravel()}
    rng, gene_mean = np.random.default_rng(seed), np.tile(np.nanmean(truth, axis=0), CELLS)
    others = {"training_mean": np.full(truth.size, np.nanmean(truth)), "gene_mean": gene_mean}
    others |= {"ridge_bins": (model + 1e-3 * rng.normal(size=truth.shape)).ravel()}
    return pd.DataFrame({**known, "prediction": model.ravel()}), pd.DataFrame({**known, **others})


@pytest.fixture
def written(tmp_path):
    """The paths of a final run and two folds, the truth and the model's predictions by run, and the regimes."""
    rng = np.random.default_rng(0)
    truth = 3 * rng.normal(size=(1, GENES)) + rng.normal(size=(CELLS, 1)) + rng.normal(size=(CELLS, GENES))
    truth[0, 0] = np.nan
    cell, gene = np.arange(CELLS), np.arange(GENES)
    final = regimes(cell >= 6, gene >= 40)
    folds = [np.where(final == TRAIN, regimes(cell % 2 == fold, gene % 2 == fold), TEST) for fold in range(2)]
    models = [truth + 0.5 * rng.normal(size=truth.shape) for _ in range(3)]
    for name, regime, model in zip(("final", "fold-1", "fold-2"), [final, *folds], models, strict=True):
        model[np.isnan(model)] = 0
        predictions, others = run(regime, truth, model, 1)
        write_table(predictions, tmp_path / f"{name}.tsv")
        write_table(others, tmp_path / f"{name}.baselines.tsv")
    test = read_table(tmp_path / "final.tsv")
    test = test[test["regime"] != TRAIN].assign(ensemble_mean=lambda table: table["prediction"] + 1)
    write_table(test.iloc[::-1], tmp_path / "test.tsv")
    return tmp_path, truth, models, [final, *folds]


def compared(folder, binary=False, draws=200):
    names = ("final", "fold-1", "fold-2")
    final, *folds = (folder / f"{name}.tsv" for name in names)
    others = [folder / f"{name}.baselines.tsv" for name in names]
    outputs = [folder / f"{name}.out" for name in ("intervals", "comparisons", "skills")]
    settings = {"draws": draws, "rank_draws": 20, "seed": 1, "binary": binary}
    compare(final, folds, folder / "test.tsv", others, *outputs, **settings)
    intervals, comparisons, skills = map(read_table, outputs)
    keys = ["set", "regime", "predictor"]
    return (
        intervals.set_index([*keys, "metric"]).sort_index(),
        comparisons.set_index([*keys, "baseline"]).sort_index(),
        skills,
    )


def test_each_regime_is_scored_by_the_run_that_holds_it_out(written):
    folder, truth, models, found = written
    intervals, *_ = compared(folder)
    for regime in (UNSEEN_CELL, UNSEEN_GENE, BOTH_UNSEEN):
        block = found[0] == regime
        row = intervals.loc["test", regime, "model", "mse"]
        assert row["value"] == pytest.approx(metrics.mse(truth[block], models[0][block]), rel=1e-5)
        assert row["low"] < row["value"] < row["high"] and row["samples"] == block.sum()
        assert intervals.loc["test", regime, "ensemble", "mse"]["value"] == pytest.approx(
            metrics.mse(truth[block], models[0][block] + 1), rel=1e-5
        )
        errors = [
            (truth - model)[(fold == regime) & np.isfinite(truth)]
            for model, fold in zip(models[1:], found[1:], strict=True)
        ]
        row = intervals.loc["out_of_fold", regime, "model", "mse"]
        assert row["value"] == pytest.approx(np.mean(np.concatenate(errors) ** 2), rel=1e-5)
        assert row["samples"] == sum(map(len, errors))
    assert ("out_of_fold", UNSEEN_CELL, "ensemble", "mse") not in intervals.index


def test_what_a_gene_mean_knows_is_no_correlation_beyond_it(written):
    folder, truth, models, found = written
    intervals, *_ = compared(folder)
    block, beyond = found[0] == UNSEEN_CELL, "pearson_beyond_gene_mean"
    mean = np.broadcast_to(np.nanmean(truth, axis=0), truth.shape)[block]
    expected = metrics.pearson(truth[block] - mean, models[0][block] - mean)
    assert intervals.loc["test", UNSEEN_CELL, "model", beyond]["value"] == pytest.approx(expected, rel=1e-4)
    assert np.isnan(intervals.loc["test", UNSEEN_CELL, "gene_mean", beyond]["value"])
    assert ("test", UNSEEN_GENE, "model", beyond) not in intervals.index


def test_verdicts_are_of_paired_draws(written):
    folder, truth, models, found = written
    _, comparisons, skills = compared(folder)
    block = found[0] == UNSEEN_CELL
    row = comparisons.loc["test", UNSEEN_CELL, "model", "gene_mean"]
    mean = np.broadcast_to(np.nanmean(truth, axis=0), truth.shape)[block]
    assert row["skill"] == pytest.approx(
        1 - metrics.mse(truth[block], models[0][block]) / metrics.mse(truth[block], mean), rel=1e-4
    )
    assert row["verdict"] == "better" and 0 < row["low"] < row["skill"] < row["high"]
    # Nearly the same predictions: their difference is far better known than either's loss.
    row = comparisons.loc["test", UNSEEN_CELL, "model", "ridge_bins"]
    assert row["high"] - row["low"] < 0.01 and abs(row["skill"]) < 0.01
    assert comparisons.loc["test", UNSEEN_CELL, "ensemble", "ridge_bins"]["verdict"] == "worse"
    assert skills.columns[:3].tolist() == ["set", "regime", "predictor"]
    assert skills.iloc[0]["per-gene training mean"].startswith(
        f"{comparisons.loc['test', UNSEEN_CELL, 'model', 'gene_mean']['skill']:.2f} ("
    )


def test_labels_have_log_losses_and_auroc(written):
    folder, truth, models, found = written
    for path in folder.glob("f*.tsv"):
        table = read_table(path)
        table["truth"] = (table["truth"] > 0).astype(float).where(table["truth"].notna())
        for name in set(table) & {"prediction", "training_mean", "gene_mean", "ridge_bins"}:
            table[name] = 1 / (1 + np.exp(-table[name]))
        write_table(table, path)
    intervals, comparisons, _ = compared(folder, binary=True)
    table = read_table(folder / "final.tsv")
    rows = table[table["regime"] == UNSEEN_GENE]
    rows = rows[rows["truth"].notna()]
    found = intervals.loc["test", UNSEEN_GENE, "model"]["value"]
    assert found["bce"] == pytest.approx(metrics.bce(rows["truth"], rows["prediction"]), rel=1e-5)
    assert found["auroc"] == pytest.approx(metrics.auroc(rows["truth"], rows["prediction"]), rel=1e-5)
    assert comparisons.loc["test", UNSEEN_GENE, "model", "training_mean"]["verdict"] == "better"
