"""Measures prediction of 56 cells and some genes: plain Keras and ours, alternately, each in a process of its own.

Plain is `predict` of the saved model on float32 arrays in memory, with one-hot DNA, for some of the samples. Ours is
what rule predict does for all samples: it indexes the k-mers of the sequences, and calls the `Predictor`. Both are
timed the second time that they run. The predictions are compared.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
from common import (
    Row,
    checked_config,
    in_own_process,
    parser,
    progress,
    ratio,
    show,
    store_files,
    temporary_folder,
    train_run,
)
from random_store import write_random_store

CELLS = 56
HELD_OUT_CELLS = 6
BATCH = 100
# The largest difference between the two that rounding explains.
TOLERANCE = 1e-5


def predict_plain(store: Path, folder: str, count: int) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    """Predict `count` random samples; return (seconds, cells, genes, predictions), the last three [sample]."""
    from wakawaka.network.inputs import model_inputs
    from wakawaka.network.saved_model import load_model
    from wakawaka.store.store import Store

    opened, modules = Store(store_files(store)), checked_config()["modules"]
    shape = len(opened.cells), len(opened.genes)
    chosen = np.random.default_rng(1).choice(shape[0] * shape[1], count, replace=False)
    cells, genes = np.unravel_index(chosen, shape)
    inputs, model = model_inputs(opened, modules, cells, genes), load_model(Path(folder) / "model.keras")
    for _ in range(2):
        start = time.monotonic()
        predicted = model.predict(inputs, batch_size=BATCH, verbose=0)
        seconds = time.monotonic() - start
    return seconds, cells, genes, predicted[:, 0]


def predict_ours(store: Path, folder: str, threads: int) -> tuple[float, np.ndarray]:
    """Predict all samples as rule predict does; return (seconds, predictions [cell, gene] float32)."""
    from wakawaka.network.backend import use_threads
    from wakawaka.network.inference import load_predictor
    from wakawaka.network.inputs import kmer_index_of
    from wakawaka.network.preprocessing import read_preprocessing
    from wakawaka.store.store import Store

    use_threads(threads)
    opened, about = Store(store_files(store)), read_preprocessing(Path(folder) / "preprocessing.json")
    predictor = load_predictor(Path(folder) / "model.keras", opened, about)
    wanted = np.ones((len(opened.cells), len(opened.genes)), bool)
    for _ in range(2):
        start = time.monotonic()
        # Rule predict indexes the k-mers once for each model.
        kmer_index_of(opened, about.spec, about.modules)
        predicted = predictor(opened, wanted)
        seconds = time.monotonic() - start
    return seconds, predicted


def measure(options: argparse.Namespace, folder: str) -> tuple[dict[str, list[float]], tuple[float, float]]:
    """Return the seconds per sample of plain and ours [alternation], and the largest difference of their predictions.

    The difference is (absolute, relative to the standard deviation of the predictions).
    """
    # Few training genes: the benchmark needs a model with weights, not a good one.
    sizes = {"held_out_cells": HELD_OUT_CELLS, "held_out_genes": options.genes * 9 // 10}
    store, samples = write_random_store(folder, cells=CELLS, genes=options.genes, **sizes)
    progress("training the model")
    in_own_process(train_run, store, samples, folder, run="final", threads=options.threads, epochs=1)
    times: dict[str, list[float]] = {"plain": [], "ours": []}
    differences = []
    for number in range(1, options.alternations + 1):
        progress("alternation %d of %d", number, options.alternations)
        (seconds, cells, genes, expected), *_ = in_own_process(predict_plain, store, folder, options.samples)
        times["plain"].append(seconds / options.samples)
        (seconds, predicted), *_ = in_own_process(predict_ours, store, folder, options.threads)
        times["ours"].append(seconds / predicted.size)
        difference = float(abs(predicted[cells, genes] - expected).max())
        differences.append((difference, difference / float(expected.std())))
    return times, max(differences)


def main() -> None:
    """Measure and print the table; exit with 1 if the predictions differ."""
    arguments = parser(__doc__)
    # As in rule predict.
    arguments.set_defaults(threads=1)
    genes = f"number of genes, with {CELLS} cells each (default: %(default)s)"
    arguments.add_argument("--genes", type=int, default=300, help=genes)
    samples = "number of samples that plain Keras predicts (default: %(default)s)"
    arguments.add_argument("--samples", type=int, default=1000, help=samples)
    alternations = "how often plain and ours are run alternately (default: %(default)s)"
    arguments.add_argument("--alternations", type=int, default=5, help=alternations)
    options = arguments.parse_args()
    with temporary_folder(options) as folder:
        times, (absolute, relative) = measure(options, folder)
    count = {"plain": options.samples, "ours": CELLS * options.genes}
    medians = {way: statistics.median(times[way]) for way in times}
    rows: list[Row] = [
        {"prediction": way, "samples": count[way], "ms per 100": 1e5 * median, "samples/s": 1 / median}
        for way, median in medians.items()
    ]
    sentence, ratios = ratio(zip(times["plain"], times["ours"], strict=True), "ours")
    same = "the same" if absolute <= TOLERANCE else "NOT the same"
    difference = f"largest difference {absolute:.2g}, {relative:.2g} standard deviations of the predictions: {same}"
    title = f"Prediction of {CELLS} cells x {options.genes} genes, threads: ours {options.threads}, plain all"
    more = {"ratios": ratios, "difference": {"absolute": absolute, "relative": relative}}
    show(options, title, rows, [sentence, difference], **more)
    if absolute > TOLERANCE:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
