"""Nothing that is fitted depends on the truth of held-out samples: other values there change no model and no prediction."""

import shutil

import numpy as np
import pytest

from helpers.training import CELLS, FILES, GENES, LEFT, history, job, labels_of, same_weights, train, write_run
from wakawaka.core.files import read_table, save_array, write_table
from wakawaka.evaluation.baselines import baselines
from wakawaka.evaluation.labels import BASELINES
from wakawaka.network.ensemble import effects_of
from wakawaka.network.saved_model import load_model

VALUE = {"kind": "value", "transform": "none"}
Z_SCORE = {"kind": "value", "transform": "zscore_per_gene"}
LABEL = {"kind": "label", "transform": "none"}
RUNS = ("final", "fold-1")


def regimes_of(run):
    """Return the regimes [cell, gene]: `final` holds out the last cell and the last genes; the fold holds out those before them."""
    cell, gene = np.arange(CELLS)[:, None], np.arange(GENES)[None]
    final = (cell == CELLS - 1, gene >= GENES - 10)
    fold = (cell == CELLS - 2, (gene >= GENES - 20) & (gene < GENES - 10))
    cell, gene = final if run == "final" else fold
    found = np.select([cell & gene, cell & ~gene, ~cell & gene], ["both_unseen", "unseen_cell", "unseen_gene"], "train")
    return found if run == "final" else np.where(final[0] | final[1], "test", found)


def other_truths(expression, run, change):
    """Return the expression with `change` done to every value that the run may not learn from."""
    return np.where(regimes_of(run) == "train", expression, change(expression)).astype(np.float32)


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Folders of stores: `as_it_was`, and for each run one with other truths of what it holds out, and so for labels."""
    folder = tmp_path_factory.mktemp("stores")
    whole = write_run(folder / "as_it_was")
    samples = read_table(whole / "samples.tsv.gz").assign(**{run: regimes_of(run).ravel() for run in RUNS})
    write_table(samples, whole / "samples.tsv.gz")
    expression = np.load(whole / "expression.npy")
    labels = labels_of(expression)
    changed = {run: other_truths(expression, run, lambda values: 50 - 7 * values**2) for run in RUNS}
    changed |= {f"labels-{run}": other_truths(labels, run, lambda values: 1 - values) for run in RUNS}
    for name, values in ({"labels": labels} | changed).items():
        shutil.copytree(whole, folder / name)
        save_array(values, folder / name / "expression.npy")
    return folder


@pytest.mark.parametrize("target", [VALUE, Z_SCORE, LABEL])
@pytest.mark.parametrize("run", RUNS)
def test_baselines(stores, tmp_path, run, target):
    names = ("labels", f"labels-{run}") if target == LABEL else ("as_it_was", run)
    tables = []
    for name in names:
        paths = [stores / name / file for file in FILES]
        settings = {"run": run, "target": target, "seed": 1, "threads": 2}
        baselines(paths, stores / name / "samples.tsv.gz", tmp_path / f"{name}.tsv.gz", **settings)
        tables.append(read_table(tmp_path / f"{name}.tsv.gz"))
    assert set(BASELINES) <= set(tables[0])
    one, other = (table.drop(columns="truth") for table in tables)
    assert one.equals(other)
    # The truths did change, wherever they are known and not to be learnt from, and nowhere else.
    known = tables[0]["truth"].notna()
    differs = (tables[0]["truth"] != tables[1]["truth"])[known]
    assert (differs == (one["regime"] != "train")[known]).all() and differs.any()


@pytest.fixture(scope="module")
def trained(stores, tmp_path_factory):
    """A folder of runs: {run}-{transform} on the store as it was, and {run}-{transform}-changed on the other one."""
    folder, jobs = tmp_path_factory.mktemp("trained"), []
    for run in RUNS:
        for target in (VALUE, Z_SCORE):
            for store, name in (
                ("as_it_was", f"{run}-{target['transform']}"),
                (run, f"{run}-{target['transform']}-changed"),
            ):
                (folder / name).mkdir()
                changes = {"run": run, "target": target, "schedule": {"kmer_length": 5, "gene_effects": True}}
                jobs.append(job(stores / store, folder / name, epochs=2, **changes))
    train(*jobs)
    return folder


@pytest.mark.parametrize("transform", ["none", "zscore_per_gene"])
@pytest.mark.parametrize("run", RUNS)
def test_networks_and_their_preprocessing(trained, run, transform):
    one, other = trained / f"{run}-{transform}", trained / f"{run}-{transform}-changed"
    assert sorted(path.name for path in one.iterdir()) == LEFT
    assert (one / "preprocessing.json").read_bytes() == (other / "preprocessing.json").read_bytes()
    assert ('"sd"' in (one / "preprocessing.json").read_text()) == (transform == "zscore_per_gene")
    assert same_weights(one, other)
    # Effects of single genes are among the weights; z-scores have none, because each gene's mean is zero.
    assert effects_of(load_model(one / "model.keras")).values.any() == (transform == "none")
    assert history(one)["train_mse"].equals(history(other)["train_mse"])
    # What is watched of a fold is held against the other truths, and only there.
    watched = [name for name in history(one) if name.startswith("val_")]
    assert bool(watched) == (run != "final")
    assert all(not history(one)[name].equals(history(other)[name]) for name in watched)
