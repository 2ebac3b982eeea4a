"""A run's fingerprint: what two runs have to have in common to be the same, and what they took.

Two runs whose numbers differ can be told apart by comparing their tables line by line: other data, other settings, other software, or
another machine. Only `seconds` and `max_rss_mb` differ between equal runs.
"""

import csv
import hashlib
import json
import logging
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pandas as pd

from wakawaka.core.files import sha256, write_table
from wakawaka.splits.regimes import HELD_OUT, TRAIN, read_regimes
from wakawaka.store import targets
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

# Distributions on whose versions numbers and figures may depend.
PACKAGES = (
    "snakemake", "numpy", "pandas", "scipy", "scikit-learn", "polars", "keras", "tensorflow", "tensorflow-cpu", "numba", "matplotlib",
    "seaborn", "pyfaidx",
)  # fmt: skip
# The columns of Snakemake's benchmark files that are shown: seconds of wall clock, and the peak of the resident memory in MB.
MEASURED = {"seconds": "s", "max_rss_mb": "max_rss"}
UNKNOWN = "-"


def fingerprint(store, samples, preprocessing, table, *, benchmarks, config, target):
    """Write what the run was made of as a table of the columns topic, item and value.

    Topics: source and store (SHA-256 of every source file and of every file of the joined store); data; samples, target mean and
    target variance (of the samples with a truth, for the final run: `train`, each regime of the test set, and `test`, all of
    these; the variance is divided by n); settings; software (of the process that writes this table); made_with <model>/<run>
    (seed, threads, device and versions of the training, `-` where its preprocessing.json does not say); seconds and max_rss_mb of
    every job whose benchmark file exists by now, jobs of former settings included.

    Args:
        store: paths of the store. samples: path of the table of regimes. preprocessing: paths of what `train` wrote beside
            every model, <model>/<run>/preprocessing.json. table: output path.
        benchmarks: path of the folder of Snakemake's benchmark files; it may be missing.
        config: dict, the checked config. target: dict, see targets.py.
    """
    rows = [
        *_data(store),
        *_samples(Store(store), samples, target),
        *_settings(config, target),
        *_software(),
        *(row for path in preprocessing for row in _made_with(Path(path))),
        *_measured(Path(benchmarks)),
    ]
    write_table(pd.DataFrame(rows, columns=["topic", "item", "value"]).astype(str), table)
    log.info("%d lines of data, settings, software, models and times", len(rows))


def _data(store):
    """Return the rows of the source files and of the store."""
    info = Store(store).info
    rows = [("source", source["path"], source["sha256"]) for source in info["sources"]]
    rows += [("store", path.name, sha256(path)) for path in map(Path, store)]
    names = ["cells", "genes", "bins", "bin_size", "window", "oriented", "scale"]
    return [*rows, *_rows("data", {name: info[name] for name in names} | {"marks": ", ".join(info["marks"])})]


def _samples(store, samples, target):
    """Return the rows of the samples with a truth: how many, and the mean and the variance of their targets."""
    regimes = read_regimes(samples, store, "final")
    truth = targets.values(store, target, targets.fit(store, target, regimes == TRAIN)).astype(np.float64)
    blocks = {name: regimes == name for name in (TRAIN, *HELD_OUT)}
    blocks = {name: block for name, block in blocks.items() if block.any()} | {"test": regimes != TRAIN}
    found = {name: truth[block & np.isfinite(truth)] for name, block in blocks.items()}
    return [
        *_rows("samples", {name: len(values) for name, values in found.items()}),
        *_rows("target mean", {name: values.mean() if len(values) else None for name, values in found.items()}),
        *_rows("target variance", {name: values.var() if len(values) else None for name, values in found.items()}),
    ]


def _settings(config, target):
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"))
    settings = {
        "seed": config["seed"],
        "target": target["kind"],
        "transform": target["transform"],
        "folds": config["folds"]["number"],
        "hold_out": config["folds"]["hold_out"],
        "modules": ", ".join(config["modules"]),
        # Of all settings, defaults included, whatever their order and comments in the files.
        "config_sha256": hashlib.sha256(canonical.encode()).hexdigest(),
    }
    return _rows("settings", settings)


def _software():
    """Return the rows of this process: versions, operating system and processor."""
    found = {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}
    found |= {"operating_system": platform.platform(), "cpu": _cpu(), "cores": os.cpu_count()}
    return _rows("software", {name: value for name, value in found.items() if value is not None})


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu():
    """Return the model of the processor; Linux tells it in a file, other systems less of it through the standard library."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _made_with(preprocessing):
    """Return the rows of one model, of the folder <model>/<run>."""
    made = json.loads(preprocessing.read_text(encoding="utf-8")).get("made_with", {})
    items = {name: made.get(name) for name in ("seed", "threads", "device")} | made.get("versions", {})
    return _rows(f"made_with {'/'.join(preprocessing.parts[-3:-1])}", items)


def _measured(folder):
    """Return the rows of every benchmark file, named as its path in the folder; of a job that was measured again, the last."""
    jobs = {}
    for path in sorted(folder.rglob("*.tsv")):
        with open(path, encoding="utf-8", newline="") as file:
            # None where another job of this run is just about to write it.
            jobs |= {
                path.relative_to(folder).with_suffix("").as_posix(): row for row in csv.DictReader(file, delimiter="\t")
            }
    return [(topic, job, row[column]) for topic, column in MEASURED.items() for job, row in jobs.items()]


def _rows(topic, values):
    """Return a row for every item of a dict, its value as text: floats to seven digits, None as unknown."""
    return [(topic, item, _text(value)) for item, value in values.items()]


def _text(value):
    if value is None:
        return UNKNOWN
    return f"{value:.7g}" if isinstance(value, float) else str(value)
