"""Measures what training.genes_per_batch does to the loss: fold-1 of the built-in example, trained with and without it.

Uses the store and the split that the pipeline has written to results/.
"""

import argparse
import sys
from typing import Any

import numpy as np
import pandas as pd
from common import (
    ROOT,
    Row,
    checked_config,
    in_own_process,
    parser,
    progress,
    show,
    store_files,
    target_of,
    temporary_folder,
    train_run,
)

STORE = ROOT / "results" / "store"
SAMPLES = ROOT / "results" / "splits" / "samples.tsv.gz"
RUN = "fold-1"


def genes_of_samples() -> np.ndarray:
    """Return the gene [sample] int64 of every training sample of the fold."""
    from wakawaka.splits.regimes import TRAIN
    from wakawaka.splits.samples import read_regimes
    from wakawaka.store import targets
    from wakawaka.store.store import Store

    store = Store(store_files(STORE))
    known = targets.known(store, target_of(checked_config()))
    return np.nonzero((read_regimes(SAMPLES, store, RUN) == TRAIN) & known)[1]


def settings_of(options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Return a dict from a label to what differs from `training` in the config."""
    schedule = checked_config()["training"] | ({"epochs": options.epochs} if options.epochs else {})
    return {
        str(number or "null"): schedule | {"genes_per_batch": number} for number in [None, *options.genes_per_batch]
    }


def measure(options: argparse.Namespace, settings: dict[str, dict[str, Any]], folder: str) -> dict[str, pd.DataFrame]:
    """Return, for each setting, a table of the histories' last rows, with a row per seed."""
    last: dict[str, list[pd.Series]] = {label: [] for label in settings}
    for seed in range(1, options.seeds + 1):
        for label, schedule in settings.items():
            progress("seed %d of %d, genes_per_batch %s", seed, options.seeds, label)
            arguments = {"run": RUN, "threads": options.threads, "seed": seed, **schedule}
            history, *_ = in_own_process(train_run, STORE, SAMPLES, folder, **arguments)
            last[label].append(history.iloc[-1])
    return {label: pd.DataFrame(rows).drop(columns="epoch") for label, rows in last.items()}


def row_of(label: str, table: pd.DataFrame) -> Row:
    """Return a row of the printed table: the (mean, standard deviation) over the seeds."""
    deviations = table.std() if len(table) > 1 else dict.fromkeys(table)
    return {"genes_per_batch": label} | {
        name: (float(values.mean()), deviations[name]) for name, values in table.items()
    }


def check(options: argparse.Namespace, size: int) -> None:
    """End with a sentence if the example is not there, or if a setting does not divide a batch of `size` samples."""
    if not (STORE / "store.json").exists() or not SAMPLES.exists():
        sys.exit(
            "The built-in example is not there: run `snakemake --cores 2 --until split` in the project's folder first."
        )
    for number in options.genes_per_batch:
        if size % number:
            sys.exit(
                f"--genes-per-batch {number} does not divide the {size} samples of a batch (`training.batch_size`)."
            )


def main() -> None:
    """Train with each setting and each seed, and print the table."""
    arguments = parser(__doc__)
    arguments.add_argument("--seeds", type=int, default=3, help="number of seeds, from 1 (default: %(default)s)")
    arguments.add_argument(
        "--epochs", type=int, help="number of epochs of each training (default: that of config.yaml)"
    )
    arguments.add_argument(
        "--genes-per-batch",
        type=int,
        nargs="+",
        default=[50, 20],
        help="settings that are compared with null (default: 50 20)",
    )
    options = arguments.parse_args()
    size = checked_config()["training"]["batch_size"]
    check(options, size)
    genes = genes_of_samples()
    with temporary_folder(options) as folder:
        tables = measure(options, settings_of(options), folder)
    rows = [row_of(label, table) for label, table in tables.items()]
    notes = [f"{RUN} has {len(genes) / len(np.unique(genes)):.3g} training cells per gene."]
    for number in options.genes_per_batch:
        notes.append(f"{number} genes per batch leave places for {size // number} cells of each.")
    title = f"The last epoch of {RUN} of the built-in example: mean ± standard deviation over {options.seeds} seeds"
    show(options, title, rows, notes)


if __name__ == "__main__":
    main()
