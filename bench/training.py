"""Measures training at the report's size: plain Keras and ours, alternately, each in a process of its own.

Plain is the network of standard layers, compiled and fitted on float32 arrays in memory, the DNA one-hot: its memory grows with the
number of samples. Ours is the function that
rule train calls, on a store with the same samples; dropout, shuffling and gathering are part of both. The first epoch, in which
things are compiled, is left out.
"""

import statistics
import time

from common import (
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

# So many that a batch can hold as many of one gene: see training.genes_per_batch in config.yaml.
CELLS = 10
GENES_PER_BATCH = 10


def train_plain(store, epochs):
    """Train with plain Keras on all samples of a store; return the seconds [epoch] at which its epochs ended."""
    import keras
    import numpy as np

    from wakawaka.network.build import build_model, model_inputs
    from wakawaka.store import targets
    from wakawaka.store.store import Store

    store, config = Store(store_files(store)), checked_config()
    modules, schedule = config["modules"], config["training"]
    target, everything = target_of(config), np.ones(store.expression.shape, bool)
    truth = targets.values(store, target, targets.fit(store, target, everything))
    cells, genes = np.indices(truth.shape).reshape(2, -1)
    inputs = model_inputs(store, modules, cells, genes)
    model = build_model(config["models"]["wakawaka"], modules=modules, **store.sizes)
    model.compile(keras.optimizers.Adam(schedule["learning_rate"]), "mse")
    ends = []
    clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(time.monotonic()))
    settings = {"batch_size": schedule["batch_size"], "epochs": epochs, "verbose": 0, "callbacks": [clock]}
    model.fit(inputs, truth.reshape(-1, 1), shuffle=True, **settings)
    return ends


def train_ours(store, samples, folder, epochs, threads, genes_per_batch):
    """Train with our engine; return the seconds [epoch] at which its epochs ended."""
    schedule = {"epochs": epochs, "genes_per_batch": genes_per_batch}
    return train_run(store, samples, folder, run="final", threads=threads, **schedule)["seconds"].tolist()


def measure(options, folder):
    """Return, for each way of training, the list of (seconds of an epoch, peak memory) of the alternations."""
    store, samples = write_random_store(folder, cells=CELLS, genes=options.genes)
    ours = (train_ours, store, samples, folder, options.epochs, options.threads)
    ways = {
        "plain": (train_plain, store, options.epochs),
        "ours": (*ours, None),
        f"ours, genes_per_batch {GENES_PER_BATCH}": (*ours, GENES_PER_BATCH),
    }
    measured = {way: [] for way in ways}
    for number in range(1, options.alternations + 1):
        for way, call in ways.items():
            progress("alternation %d of %d: %s", number, options.alternations, way)
            ends, _, memory = in_own_process(*call)
            measured[way].append(((ends[-1] - ends[0]) / (options.epochs - 1), memory))
    return measured


def main():
    options = parser(__doc__)
    options.add_argument("--genes", type=int, default=400, help=f"in {CELLS} cells each (default: %(default)s)")
    options.add_argument("--epochs", type=int, default=3, help="of each training, 2 at least (default: %(default)s)")
    options.add_argument("--alternations", type=int, default=5, help="of plain and ours (default: %(default)s)")
    options = options.parse_args()
    if options.epochs < 2:
        raise SystemExit("--epochs must be at least 2, because the first one is not counted.")
    with temporary_folder(options) as folder:
        measured = measure(options, folder)
    count, size = CELLS * options.genes, checked_config()["training"]["batch_size"]
    rows, notes, ratios = [], [], {}
    for way, results in measured.items():
        seconds = [second for second, _ in results]
        median = statistics.median(seconds)
        row = {"training": way, "ms per batch": 1000 * median / (count / size), "samples/s": count / median}
        rows.append(row | max((memory for _, memory in results), key=lambda memory: memory["private MB"] or 0))
        if way != "plain":
            plain = [second for second, _ in measured["plain"]]
            sentence, ratios[way] = ratio(list(zip(plain, seconds, strict=True)), way)
            notes.append(sentence)
    title = f"Training on {count:,} samples in batches of {size}, threads: ours {options.threads}, plain all"
    show(options, title, rows, notes, ratios=ratios)


if __name__ == "__main__":
    main()
