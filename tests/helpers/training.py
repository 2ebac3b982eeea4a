"""Trainings on a small store, each in a process of its own, because the number of threads is set for a whole process."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd

from helpers.stores import write_store
from wakawaka.core.files import read_table, write_table
from wakawaka.network.saved_model import load_model

PROGRAM = """
import json, logging, shutil, sys
sys.path.insert(0, sys.argv[1])
from wakawaka.core.progress import PROGRESS
logging.basicConfig(level=PROGRESS, format="%(levelname)s %(message)s", stream=sys.stdout)
from wakawaka.training import train as module
save = module.save_model

def fail(*arguments):
    raise ZeroDivisionError

for job in json.loads(sys.argv[2]):
    fails, before = job.pop("fails"), job.pop("before")
    for copy in before:
        shutil.copy(*copy)
    module.save_model = fail if fails else save
    print("JOB", flush=True)
    files, settings = module.TrainingFiles(**job["files"]), module.TrainingSettings(**job["settings"])
    try:
        module.train(job["store"], job["samples"], files, settings)
    except ZeroDivisionError:
        assert fails
"""
SPEC = {
    "histone": {
        "convolutions": [{"filters": 4, "kernel_size": 5, "activation": "leaky_relu", "pool_size": 2}],
        "dropout": 0.5,
        "dense": [6],
    },
    "dna": {
        "convolutions": [{"filters": 20, "kernel_size": 6, "activation": "relu", "pool_size": 16}],
        "dropout": 0.5,
        "dense": [6],
    },
    "joint": {"dense": [8], "dropout": 0.1},
    "negative_slope": 0.05,
}
STANDARDISED = SPEC | {"histone": SPEC["histone"] | {"z_scores": True}}
FILES = ("store.json", "genes.tsv", "cells.tsv", "histone.npy", "dna.npy", "expression.npy")
SCHEDULE = {"lr_schedule": "constant", "weight_decay": 0, "pretraining_epochs": 0, "ensemble_size": 1, "kmer_length": 0}
SCHEDULE |= {"gene_effects": False}
PRETRAINED = {"pretraining_epochs": 4, "epochs": 3, "lr_schedule": "cosine"}
MEMBERS = {"ensemble_size": 2, "epochs": 4, "kmer_length": 5, "weight_decay": 0.01, "gene_effects": True}
# The files that a training leaves.
LEFT = ["history.tsv", "model.keras", "preprocessing.json"]
CELLS, GENES, BINS, WINDOW, EPOCHS, LEARNING_RATE = 6, 80, 20, 400, 8, 0.002


def write_run(folder, seed=1):
    """Write a store and the regimes of its samples: the last cell and the last genes are held out; some values are not known."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    genes, cells = [f"G{number:02}" for number in range(GENES)], [f"C{number}" for number in range(CELLS)]
    dna = rng.integers(0, 5, (GENES, WINDOW)).astype(np.uint8)
    histone = rng.poisson(4, (CELLS, GENES, BINS, 2)).astype(np.uint16)
    expression = np.log1p(histone[:, :, :, 0]).mean(axis=2) + 5 * (dna == 1).mean(axis=1)
    expression[rng.random(expression.shape) < 0.05] = np.nan
    arrays = {"histone": histone, "dna": dna, "expression": expression.astype(np.float32)}
    write_store(folder, cells=cells, genes=genes, bins=BINS, window=WINDOW, **arrays)
    regime = np.full((CELLS, GENES), "train", object)
    regime[-1] = "unseen_cell"
    regime[:, -10:] = "unseen_gene"
    regime[-1, -10:] = "both_unseen"
    table = {"cell": np.repeat(cells, GENES), "gene_id": np.tile(genes, CELLS), "fold-1": regime.ravel()}
    table["final"] = "train"
    write_table(pd.DataFrame(table), folder / "samples.tsv.gz")
    return folder


def job(store, output, *, epochs=EPOCHS, genes_per_batch=None, fails=False, before=(), **changes):
    """Return the arguments of `train`, whether saving the model shall fail, and what files to copy before."""
    schedule = {"epochs": epochs, "batch_size": 10, "genes_per_batch": genes_per_batch, "learning_rate": LEARNING_RATE}
    schedule = SCHEDULE | schedule | changes.pop("schedule", {})
    target = {"kind": "value", "transform": "none"}
    settings = {"run": "fold-1", "spec": SPEC, "modules": ["histone", "dna"], "target": target, "schedule": schedule}
    settings |= {"permuted_genes": False, "seed": 1, "threads": 2, "code": "0123"} | changes
    return {
        "store": [str(store / name) for name in FILES],
        "samples": str(store / "samples.tsv.gz"),
        "files": {file.partition(".")[0]: str(output / file) for file in (*LEFT, "checkpoint.npz")},
        "settings": settings,
        "fails": fails,
        "before": before,
    }


def start(jobs, program=PROGRAM):
    """Start a process that does the jobs; return it."""
    scripts = next(path for path in sys.path if path.endswith("workflow/scripts"))
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-c", program, scripts, json.dumps(jobs, default=str)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def train(*jobs):
    """Train one after the other in a process; return what each logs."""
    process = start(jobs)
    said, errors = process.communicate(timeout=300)
    assert process.returncode == 0, said + errors
    return said.split("JOB\n")[1:]


def weights(folder):
    return load_model(folder / "model.keras").get_weights()


def history(folder):
    return read_table(folder / "history.tsv")


def same_weights(one, other):
    return all(np.array_equal(array, same) for array, same in zip(weights(one), weights(other), strict=True))


def same_run(one, other):
    """Return whether weights and history, apart from the seconds, are the same to the last bit."""
    return same_weights(one, other) and history(one).drop(columns="seconds").equals(
        history(other).drop(columns="seconds")
    )


def labels_of(expression):
    """Return 1 above the median, 0 below it, NaN where nothing is known."""
    return np.where(np.isnan(expression), expression, expression > np.nanmedian(expression)).astype(np.float32)
