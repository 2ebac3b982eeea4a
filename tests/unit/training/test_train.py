"""Training of a run from its files: the same bits every time, killed or not."""

import shutil
import signal
import time
from dataclasses import asdict
from importlib.metadata import version

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from helpers.training import (
    BINS,
    CELLS,
    EPOCHS,
    FILES,
    GENES,
    LEARNING_RATE,
    LEFT,
    MEMBERS,
    PRETRAINED,
    SCHEDULE,
    SPEC,
    STANDARDISED,
    WINDOW,
    history,
    job,
    labels_of,
    same_run,
    same_weights,
    start,
    train,
    weights,
    write_run,
)  # fmt: skip
from wakawaka.core.files import read_table
from wakawaka.genome.dna import one_hot
from wakawaka.network.ensemble import effects_of, members_of
from wakawaka.network.inference import load_predictor
from wakawaka.network.preprocessing import read_preprocessing
from wakawaka.network.saved_model import load_model
from wakawaka.statistics.metrics import bce
from wakawaka.store.store import Store
from wakawaka.training.checkpoint import load_checkpoint


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("data") / "store")


@pytest.fixture(scope="module")
def runs(store, tmp_path_factory):
    """Return a folder of runs, all made in one process, and the log of each by name.

    `whole` was not interrupted. `unsaved` is the same, but fails before its model is saved. The others find its checkpoint. The
    expression of `label` is 0 and 1.
    """
    folder, expression = tmp_path_factory.mktemp("runs"), store / "expression.npy"
    other, kept, labels = (folder / f"{name}.npy" for name in ("other", "kept", "labels"))
    np.save(other, np.load(expression) + np.float32(1))
    np.save(labels, labels_of(np.load(expression)))
    shutil.copy(expression, kept)
    changes = {
        "whole": {},
        "unsaved": {"fails": True},
        "same": {},
        "seed": {"seed": 2},
        "genes": {"genes_per_batch": 2, "run": "final", "code": "4567"},
        "target": {"target": {"kind": "value", "transform": "zscore_per_gene"}},
        "shuffled": {"permuted_genes": True, "seed": 0},
        "pretrained": {"schedule": PRETRAINED},
        "members": {"schedule": MEMBERS, "spec": STANDARDISED},
        "label": {
            "target": {"kind": "label", "transform": "none"},
            "before": [(labels, expression)],
            "schedule": {"gene_effects": True},
        },
        # The same path, but not the same content.
        "data": {"before": [(other, expression)]},
    }
    jobs = [job(store, folder / name, **change) for name, change in changes.items()]
    for one in jobs[2:]:
        one["before"] = [*one["before"], (folder / "unsaved/checkpoint.npz", one["files"]["checkpoint"])]
    for name in changes:
        (folder / name).mkdir()
    said = train(*jobs)
    shutil.copy(kept, expression)
    return folder, dict(zip(changes, said, strict=True))


def test_it_writes_a_model_and_its_history_and_leaves_no_checkpoint(runs):
    folder, said = runs[0] / "whole", runs[1]["whole"]
    assert sorted(path.name for path in folder.iterdir()) == LEFT
    table = history(folder)
    regimes = ["unseen_cell", "unseen_gene", "both_unseen"]
    assert table.columns.tolist() == ["epoch", "seconds", "train_mse", *(f"val_mse_{regime}" for regime in regimes)]
    assert table["epoch"].tolist() == list(range(1, EPOCHS + 1))
    assert (table["seconds"].diff().dropna() > 0).all() and table.at[0, "seconds"] > 0
    assert table.notna().all(axis=None)
    assert table["train_mse"].iloc[-1] < 0.5 * table["train_mse"].iloc[0]
    layers = load_model(folder / "model.keras").layers
    assert all(type(layer).__module__.startswith("keras.") for layer in layers)
    assert "goes on" not in said and "afresh" not in said


def test_the_scores_of_the_history_are_those_of_the_saved_model(store, runs):
    path, expression = runs[0] / "whole/model.keras", np.load(store / "expression.npy")
    histone = np.log1p(np.load(store / "histone.npy"), dtype=np.float32)
    dna = one_hot(np.load(store / "dna.npy"))
    cells, genes = np.indices((CELLS, GENES)).reshape(2, -1)
    predicted = load_model(path).predict_on_batch([histone[cells, genes], dna[genes]]).reshape(CELLS, GENES)
    regimes = read_table(store / "samples.tsv.gz")["fold-1"].to_numpy().reshape(CELLS, GENES)
    for regime in ("unseen_cell", "unseen_gene", "both_unseen"):
        expected = np.nanmean((predicted - expression)[regimes == regime] ** 2)
        assert history(path.parent)[f"val_mse_{regime}"].iloc[-1] == pytest.approx(expected, rel=1e-4)
    # As the steps after training predict.
    opened = Store([store / name for name in FILES])
    found = load_predictor(path, opened, preprocessing(path.parent))(opened, np.ones((CELLS, GENES), bool))
    assert predicted.std() > 0.05 and np.allclose(found, predicted, rtol=0, atol=1e-5)


