"""Shared code of the benchmarks: library path, config, processes with measured memory, and the printed table."""

import argparse
import json
import logging
import multiprocessing
import os
import platform
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import pandas

ROOT = Path(__file__).resolve().parents[1]
# Only here: the other files import this module before any module of the library.
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

# The marks of the course, the bp of a gene's window, and the number of its bins.
MARKS = ("H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3", "H3K9me3")
WINDOW, BINS = 10_000, 100

# Seconds between two readings of the memory of a process.
INTERVAL = 2

PathLike = str | os.PathLike[str]
Result = TypeVar("Result")
# The peaks `private MB` and `resident MB`.
Memory = dict[str, int | None]
# A row of a printed table: texts, numbers, None, or tuples of a mean and its standard deviation.
Row = dict[str, Any]


def parser(description: str | None, kept: bool = False) -> argparse.ArgumentParser:
    """Return an argument parser with the options of all benchmarks. If `kept`, the files of a named folder are kept."""
    options = argparse.ArgumentParser(description=description)
    threads = min(2, os.cpu_count() or 1)
    options.add_argument(
        "--threads", type=int, default=threads, help="number of threads of ours (default: %(default)s)"
    )
    options.add_argument("--json", type=Path, metavar="FILE", help="also write the table as JSON")
    default: str | None = tempfile.gettempdir()
    folder = "folder of the temporary files, which are removed at the end (default: %(default)s)"
    if kept:
        default, folder = (
            None,
            "folder whose files are kept and used again (default: a temporary one, removed at the end)",
        )
    options.add_argument("--folder", type=Path, default=default, help=folder)
    return options


def temporary_folder(options: argparse.Namespace) -> tempfile.TemporaryDirectory[str]:
    """Return a context manager that yields the path of a new folder in `options.folder`, removed at the end."""
    options.folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="wakawaka-bench-", dir=options.folder)


def checked_config() -> dict[str, Any]:
    """Return the config of `make run`."""
    import yaml

    from wakawaka.config.check import check_config

    schema = ROOT / "workflow" / "schemas" / "config.schema.yaml"
    return check_config(*(yaml.safe_load(path.read_text()) for path in (ROOT / "config.yaml", schema)))


def target_of(config: dict[str, Any]) -> dict[str, Any]:
    """Return the target of a config, as the rules pass it to their scripts."""
    return {"kind": config["expression"]["target"], "transform": config["expression"]["transform"]}


def store_files(folder: PathLike) -> list[Path]:
    """Return the paths of the store's files in a folder."""
    return sorted(path for path in Path(folder).iterdir() if path.suffix in (".npy", ".json", ".tsv"))


def train_run(
    store: PathLike, samples: PathLike, folder: PathLike, *, run: str, threads: int, seed: int = 1, **schedule: Any
) -> "pandas.DataFrame":
    """Train the config's model by the function that rule train calls; return its history.

    Args:
        store: folder of the store.
        samples: path of the table of regimes.
        folder: folder where model.keras, preprocessing.json and history.tsv are written.
        run: column of `samples`.
        threads: number of threads.
        seed: seed of the training.
        schedule: what differs from `training` in the config.
    """
    from wakawaka.core.files import read_table
    from wakawaka.training.train import TrainingFiles, TrainingSettings, train

    config, folder = checked_config(), Path(folder)
    files = TrainingFiles(
        history=folder / "history.tsv",
        checkpoint=folder / "checkpoint.npz",
        model=folder / "model.keras",
        preprocessing=folder / "preprocessing.json",
    )
    settings = TrainingSettings(
        run=run,
        spec=config["models"]["wakawaka"],
        modules=config["modules"],
        target=target_of(config),
        schedule=config["training"] | schedule,
        seed=seed,
        threads=threads,
        code="benchmark",
    )
    train(store_files(store), samples, files, settings)
    return read_table(folder / "history.tsv")


def in_own_process(function: Callable[..., Result], *arguments: Any, **named: Any) -> tuple[Result, float, Memory]:
    """Call a function in a new process; return (its result, seconds, peak memory of the process).

    The seconds include the start of the process. The memory has `private MB` (without the pages of files, such as those
    of the store and of libraries) and `resident MB` (with them). Both are None on systems without /proc.
    """
    start = time.monotonic()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        result, memory = pool.submit(_watched, function, arguments, named).result()
    return result, time.monotonic() - start, memory


