"""Measures training and prediction at the course's size, on a random store of 56 cells x 17,447 genes.

One epoch of 800,000 samples is trained by the function that rule train calls. All cells and genes, with 177,032 test
samples, are predicted by the function that rule predict calls. Each step is a process of its own, and its time is that
of the whole process. Needs 0.4 GB of free disk in --folder and 0.018 GB for each cell: 1.4 GB for 56 cells.
"""

import argparse
from pathlib import Path

from common import Memory, Row, in_own_process, parser, progress, show, store_files, temporary_folder, train_run
from random_store import write_random_store

# As in the course: 6 of 56 cells and 1,447 of 17,447 genes are held out.
CELLS, HELD_OUT_CELLS = 56, 6
GENES, HELD_OUT_GENES = 17_447, 1_447


def predict_run(store: Path, samples: Path, folder: str, threads: int) -> None:
    """Predict all cells and genes by the function that rule predict calls."""
    from wakawaka.prediction.predict import predict

    trained = Path(folder)
    predict(
        store_files(store),
        samples,
        trained / "model.keras",
        trained / "preprocessing.json",
        trained / "predictions.tsv.gz",
        run="final",
        threads=threads,
    )


def measure(
    options: argparse.Namespace, folder: str, sizes: dict[str, int]
) -> tuple[dict[str, tuple[float, Memory]], float]:
    """Return a dict from each step to (its minutes, its peak memory), and the minutes within the training's epoch."""
    progress("writing the random store")
    (store, samples), seconds, memory = in_own_process(write_random_store, folder, **sizes)
    steps = {"store": (seconds / 60, memory)}
    progress("training")
    arguments = {"run": "final", "threads": options.threads, "epochs": 1}
    history, seconds, memory = in_own_process(train_run, store, samples, folder, **arguments)
    steps["training"] = seconds / 60, memory
    progress("predicting")
    _, seconds, memory = in_own_process(predict_run, store, samples, folder, options.threads)
    steps["prediction"] = seconds / 60, memory
    return steps, float(history["seconds"].iloc[-1]) / 60


def main() -> None:
    """Measure the steps and print the table."""
    arguments = parser(__doc__)
    text = "number of %s, with the held-out ones (default: %%(default)s)"
    arguments.add_argument("--cells", type=int, default=CELLS, help=text % "cells")
    arguments.add_argument("--genes", type=int, default=GENES, help=text % "genes")
    options = arguments.parse_args()
    cells, genes = options.cells, options.genes
    held_out = round(cells * HELD_OUT_CELLS / CELLS), round(genes * HELD_OUT_GENES / GENES)
    sizes = {"cells": cells, "genes": genes, "held_out_cells": held_out[0], "held_out_genes": held_out[1]}
    with temporary_folder(options) as folder:
        steps, epoch = measure(options, folder, sizes)
    trained = (cells - held_out[0]) * (genes - held_out[1])
    samples = {"store": cells * genes, "training": trained, "prediction": cells * genes}
    rows: list[Row] = [
        {"step": step, "samples": samples[step], "minutes": minutes, **memory}
        for step, (minutes, memory) in steps.items()
    ]
    total = steps["training"][0] + steps["prediction"][0]
    outside = steps["training"][0] - epoch
    notes = [
        f"training and prediction: {total:.2f} minutes; the predictions include {cells * genes - trained:,} test samples",
        f"training outside its epoch (start, reading, saving): {outside:.2f} minutes; "
        f"inside: {trained / epoch / 60:,.0f} samples/s",
    ]
    title = f"One epoch and all predictions at {cells} cells x {genes:,} genes, with {options.threads} threads"
    show(options, title, rows, notes, minutes=total, minutes_outside_epoch=outside)


if __name__ == "__main__":
    main()
