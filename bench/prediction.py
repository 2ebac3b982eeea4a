"""Measures prediction of all cells x genes of a course-shaped slice: plain Keras and ours, alternately, each in a process of its own.

Plain is `predict` of the saved model on float32 arrays in memory, the DNA one-hot, for some of the samples. Ours is what rule predict does
for all of them: numbering the words of the sequences, and the `Predictor`. Both are timed the second time they run. The predictions are
compared.
"""

import statistics
import time
from pathlib import Path

from common import (
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


def predict_plain(store, model, count):
    """Predict `count` random samples; return (seconds, cells, genes, predictions), the last three [sample]."""
    import numpy as np

    from wakawaka.network.build import load_model, model_inputs
    from wakawaka.store.store import Store

    store, modules = Store(store_files(store)), checked_config()["modules"]
    shape = len(store.cells), len(store.genes)
    chosen = np.random.default_rng(1).choice(shape[0] * shape[1], count, replace=False)
    cells, genes = np.unravel_index(chosen, shape)
    inputs, model = model_inputs(store, modules, cells, genes), load_model(model)
    for _ in range(2):
        start = time.monotonic()
        predicted = model.predict(inputs, batch_size=BATCH, verbose=0)
        seconds = time.monotonic() - start
    return seconds, cells, genes, predicted[:, 0]


def predict_ours(store, model, threads):
    """Predict all samples as rule predict does; return (seconds, predictions [cell, gene])."""
    import numpy as np

    from wakawaka.network.build import use_threads, words_of
    from wakawaka.network.inference import load_predictor
    from wakawaka.store.store import Store

    use_threads(threads)
    store, config = Store(store_files(store)), checked_config()
    spec, modules = config["models"]["wakawaka"], config["modules"]
    predictor = load_predictor(model, store, spec, modules)
    wanted = np.ones((len(store.cells), len(store.genes)), bool)
    for _ in range(2):
        start = time.monotonic()
        words_of(store, spec, modules)
        predicted = predictor(store, wanted)
        seconds = time.monotonic() - start
    return seconds, predicted


def measure(options, folder):
    """Return the lists [alternation] of seconds per sample of plain and of ours, and the largest difference (absolute, relative)."""
    # Few training genes: the model has to have weights, not to be good.
    sizes = {"held_out_cells": HELD_OUT_CELLS, "held_out_genes": options.genes * 9 // 10}
    store, samples = write_random_store(folder, cells=CELLS, genes=options.genes, **sizes)
    progress("training a model to predict with")
    in_own_process(train_run, store, samples, folder, run="final", threads=options.threads, epochs=1)
    model = Path(folder) / "model.keras"
    times, differences = {"plain": [], "ours": []}, []
    for number in range(1, options.alternations + 1):
        progress("alternation %d of %d", number, options.alternations)
        (seconds, cells, genes, expected), *_ = in_own_process(predict_plain, store, model, options.samples)
        times["plain"].append(seconds / options.samples)
        (seconds, predicted), *_ = in_own_process(predict_ours, store, model, options.threads)
        times["ours"].append(seconds / predicted.size)
        difference = float(abs(predicted[cells, genes] - expected).max())
        differences.append((difference, difference / float(expected.std())))
    return times, max(differences)


def main():
    options = parser(__doc__)
    # As rule predict.
    options.set_defaults(threads=1)
    options.add_argument("--genes", type=int, default=300, help=f"in {CELLS} cells each (default: %(default)s)")
    options.add_argument("--samples", type=int, default=1000, help="that plain Keras predicts (default: %(default)s)")
    options.add_argument("--alternations", type=int, default=5, help="of plain and ours (default: %(default)s)")
    options = options.parse_args()
    with temporary_folder(options) as folder:
        times, (absolute, relative) = measure(options, folder)
    count = {"plain": options.samples, "ours": CELLS * options.genes}
    medians = {way: statistics.median(times[way]) for way in times}
    rows = [
        {"prediction": way, "samples": count[way], "ms per 100": 1e5 * median, "samples/s": 1 / median}
        for way, median in medians.items()
    ]
    sentence, ratios = ratio(list(zip(times["plain"], times["ours"], strict=True)), "ours")
    same = "the same" if absolute <= TOLERANCE else "NOT the same"
    difference = f"largest difference {absolute:.2g}, {relative:.2g} standard deviations of the predictions: {same}"
    title = f"Prediction of {CELLS} cells x {options.genes} genes, threads: ours {options.threads}, plain all"
    more = {"ratios": ratios, "difference": {"absolute": absolute, "relative": relative}}
    show(options, title, rows, [sentence, difference], **more)
    if absolute > TOLERANCE:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
