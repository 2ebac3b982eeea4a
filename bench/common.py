"""What the benchmarks share: the library on the path, the config, processes of their own with their memory, and the table."""

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
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import packages_distributions, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Here alone; the other files import this module before any of the library.
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

# The sizes of a gene's window in the course.
MARKS = ("H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3", "H3K9me3")
WINDOW, BINS = 10_000, 100

# Between two looks at the memory of a process, in seconds.
INTERVAL = 2


def parser(description, kept=False):
    """Return an argument parser with the options that all benchmarks have; `kept`: a folder that is named keeps its files."""
    options = argparse.ArgumentParser(description=description)
    threads = min(2, os.cpu_count())
    options.add_argument("--threads", type=int, default=threads, help="of ours (default: %(default)s)")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the table as JSON too")
    default = tempfile.gettempdir()
    folder = "where the temporary files are put, and removed at the end (default: %(default)s)"
    if kept:
        default, folder = None, "where files are kept and found again (default: a temporary one, removed at the end)"
    options.add_argument("--folder", type=Path, default=default, help=folder)
    return options


def temporary_folder(options):
    """Return a context manager that yields the path of a new folder in `options.folder`, removed at the end."""
    options.folder.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="wakawaka-bench-", dir=options.folder)


def checked_config():
    """Return the config of `make run`."""
    import yaml

    from wakawaka.config.check import check_config

    schema = ROOT / "workflow" / "schemas" / "config.schema.yaml"
    return check_config(*(yaml.safe_load(path.read_text()) for path in (ROOT / "config.yaml", schema)))


def target_of(config):
    """Return the target of a config, as rules/common.smk makes it."""
    return {"kind": config["expression"]["target"], "transform": config["expression"]["transform"]}


def store_files(folder):
    """Return the paths of the store's files in a folder."""
    return sorted(path for path in Path(folder).iterdir() if path.suffix in (".npy", ".json", ".tsv"))


def train_run(store, samples, folder, *, run, threads, seed=1, **schedule):
    """Train the config's model by the function that rule train calls; return its history (DataFrame).

    Args:
        store: folder. samples: path of the table of regimes.
        folder: where model.keras, preprocessing.json and history.tsv are written.
        schedule: what differs from `training` in the config.
    """
    from wakawaka.core.files import read_table
    from wakawaka.training.train import train

    config, folder = checked_config(), Path(folder)
    train(
        store_files(store),
        samples,
        folder / "model.keras",
        folder / "preprocessing.json",
        folder / "history.tsv",
        folder / "checkpoint.npz",
        run=run,
        spec=config["models"]["wakawaka"],
        modules=config["modules"],
        shuffled_dna=False,
        target=target_of(config),
        schedule=config["training"] | schedule,
        seed=seed,
        threads=threads,
        code="benchmark",
    )
    return read_table(folder / "history.tsv")


def in_own_process(function, *arguments, **named):
    """Call a function in a new process; return (its result, seconds, peak memory of the process).

    The seconds are those of the whole process, with its start. The memory is a dict with `private MB` (without the pages of files, such as
    those of the store and of libraries) and `resident MB` (with them), both None where the system does not tell.
    """
    start = time.monotonic()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        result, memory = pool.submit(_watched, function, arguments, named).result()
    return result, time.monotonic() - start, memory


def peak_memory():
    """Return the most memory that was resident of this process, in MB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    # That of getrusage begins with what the parent had.
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) * 1024 / 1e6


def megabytes(usage):
    """Return ru_maxrss in MB; its unit is KiB, on a Mac bytes."""
    return usage * (1 if sys.platform == "darwin" else 1024) / 1e6


def progress(message, *arguments):
    """Say on stderr how far the benchmark is."""
    print(message % arguments, file=sys.stderr, flush=True)


def ratio(pairs, what):
    """Return a sentence with the median, the smallest and the largest ratio of (plain, ours) pairs, and these as a dict."""
    ratios = [plain / ours for plain, ours in pairs]
    numbers = {"median": statistics.median(ratios), "smallest": min(ratios), "largest": max(ratios)}
    sentence = (
        f"{what}: {numbers['median']:.1f} times as fast as plain "
        f"(median of {len(ratios)} pairs, {numbers['smallest']:.1f} to {numbers['largest']:.1f})"
    )
    return sentence, numbers


def show(options, title, rows, notes=(), **more):
    """Print the table and the notes below it; write them to `options.json`, with `more`, if it is given.

    Args:
        rows: list of dicts from column to text, number, None, or (mean, standard deviation).
    """
    machine = _machine()
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
        content = {"machine": machine, "settings": settings, "title": title, "rows": rows, "notes": list(notes), **more}
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _watched(function, arguments, named):
    """Call a function while a thread watches the memory of the process; return its result and the peak."""
    from wakawaka.core.progress import PROGRESS

    # TensorFlow's C++ code greets four times in every process, whatever its log level; Python has the screen to itself.
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    logging.basicConfig(format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    logging.getLogger("wakawaka").setLevel(PROGRESS)
    peak, done = {"private MB": None, "resident MB": None}, threading.Event()
    watcher = threading.Thread(target=_watch, args=(peak, done), daemon=True)
    watcher.start()
    result = function(*arguments, **named)
    done.set()
    watcher.join()
    return result, peak


def _watch(peak, done):
    rollup, ended = Path("/proc/self/smaps_rollup"), False
    while rollup.exists() and not ended:
        ended = done.wait(INTERVAL)
        fields = dict(line.split()[:2] for line in rollup.read_text().splitlines()[1:])
        # A page of a file counts as Private_ as long as no other process maps it, so that these fields would hold the store.
        for name, field in (("private MB", "Anonymous:"), ("resident MB", "Rss:")):
            peak[name] = max(peak[name] or 0, round(int(fields[field]) * 1024 / 1e6))


def _machine():
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


def _text(value):
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return " ± ".join(map(_text, value))
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
