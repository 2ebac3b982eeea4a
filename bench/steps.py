"""Measures where the time of one training step goes, for plain Keras and ours, and the least time possible.

Both train the report's model at full size on random batches of 100 samples, under TensorFlow's own profiler, which
records the name and the duration of each operation. The floor of a row is the least time that this machine needs for
it. It is one of three: its arithmetic at the speed of a large matrix product, its reads and writes at the speed of
copying memory, or its reads from tables at the speed of the second-level cache. These speeds are measured in the same
run.
"""

import collections
import re
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from common import BINS, MARKS, WINDOW, Row, checked_config, in_own_process, parser, progress, show

BATCH, WARM_UP = 100, 5
# Repeats of a measurement of the machine's speed, of which the fastest counts.
REPEATS = 7
MODULES = ["histone", "dna"]
SIZES = {"marks": len(MARKS), "bins": BINS, "window": WINDOW}

# The name of a row and the pattern of the names of its operations; the first pattern that matches is taken. The last
# one matches all others: those of Adam, which are the only operations outside the layers.
ROWS = {
    "DNA: lookup, or convolution and pooling": r"^functional.*dna_convolution_1",
    "DNA: their gradient": r"gradient_tape.*dna_convolution_1|^PyFunc",
    "DNA: dropout": r"dna_dropout",
    "DNA: dense layer and its gradient": r"dna_dense|dna_features|dna_flatten",
    "histone module and its gradient": r"histone",
    "joint module, loss": r"joint|expression|loss|mean|Mean|SquaredDifference|compile",
    "Adam": r"",
}


def profile_plain(threads: int, count: int) -> dict[str, float]:
    """Return the ms per step of every row, for the network of standard layers and Keras' own training step."""
    import keras

    from wakawaka.network.backend import use_threads
    from wakawaka.network.build import build_model

    use_threads(threads)
    config = checked_config()
    model = build_model(config["models"]["wakawaka"], modules=MODULES, **SIZES)
    model.compile(keras.optimizers.Adam(config["training"]["learning_rate"]), "mse")
    histone, codes, truth = random_batch()
    inputs = [histone, np.eye(4, dtype=np.float32)[codes]]
    return profile(lambda: model.train_on_batch(inputs, truth), count)


def profile_ours(threads: int, count: int) -> dict[str, float]:
    """Return the ms per step of every row, for the `Trainer` that rule train uses."""
    from wakawaka.network.backend import use_threads
    from wakawaka.network.kmer_kernels import index_kmers
    from wakawaka.training.trainer import Trainer

    use_threads(threads)
    config = checked_config()
    spec = config["models"]["wakawaka"]
    histone, codes, truth = random_batch()
    kmer_index = index_kmers(codes, spec["dna"]["convolutions"][0]["kernel_size"])
    trainer = Trainer(spec, MODULES, SIZES, kmer_index, config["training"]["learning_rate"])
    steps = trainer.steps(lambda _: ([histone, kmer_index.index], truth), range(WARM_UP + count))
    return profile(lambda: next(steps), count)


