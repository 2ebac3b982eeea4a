"""Measures what training.genes_per_batch does to the loss: the first fold of the built-in example, trained with and without it.

Uses the store and the split that the pipeline has left in results/.
"""

import sys

import numpy as np
import pandas as pd
from common import (
    ROOT,
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


def genes_of_samples():
    """Return the gene [sample] of every training sample of the fold."""
    from wakawaka.splits.regimes import TRAIN, read_regimes
    from wakawaka.store import targets
    from wakawaka.store.store import Store

    store = Store(store_files(STORE))
    known = targets.known(store, target_of(checked_config()))
    return np.nonzero((read_regimes(SAMPLES, store, RUN) == TRAIN) & known)[1]


def settings_of(options):
    """Return a dict from a label to what differs from `training` in the config."""
    schedule = checked_config()["training"] | ({"epochs": options.epochs} if options.epochs else {})
    return {
        str(number or "null"): schedule | {"genes_per_batch": number} for number in [None, *options.genes_per_batch]
    }


def measure(options, settings, folder):
    """Return, for each setting, the DataFrame [seed] of the last rows of the histories."""
    last = {label: [] for label in settings}
    for seed in range(1, options.seeds + 1):
        for label, schedule in settings.items():
            progress("seed %d of %d, genes_per_batch %s", seed, options.seeds, label)
            arguments = {"run": RUN, "threads": options.threads, "seed": seed, **schedule}
            history, *_ = in_own_process(train_run, STORE, SAMPLES, folder, **arguments)
            last[label].append(history.iloc[-1])
    return {label: pd.DataFrame(rows).drop(columns="epoch") for label, rows in last.items()}


def row_of(label, table):
    """Return a row of the table: the (mean, standard deviation) over the seeds."""
    deviations = table.std() if len(table) > 1 else dict.fromkeys(table)
    return {"genes_per_batch": label} | {
        name: (float(values.mean()), deviations[name]) for name, values in table.items()
    }


def main():
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=3, help="1 to this one (default: %(default)s)")
    options.add_argument("--epochs", type=int, help="of each training (default: that of config.yaml)")
    options.add_argument(
        "--genes-per-batch", type=int, nargs="+", default=[50, 20], help="to compare with null (default: 50 20)"
    )
    options = options.parse_args()
    if not (STORE / "store.json").exists() or not SAMPLES.exists():
        sys.exit(
            "The built-in example is not there: run `snakemake --cores 2 --until split` in the project's folder first."
        )
    size = checked_config()["training"]["batch_size"]
    for number in options.genes_per_batch:
        if size % number:
            sys.exit(
                f"--genes-per-batch {number} does not divide the {size} samples of a batch (`training.batch_size`)."
            )
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