def test_the_log_has_a_line_for_each_epoch(store, runs):
    said = runs[1]["whole"]
    lines = [line for line in said.splitlines() if line.startswith("INFO fold-1, epoch ")]
    assert len(lines) == EPOCHS
    assert lines[0].startswith(f"INFO fold-1, epoch 1/{EPOCHS}: train_mse ") and "samples/s" in lines[0]
    assert lines[-1].endswith(", 0 s left")
    regimes = read_table(store / "samples.tsv.gz")["fold-1"].to_numpy()
    count = ((regimes == "train") & np.isfinite(np.load(store / "expression.npy")).ravel()).sum()
    parameters = sum(array.size for array in weights(runs[0] / "whole"))
    assert f"INFO fold-1: {count} samples to train on, {parameters} parameters, threads: 2" in said


def test_a_run_that_ended_before_its_model_was_saved_has_only_to_save_it(runs):
    """The same seed has taken both runs to the same bits, and none of the second's epochs is done again."""
    folder, said = runs
    assert said["unsaved"].count("train_mse") == EPOCHS and not (folder / "unsaved/model.keras").exists()
    assert f"training goes on after epoch {EPOCHS}, from the checkpoint" in said["same"]
    assert "train_mse" not in said["same"]
    assert same_run(folder / "whole", folder / "same")
    assert sorted(path.name for path in (folder / "same").iterdir()) == LEFT


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("seed", "settings"),
        ("data", "data"),
        ("genes", "settings, code"),
        ("target", "settings"),
        ("shuffled", "settings"),
        ("label", "settings, data"),
    ],
)
def test_what_a_checkpoint_was_not_made_for_starts_afresh_and_says_so(runs, name, what):
    folder, said = runs[0] / name, runs[1][name]
    assert "WARNING training starts afresh, because these differ" in said
    assert f"checkpoint.npz: {what}\n" in said and "goes on" not in said
    loss = "train_bce" if name == "label" else "train_mse"
    assert said.count(loss) == EPOCHS and history(folder)["epoch"].tolist() == list(range(1, EPOCHS + 1))
    assert not same_weights(runs[0] / "whole", folder)
    assert sorted(path.name for path in folder.iterdir()) == LEFT


def test_batches_of_few_genes_train_too(runs):
    table = history(runs[0] / "genes")
    assert table["train_mse"].iloc[-1] < 0.5 * table["train_mse"].iloc[0]


def test_the_final_run_has_no_validation(runs):
    assert history(runs[0] / "genes").columns.tolist() == ["epoch", "seconds", "train_mse"]


def preprocessing(folder):
    return read_preprocessing(folder / "preprocessing.json")


def test_all_that_a_model_needs_for_other_data_is_written(store, runs):
    about = asdict(preprocessing(runs[0] / "whole"))
    regimes = read_table(store / "samples.tsv.gz")["fold-1"].to_numpy()
    trained = ((regimes == "train") & np.isfinite(np.load(store / "expression.npy")).ravel()).sum()
    made_with = about.pop("made_with")
    assert made_with["seed"] == 1 and made_with["threads"] == 2 and isinstance(made_with["device"], str)
    assert made_with["versions"]["keras"] == version("keras") and made_with["versions"]["numpy"] == np.__version__
    assert about == {
        "run": "fold-1",
        "spec": SPEC,
        "modules": ["histone", "dna"],
        "binary": False,
        "target": {"kind": "value", "transform": "none"},
        "fitted": {},
        "permuted_genes": None,
        "schedule": SCHEDULE
        | {"epochs": EPOCHS, "batch_size": 10, "genes_per_batch": None, "learning_rate": LEARNING_RATE},
        "samples": trained,
        "parameters": load_model(runs[0] / "whole/model.keras").count_params(),
        "marks": ["M00", "M01"],
        "window": WINDOW,
        "bins": BINS,
        "strand_aware": True,
        "scale": "counts",
        # Of a store that does not say.
        "counting": None,
    }