def random_batch() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return histone [sample, bin, mark] float32, DNA [sample, position] uint8, truth [sample, 1] float32."""
    rng = np.random.default_rng(1)
    histone = rng.random((BATCH, BINS, len(MARKS)), dtype=np.float32)
    return histone, rng.integers(0, 4, (BATCH, WINDOW), np.uint8), rng.random((BATCH, 1), dtype=np.float32)


def profile(step: Callable[[], Any], count: int) -> dict[str, float]:
    """Return the mean ms of `count` calls of `step`: of every row, between the operations, and in all."""
    import tensorflow as tf

    for _ in range(WARM_UP):
        step()
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        start = time.perf_counter()
        for _ in range(count):
            step()
        whole = (time.perf_counter() - start) * 1000 / count
        tf.profiler.experimental.stop()
        operations = operation_times(Path(folder))
    rows = dict.fromkeys(ROWS, 0.0)
    for name, milliseconds in operations.items():
        rows[next(row for row, pattern in ROWS.items() if re.search(pattern, name))] += milliseconds / count
    return rows | {"between the operations": whole - sum(rows.values()), "whole step": whole}


def operation_times(folder: Path) -> dict[str, float]:
    """Return a dict from the names of operations to their ms, from a profile that TensorFlow made on a CPU.

    Operations are the events whose name has the form `name:kind`. The network that XLA compiled is one event.
    """
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace.FromString(next(folder.rglob("*.xplane.pb")).read_bytes())
    found: dict[str, float] = collections.Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines if line.name.startswith("tf_Compute") for event in line.events):
            name = plane.event_metadata[event.metadata_id].name
            if re.fullmatch(r"[^:]+:\w+", name) or name.startswith("CpuExecutable"):
                found[name] += event.duration_ps / 1e9
    return found


def floor_times(threads: int) -> tuple[dict[str, float], list[str]]:
    """Return a dict from some rows to the least ms that this machine needs for them, and sentences about them."""
    size = 2048
    matrix = np.random.default_rng(1).random((size, size), dtype=np.float32)
    product = 2 * size**3 / fastest(lambda: matrix @ matrix)
    # Arrays far larger than all caches, and far smaller than the second-level cache.
    memory, cache = copy_speed(threads, 2**26), copy_speed(threads, 2**17)
    weights, features, filters, positions = 41184 * 82, 41184, 132, 9984
    floors = {
        # Each position reads one row of the table.
        "DNA: lookup, or convolution and pooling": BATCH * positions * filters * 4 / cache,
        # The pooled gradients and the positions of the maxima are read once.
        "DNA: their gradient": BATCH * features * 5 / memory,
        "DNA: dense layer and its gradient": 3 * 2 * BATCH * weights / product,
        # The weights and both moments are read and written, and the gradients are read.
        "Adam": 7 * 4 * weights / memory,
    }
    notes = [
        f"The floor takes {product / 1e9:.0f} GFLOP/s (product of two matrices of {size} x {size}), {memory / 1e9:.0f} GB/s "
        f"(copying memory, reads and writes), {cache / 1e9:.0f} GB/s (copying within the second-level cache).",
        f"Together {sum(floors.values()) * 1000:.1f} ms.",
    ]
    return {name: seconds * 1000 for name, seconds in floors.items()}, notes


def copy_speed(threads: int, count: int) -> float:
    """Return the bytes per second, read and written, of copying `count` float32 in every thread."""
    pairs = [(np.ones(count, np.float32), np.ones(count, np.float32)) for _ in range(threads)]
    times = max(1, 2**24 // count)

    def copy(pair: tuple[np.ndarray, np.ndarray]) -> None:
        for _ in range(times):
            np.copyto(*pair)

    with ThreadPoolExecutor(threads) as pool:
        return threads * times * count * 8 / fastest(lambda: list(pool.map(copy, pairs)))


def fastest(function: Callable[[], Any]) -> float:
    """Return the seconds of the fastest of REPEATS calls."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    """Profile both ways, measure the machine, and print the table."""
    arguments = parser(__doc__)
    arguments.add_argument("--steps", type=int, default=30, help="number of steps (default: %(default)s)")
    options = arguments.parse_args()
    times = {}
    for name, function in (("plain", profile_plain), ("ours", profile_ours)):
        progress("%s", name)
        times[name], _, _ = in_own_process(function, options.threads, options.steps)
    progress("the machine")
    floors, notes = floor_times(options.threads)
    rows: list[Row] = [
        {
            "part of the step": name,
            "plain ms": times["plain"][name],
            "ours ms": times["ours"][name],
            "floor ms": floors.get(name),
        }
        for name in [*ROWS, "between the operations", "whole step"]
    ]
    show(options, f"A step of {BATCH} samples, {options.threads} threads", rows, notes)


if __name__ == "__main__":
    main()