def peak_memory() -> float:
    """Return the peak resident memory of this process, in MB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    # ru_maxrss of a process starts at the peak of its parent.
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024 / 1e6


def megabytes(usage: int) -> float:
    """Return ru_maxrss in MB; its unit is KiB, on a Mac bytes."""
    return usage * (1 if sys.platform == "darwin" else 1024) / 1e6


def progress(message: str, *arguments: Any) -> None:
    """Print the progress of the benchmark on stderr."""
    print(message % arguments, file=sys.stderr, flush=True)


def ratio(pairs: Iterable[tuple[float, float]], what: str) -> tuple[str, dict[str, float]]:
    """Return a sentence with the median, smallest and largest ratio of (plain, ours) pairs, and the three as a dict."""
    ratios = [plain / ours for plain, ours in pairs]
    numbers = {"median": statistics.median(ratios), "smallest": min(ratios), "largest": max(ratios)}
    sentence = (
        f"{what}: {numbers['median']:.1f} times as fast as plain "
        f"(median of {len(ratios)} pairs, {numbers['smallest']:.1f} to {numbers['largest']:.1f})"
    )
    return sentence, numbers


def show(options: argparse.Namespace, title: str, rows: Sequence[Row], notes: Iterable[str] = (), **more: Any) -> None:
    """Print the table with the notes below it. With `--json`, also write them and `more` as JSON.

    Args:
        options: the parsed options of the benchmark.
        title: the line above the table.
        rows: dicts with the same columns in the same order.
        notes: sentences.
    """
    machine, notes = _machine(), list(notes)
    print(f"{machine['cpu']}, {machine['cores']} cores, TensorFlow {machine['tensorflow']}, Keras {machine['keras']}")
    print(f"{title}\n")
    lines = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for first, *others in lines:
        numbers = [text.rjust(width) for text, width in zip(others, widths[1:], strict=True)]
        print("  ".join([first.ljust(widths[0]), *numbers]))
    print("", *notes, sep="\n")
    if options.json:
        settings = {name: value for name, value in vars(options).items() if name not in ("json", "folder")}
        content = {"machine": machine, "settings": settings, "title": title, "rows": rows, "notes": notes, **more}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _watched(function: Callable[..., Result], arguments: Sequence[Any], named: dict[str, Any]) -> tuple[Result, Memory]:
    """Call a function while a thread reads the memory of the process; return its result and the peaks."""
    from wakawaka.core.progress import PROGRESS

    # TensorFlow's C++ code prints four lines in every process, whatever its log level. Only Python's stderr is kept.
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    logging.basicConfig(format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    logging.getLogger("wakawaka").setLevel(PROGRESS)
    peak: Memory = {"private MB": None, "resident MB": None}
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(peak, done), daemon=True)
    watcher.start()
    result = function(*arguments, **named)
    done.set()
    watcher.join()
    return result, peak


def _watch(peak: Memory, done: threading.Event) -> None:
    """Keep the highest memory of this process in `peak`, until `done` is set."""
    rollup, ended = Path("/proc/self/smaps_rollup"), False
    while rollup.exists() and not ended:
        ended = done.wait(INTERVAL)
        fields = dict(line.split()[:2] for line in rollup.read_text().splitlines()[1:])
        # The Private_ fields count pages of a file that no other process maps, so they would include the store.
        for name, field in (("private MB", "Anonymous:"), ("resident MB", "Rss:")):
            peak[name] = max(peak[name] or 0, round(int(fields[field]) * 1024 / 1e6))


def _machine() -> dict[str, Any]:
    """Return the CPU, the number of cores, and the versions of TensorFlow and Keras."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    tensorflow = packages_distributions()["tensorflow"][0]
    return {
        "cpu": models[0] if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "tensorflow": version(tensorflow),
        "keras": version("keras"),
    }


def _text(value: str | float | tuple[float, float] | None) -> str:
    """Return the text of a cell of the table."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return " ± ".join(map(_text, value))
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
