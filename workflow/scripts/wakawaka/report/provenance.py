"""The provenance of a run: its data, settings, software, models and times.

The tables of two runs can be compared line by line. Runs with different numbers differ in the data, the settings, the software or the
machine. Equal runs differ only in `seconds` and `max_rss_mb`.
"""

import csv
import hashlib
import json
import logging
import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wakawaka.core.files import PathLike, sha256, write_table
from wakawaka.network.preprocessing import read_preprocessing
from wakawaka.splits.regimes import HELD_OUT, TRAIN
from wakawaka.splits.samples import read_regimes
from wakawaka.store import targets
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

# Packages whose versions may change numbers and figures.
PACKAGES = (
    "snakemake", "numpy", "pandas", "scipy", "scikit-learn", "polars", "keras", "tensorflow", "tensorflow-cpu", "numba", "matplotlib",
    "seaborn", "pyfaidx",
)  # fmt: skip
# The columns of Snakemake's benchmark files: seconds of wall clock, and the peak of the resident memory in MB.
MEASURED = {"seconds": "s", "max_rss_mb": "max_rss"}
UNKNOWN = "-"

# Topic, item and value.
Row = tuple[str, str, str]


def provenance(
    store: Sequence[PathLike],
    samples: PathLike,
    preprocessing: Iterable[PathLike],
    table: PathLike,
    *,
    benchmarks: PathLike,
    config: Mapping[str, Any],
    target: targets.Target,
) -> None:
    """Write the provenance of a run as a table of the columns topic, item and value.

    Topics:
    source, store: SHA-256 of every source file, and of every file of the store.
    data: sizes, scale and marks of the store.
    samples, target mean, target variance: those of the samples with a truth in the final run: `train`, each regime of the test set, and
    `test`, all of these. The variance is divided by n.
    settings: main settings, and a checksum of all settings.
    software: versions and machine of the process that writes this table.
    made_with <model>/<run>: seed, threads, device and versions of each training.
    seconds, max_rss_mb: those of every job with a benchmark file, including jobs of earlier settings.

    Args:
        store: paths of the store's files.
        samples: path of the table of regimes.
        preprocessing: paths of what `train` writes with every model, <model>/<run>/preprocessing.json.
        table: output path.
        benchmarks: path of the folder of Snakemake's benchmark files; it may be missing.
        config: the checked config.
        target: what is predicted, see targets.py.
    """
    opened = Store(store)
    rows = [
        *_data(opened, store),
        *_samples(opened, samples, target),
        *_settings(config, target),
        *_software(),
        *(row for path in preprocessing for row in _made_with(Path(path))),
        *_measured(Path(benchmarks)),
    ]
    write_table(pd.DataFrame(rows, columns=["topic", "item", "value"]).astype(str), table)
    log.info("%d lines of data, settings, software, models and times", len(rows))


def _data(store: Store, paths: Iterable[PathLike]) -> Iterator[Row]:
    """Yield the rows of the source files and of the store."""
    info = store.info
    yield from (("source", source["path"], source["sha256"]) for source in info.sources)
    yield from (("store", path.name, sha256(path)) for path in map(Path, paths))
    names = ["cells", "genes", "bins", "bin_size", "window", "strand_aware", "scale"]
    yield from _rows("data", {name: getattr(info, name) for name in names} | {"marks": ", ".join(info.marks)})


def _samples(store: Store, samples: PathLike, target: targets.Target) -> Iterator[Row]:
    """Yield the numbers of the samples with a truth, and the mean and the variance of their targets."""
    regimes = read_regimes(samples, store, "final")
    truth = targets.values(store, target, targets.fit(store, target, regimes == TRAIN)).astype(np.float64)
    masks = {name: regimes == name for name in (TRAIN, *HELD_OUT)}
    masks = {name: mask for name, mask in masks.items() if mask.any()} | {"test": regimes != TRAIN}
    found = {name: truth[mask & np.isfinite(truth)] for name, mask in masks.items()}
    yield from _rows("samples", {name: len(values) for name, values in found.items()})
    yield from _rows("target mean", {name: values.mean() if len(values) else None for name, values in found.items()})
    yield from _rows("target variance", {name: values.var() if len(values) else None for name, values in found.items()})


def _settings(config: Mapping[str, Any], target: targets.Target) -> list[Row]:
    """Return the rows of the settings."""
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"))
    settings = {
        "seed": config["seed"],
        "target": target["kind"],
        "transform": target["transform"],
        "folds": config["folds"]["number"],
        "hold_out": config["folds"]["hold_out"],
        "modules": ", ".join(config["modules"]),
        # All settings with their defaults; the order and the comments of the files have no effect.
        "config_sha256": hashlib.sha256(canonical.encode()).hexdigest(),
    }
    return _rows("settings", settings)


def _software() -> list[Row]:
    """Return the rows of this process: versions, operating system and processor."""
    found: dict[str, Any] = {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}
    found |= {"operating_system": platform.platform(), "cpu": _cpu(), "cores": os.cpu_count()}
    return _rows("software", {name: value for name, value in found.items() if value is not None})


def _version(package: str) -> str | None:
    """Return the version of an installed package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    """Return the model of the processor. Only Linux has it in a file; elsewhere the standard library names the kind."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _made_with(preprocessing: Path) -> list[Row]:
    """Return the rows of the training of one model, in the folder <model>/<run>."""
    made = read_preprocessing(preprocessing).made_with
    items = {name: made.get(name) for name in ("seed", "threads", "device")} | made.get("versions", {})
    return _rows(f"made_with {'/'.join(preprocessing.parts[-3:-1])}", items)


def _measured(folder: Path) -> list[Row]:
    """Return the rows of every benchmark file, named by its path in the folder; the last line of a file counts."""
    jobs: dict[str, dict[str, str]] = {}
    for path in sorted(folder.rglob("*.tsv")):
        with open(path, encoding="utf-8", newline="") as file:
            # A file without lines is being written by another job of this run.
            for row in csv.DictReader(file, delimiter="\t"):
                jobs[path.relative_to(folder).with_suffix("").as_posix()] = row
    return [(topic, job, row[column]) for topic, column in MEASURED.items() for job, row in jobs.items()]


def _rows(topic: str, values: Mapping[str, Any]) -> list[Row]:
    """Return a row for every item: floats to seven digits, None as unknown."""
    return [(topic, item, _text(value)) for item, value in values.items()]


def _text(value: Any) -> str:
    if value is None:
        return UNKNOWN
    return f"{value:.7g}" if isinstance(value, float) else str(value)