def test_z_scores_are_of_the_run_s_own_training_samples(store, runs):
    """Unseen genes have no z-scores: they are neither trained on nor watched."""
    folder, said = runs[0] / "target", runs[1]["target"]
    expression = np.load(store / "expression.npy").astype(np.float64)
    regimes = read_table(store / "samples.tsv.gz")["fold-1"].to_numpy().reshape(CELLS, GENES)
    trained = np.where(regimes == "train", expression, np.nan)[:, :-10]
    fitted = preprocessing(folder).fitted
    assert fitted["gene_id"] == [f"G{number:02}" for number in range(GENES - 10)]
    assert np.allclose(fitted["mean"], np.nanmean(trained, axis=0), rtol=1e-12)
    assert np.allclose(fitted["sd"], np.nanstd(trained, axis=0, ddof=1), rtol=1e-12)
    assert history(folder).columns.tolist() == ["epoch", "seconds", "train_mse", "val_mse_unseen_cell"]
    assert "WARNING 10 genes with expression have no target" in said and "G70, G71, G72, G73, G74" in said
    assert "have no target" not in runs[1]["whole"]


def test_probabilities_are_learnt_from_labels(store, runs):
    folder, expression = runs[0] / "label", labels_of(np.load(store / "expression.npy"))
    table = history(folder)
    regimes = ["unseen_cell", "unseen_gene", "both_unseen"]
    assert table.columns.tolist() == ["epoch", "seconds", "train_bce", *(f"val_bce_{regime}" for regime in regimes)]
    assert preprocessing(folder).binary
    opened = Store([store / name for name in FILES])
    predictor = load_predictor(folder / "model.keras", opened, preprocessing(folder))
    predicted = predictor(opened, np.ones((CELLS, GENES), bool))
    assert ((predicted >= 0) & (predicted <= 1)).all()
    histone = np.log1p(np.load(store / "histone.npy"), dtype=np.float32)
    cells, genes = np.indices((CELLS, GENES)).reshape(2, -1)
    inputs = [histone[cells, genes], one_hot(np.load(store / "dna.npy"))[genes]]
    plain = load_model(folder / "model.keras").predict_on_batch(inputs).reshape(CELLS, GENES)
    assert np.abs(predicted - plain).max() < 1e-5
    blocks = read_table(store / "samples.tsv.gz")["fold-1"].to_numpy().reshape(CELLS, GENES)
    for regime in regimes:
        block = (blocks == regime) & np.isfinite(expression)
        expected = bce(expression[block], plain[block])
        assert table[f"val_bce_{regime}"].iloc[-1] == pytest.approx(expected, rel=1e-4)
    block = (blocks == "unseen_cell") & np.isfinite(expression)
    assert roc_auc_score(expression[block], predicted[block]) > 0.7
    assert "no gene effects: they need DNA" in runs[1]["label"]


PREDICT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from wakawaka.prediction.predict import predict
for job in json.loads(sys.argv[2]):
    predict(**job)
"""


def test_predictions_have_the_truth_that_the_model_was_trained_on(store, runs, tmp_path):
    """Targets and their fits come from the model's own file, whatever the config asks for by now."""
    jobs = []
    for name in ("target", "whole", "shuffled"):
        job = {"store": [str(store / file) for file in FILES], "samples": str(store / "samples.tsv.gz")}
        job |= {file.partition(".")[0]: str(runs[0] / name / file) for file in LEFT if file != "history.tsv"}
        jobs.append({**job, "predictions": str(tmp_path / f"{name}.tsv.gz"), "run": "fold-1", "threads": 1})
    process = start(jobs, PREDICT)
    assert process.wait(300) == 0, process.communicate()
    fitted = preprocessing(runs[0] / "target").fitted
    expression = np.load(store / "expression.npy").astype(np.float64)
    expected = np.full((CELLS, GENES), np.nan)
    expected[:, :-10] = (expression[:, :-10] - fitted["mean"]) / fitted["sd"]
    table = read_table(tmp_path / "target.tsv.gz")
    assert (
        np.allclose(table["truth"], expected.ravel(), rtol=1e-6, equal_nan=True) and table["prediction"].notna().all()
    )
    block = table[table["regime"] == "unseen_cell"].dropna()
    mse = ((block["truth"] - block["prediction"]) ** 2).mean()
    assert mse == pytest.approx(history(runs[0] / "target")["val_mse_unseen_cell"].iloc[-1], rel=1e-4)
    for name in ("whole", "shuffled"):
        table = read_table(tmp_path / f"{name}.tsv.gz")
        assert np.allclose(table["truth"], expression.ravel(), rtol=1e-6, equal_nan=True)
        for regime, block in table.dropna().groupby("regime"):
            mse = ((block["truth"] - block["prediction"]) ** 2).mean()
            watched = history(runs[0] / name).iloc[-1].get(f"val_mse_{regime}")
            assert regime == "train" or mse == pytest.approx(watched, rel=1e-4)


