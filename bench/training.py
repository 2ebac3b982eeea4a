"""Measures training at the report's size: plain Keras and ours, alternately, each in a process of its own.

Plain is the network of standard layers, compiled and fitted on float32 arrays in memory, with one-hot DNA. Its memory
grows with the number of samples. Ours is the function that rule train calls, on a store with the same samples. Dropout,
shuffling and gathering are part of both. The first epoch, in which functions are compiled, is left out.
"""

import argparse
import statistics
import time
from pathlib import Path

from common import (
    Memory,
    Row,
    checked_config,
    in_own_process,
    parser,
    progress,
    ratio,
    show,
    store_files,
    target_of,
    temporary_folder,
    train_run,
)
from random_store import write_random_store

# A batch can hold GENES_PER_BATCH samples of one gene, one per cell: see training.genes_per_batch in config.yaml.
CELLS = 10
GENES_PER_BATCH = 10

# The seconds of an epoch and the peak memory, for each way of training and each alternation.
Measured = dict[str, list[tuple[float, Memory]]]


def train_plain(store: Path, epochs: int) -> list[float]:
    """Train with plain Keras on all samples of a store; return the seconds [epoch] at which its epochs ended."""
    import keras
    import numpy as np

    from wakawaka.network.build import build_model
    from wakawaka.network.inputs import model_inputs
    from wakawaka.store import targets
    from wakawaka.store.store import Store

    opened, config = Store(store_files(store)), checked_config()
    modules, schedule = config["modules"], config["training"]
    target, everything = target_of(config), np.ones(opened.expression.shape, bool)
    truth = targets.values(opened, target, targets.fit(opened, target, everything))
    cells, genes = np.indices(truth.shape).reshape(2, -1)
    inputs = model_inputs(opened, modules, cells, genes)
    model = build_model(config["models"]["wakawaka"], modules=modules, **opened.sizes)
    model.compile(keras.optimizers.Adam(schedule["learning_rate"]), "mse")
    ends: list[float] = []
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(time.monotonic()))
    settings = {"batch_size": schedule["batch_size"], "epochs": epochs, "verbose": 0, "callbacks": [clock]}
    model.fit(inputs, truth.reshape(-1, 1), shuffle=True, **settings)
    return ends


def train_ours(
    store: Path, samples: Path, folder: str, epochs: int, threads: int, genes_per_batch: int | None
) -> list[float]:
    """Train as rule train does; return the seconds [epoch] at which its epochs ended."""
    schedule = {"epochs": epochs, "genes_per_batch": genes_per_batch}
    return train_run(store, samples, folder, run="final", threads=threads, **schedule)["seconds"].tolist()


def measure(options: argparse.Namespace, folder: str) -> Measured:
    """Return the measurements of all ways of training."""
    store, samples = write_random_store(folder, cells=CELLS, genes=options.genes)
    ours = (train_ours, store, samples, folder, options.epochs, options.threads)
    ways = {
        "plain": (train_plain, store, options.epochs),
        "ours": (*ours, None),
        f"ours, genes_per_batch {GENES_PER_BATCH}": (*ours, GENES_PER_BATCH),
    }
    measured: Measured = {way: [] for way in ways}
    for number in range(1, options.alternations + 1):
        for way, call in ways.items():
            progress("alternation %d of %d: %s", number, options.alternations, way)
            ends, _, memory = in_own_process(*call)
            measured[way].append(((ends[-1] - ends[0]) / (options.epochs - 1), memory))
    return measured


def table(measured: Measured, count: int, size: int) -> tuple[list[Row], list[str], dict[str, dict[str, float]]]:
    """Return the rows, the sentences below them, and the ratios of plain and each way of ours.

    Args:
        measured: what `measure` returns.
        count: number of samples.
        size: number of samples of a batch.
    """
    rows: list[Row] = []
    notes, ratios = [], {}
    for way, results in measured.items():
        seconds = [second for second, _ in results]
        median = statistics.median(seconds)
        row: Row = {"training": way, "ms per batch": 1000 * median / (count / size), "samples/s": count / median}
        rows.append(row | max((memory for _, memory in results), key=lambda memory: memory["private MB"] or 0))
        if way != "plain":
            plain = [second for second, _ in measured["plain"]]
            sentence, ratios[way] = ratio(zip(plain, seconds, strict=True), way)
            notes.append(sentence)
    return rows, notes, ratios


def main() -> None:
    """Measure all ways of training and print the table."""
    arguments = parser(__doc__)
    genes = f"number of genes, with {CELLS} cells each (default: %(default)s)"
    arguments.add_argument("--genes", type=int, default=400, help=genes)
    epochs = "number of epochs of each training, at least 2 (default: %(default)s)"
    arguments.add_argument("--epochs", type=int, default=3, help=epochs)
    alternations = "how often plain and ours are run alternately (default: %(default)s)"
    arguments.add_argument("--alternations", type=int, default=5, help=alternations)
    options = arguments.parse_args()
    if options.epochs < 2:
        raise SystemExit("--epochs must be at least 2, because the first epoch is not counted.")
    with temporary_folder(options) as folder:
        measured = measure(options, folder)
    count, size = CELLS * options.genes, checked_config()["training"]["batch_size"]
    rows, notes, ratios = table(measured, count, size)
    title = f"Training on {count:,} samples in batches of {size}, threads: ours {options.threads}, plain all"
    show(options, title, rows, notes, ratios=ratios)


if __name__ == "__main__":
    main()