def test_with_permuted_genes_every_gene_is_trained_and_predicted_with_that_of_another(store, runs):
    """The seed of the permutation is kept, even if it is 0; without it the same model predicts something else."""
    folder = runs[0] / "shuffled"
    assert preprocessing(folder).permuted_genes == 0
    paths, everything = [store / name for name in FILES], np.ones((CELLS, GENES), bool)
    own, others = Store(paths), Store(paths, 0)
    found = [load_predictor(folder / "model.keras", opened, preprocessing(folder)) for opened in (own, others)]
    own, others = (predict(opened, everything) for predict, opened in zip(found, (own, others), strict=True))
    trained = read_table(store / "samples.tsv.gz")["fold-1"].to_numpy().reshape(CELLS, GENES) == "train"
    mse = [np.nanmean((predicted - np.load(store / "expression.npy"))[trained] ** 2) for predicted in (own, others)]
    assert mse[1] < mse[0]


def test_pretraining_goes_before_the_epochs_of_the_history(runs):
    folder, said = runs[0] / "pretrained", runs[1]["pretrained"]
    assert history(folder)["epoch"].tolist() == [1, 2, 3]
    assert said.index("pre-training, epoch 4/4: train_mse") < said.index("fold-1, epoch 1/3: train_mse")
    assert said.count("val_mse_unseen_gene") == 3


def test_the_mean_of_several_members_is_written_and_predicted(store, runs):
    folder = runs[0] / "members"
    model = load_model(folder / "model.keras")
    effects, networks = effects_of(model), members_of(model)
    assert len(networks) == 2
    assert preprocessing(folder).parameters == 2 * networks[0].count_params() + len(effects.values)
    opened = Store([store / name for name in FILES], z_scores=True)
    predict = load_predictor(folder / "model.keras", opened, preprocessing(folder))
    regimes = read_table(store / "samples.tsv.gz")["fold-1"].to_numpy().reshape(CELLS, GENES)
    errors = (predict(opened, np.ones((CELLS, GENES), bool)) - np.load(store / "expression.npy")) ** 2
    last = history(folder).iloc[-1]
    for regime in ("unseen_cell", "unseen_gene", "both_unseen"):
        assert last[f"val_mse_{regime}"] == pytest.approx(np.nanmean(errors[regimes == regime]), rel=1e-4)
    # The effects are of genes that were trained on, and of no other; a fifth of the bases are N, too many in some of the genes.
    trained = (regimes == "train").any(axis=0)
    found = effects(opened.dna)
    assert found[trained].any() and not found[~trained].any()
    assert len(effects.values) == trained.sum()
    kernels = [member.get_layer("joint_dense_1").get_weights()[0] for member in members_of(model)]
    assert not np.allclose(*kernels)


@pytest.mark.parametrize(
    ("name", "changes", "epochs"),
    [
        ("pretrained", {"schedule": PRETRAINED}, 2),
        ("pretrained", {"schedule": PRETRAINED}, 5),
        ("members", {"schedule": MEMBERS, "spec": STANDARDISED}, 2),
    ],
)
def test_stages_and_members_go_on_to_the_same_bits(store, runs, tmp_path, name, changes, epochs):
    """Killed in pre-training, behind it, and with several members in the checkpoint."""
    kill_in_the_middle([job(store, tmp_path, **changes)], tmp_path, epochs)
    (said,) = train(job(store, tmp_path, **changes))
    assert "from the checkpoint of an interrupted run" in said
    assert same_run(runs[0] / name, tmp_path)


def kill_in_the_middle(jobs, folder, epochs):
    """Start, and kill without warning once so many epochs are in the checkpoint."""
    process, deadline = start(jobs), time.monotonic() + 120
    checkpoint = folder / "checkpoint.npz"
    while not checkpoint.exists() or len(epochs_in(checkpoint)) < epochs:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for name in ("checkpoint.npz", *LEFT):
        (folder / f".1.{name}").touch()
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "model.keras").exists()


def epochs_in(checkpoint):
    # Of no identity: nothing is compared.
    return load_checkpoint(checkpoint, {})[0]


def test_a_killed_run_goes_on_to_the_same_bits(store, runs, tmp_path):
    kill_in_the_middle([job(store, tmp_path)], tmp_path, epochs=2)
    done = epochs_in(tmp_path / "checkpoint.npz")
    assert 2 <= len(done) < EPOCHS
    (said,) = train(job(store, tmp_path))
    assert f"INFO training goes on after epoch {len(done)}, from the checkpoint of an interrupted run" in said
    assert said.count("train_mse") == EPOCHS - len(done)
    assert same_run(runs[0] / "whole", tmp_path)
    seconds = history(tmp_path)["seconds"]
    assert seconds[: len(done)].tolist() == [row["seconds"] for row in done]
    assert (seconds.diff().dropna() > 0).all()
    # Not even what a kill in the middle of writing leaves.
    assert sorted(path.name for path in tmp_path.iterdir()) == LEFT
