"""Where the time of one training step goes, for plain Keras and for ours, and what the machine could do at best.

Both train the report's model at full size on random batches of 100 under TensorFlow's own profiler, which names each
operation that runs and how long. The floor of a row is its arithmetic at the speed of a large matrix product on this machine, its
reads and writes at the speed of copying memory, or what it reads from tables at the speed of the second-level cache, all
measured in the same run.
"""

import collections
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import common
import numpy as np

BATCH, STEPS, WARM_UP = 100, 30, 5

# Name of a row: pattern of the names of its operations; the first that fits is taken. What fits none belongs to Adam, the only
# operations outside the layers.
ROWS = {
    "DNA: lookup, or convolution and pooling": r"^functional.*dna_convolution_1",
    "DNA: their gradient": r"gradient_tape.*dna_convolution_1|^PyFunc",
    "DNA: dropout": r"dna_dropout",
    "DNA: dense layer and its gradient": r"dna_dense|dna_features|dna_flatten",
    "histone module and its gradient": r"histone",
    "joint module, loss": r"joint|expression|loss|mean|Mean|SquaredDifference|compile",
    "Adam": r"",
}


def main():
    options = common.parser(__doc__.splitlines()[0]).parse_args()
    times = {}
    for name, function in (("plain", _plain), ("ours", _ours)):
        common.progress("%s", name)
        times[name], _, _ = common.in_own_process(function, options.threads)
    common.progress("the machine")
    floors, notes = _floors(options.threads)
    rows = [
        {
            "part of the step": name,
            "plain ms": times["plain"][name],
            "ours ms": times["ours"][name],
            "floor ms": floors.get(name),
        }
        for name in [*ROWS, "between the operations", "whole step"]
    ]
    common.show(options, f"A step of {BATCH} samples, {options.threads} threads", rows, notes)


def _plain(threads):
    """Return the ms per step of every row, for the standard network under Keras' own training step."""
    import keras

    from wakawaka.network.build import build_model, use_threads

    use_threads(threads)
    config = common.checked_config()
    model = build_model(config["models"]["wakawaka"], modules=["histone", "dna"], marks=5, bins=100, window=10000)
    model.compile(keras.optimizers.Adam(config["training"]["learning_rate"]), "mse")
    histone, codes, truth = _batch()
    inputs = [histone, np.eye(4, dtype=np.float32)[codes]]
    return _profile(lambda: model.train_on_batch(inputs, truth))


def _ours(threads):
    """The same for ours."""
    from wakawaka.network.build import use_threads
    from wakawaka.network.kmer_kernels import find_words
    from wakawaka.training.trainer import Trainer

    use_threads(threads)
    config = common.checked_config()
    histone, codes, truth = _batch()
    words = find_words(codes, config["models"]["wakawaka"]["dna"]["convolutions"][0]["width"])
    sizes = {"marks": 5, "bins": 100, "window": 10000}
    learning_rate = config["training"]["learning_rate"]
    trainer = Trainer(config["models"]["wakawaka"], ["histone", "dna"], sizes, words, learning_rate)
    steps = trainer.steps(lambda _: ([histone, words.index], truth), range(WARM_UP + STEPS))
    return _profile(lambda: next(steps))


def _batch():
    rng = np.random.default_rng(1)
    histone = rng.random((BATCH, 100, 5), dtype=np.float32)
    return histone, rng.integers(0, 4, (BATCH, 10000), np.uint8), rng.random((BATCH, 1), dtype=np.float32)


def _profile(step):
    """Return the ms of every row, between the operations and in all, of one call of `step`, as the mean of STEPS calls."""
    import tensorflow as tf

    for _ in range(WARM_UP):
        step()
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        start = time.perf_counter()
        for _ in range(STEPS):
            step()
        whole = (time.perf_counter() - start) * 1000 / STEPS
        tf.profiler.experimental.stop()
        operations = _operations(Path(folder))
    rows = dict.fromkeys(ROWS, 0.0)
    for name, milliseconds in operations.items():
        rows[next(row for row, pattern in ROWS.items() if re.search(pattern, name))] += milliseconds / STEPS
    return rows | {"between the operations": whole - sum(rows.values()), "whole step": whole}


def _operations(folder):
    """Return a dict from the names of operations to their ms, of a profile of TensorFlow on a CPU.

    Operations are the events that have the form `name:kind`; the network that XLA compiled is one event.
    """
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace.FromString(next(folder.rglob("*.xplane.pb")).read_bytes())
    found = collections.Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines if line.name.startswith("tf_Compute") for event in line.events):
            name = plane.event_metadata[event.metadata_id].name
            if re.fullmatch(r"[^:]+:\w+", name) or name.startswith("CpuExecutable"):
                found[name] += event.duration_ps / 1e9
    return found


def _floors(threads):
    """Return a dict from some rows to the least ms that this machine needs for them, and sentences on where they come from."""
    size = 2048
    matrix = np.random.default_rng(1).random((size, size), dtype=np.float32)
    product = 2 * size**3 / _best(lambda: matrix @ matrix)
    # Reads and writes, far larger and far smaller than the caches.
    memory = _copy_speed(threads, 2**26)
    cache = _copy_speed(threads, 2**17)
    weights, features, filters, positions = 41184 * 82, 41184, 132, 9984
    floors = {
        # A gathered row per position.
        "DNA: lookup, or convolution and pooling": BATCH * positions * filters * 4 / cache,
        # The pooled gradients and the winners are read once.
        "DNA: their gradient": BATCH * features * 5 / memory,
        "DNA: dense layer and its gradient": 3 * 2 * BATCH * weights / product,
        # Weights and both moments are read and written, gradients read.
        "Adam": 7 * 4 * weights / memory,
    }
    notes = [
        f"The floor takes {product / 1e9:.0f} GFLOP/s (product of two matrices of {size} x {size}), {memory / 1e9:.0f} GB/s "
        f"(copying memory, reads and writes), {cache / 1e9:.0f} GB/s (copying within the second-level cache).",
        f"Together {sum(floors.values()) * 1000:.1f} ms.",
    ]
    return {name: seconds * 1000 for name, seconds in floors.items()}, notes


def _copy_speed(threads, count):
    """Return the bytes per second, read and written, of copying `count` float32 in every thread."""
    pairs = [(np.ones(count, np.float32), np.ones(count, np.float32)) for _ in range(threads)]
    times = max(1, 2**24 // count)

    def copy(pair):
        for _ in range(times):
            np.copyto(*pair)

    with ThreadPoolExecutor(threads) as pool:
        return threads * times * count * 8 / _best(lambda: list(pool.map(copy, pairs)))


def _best(function):
    """Return the seconds of the fastest of some calls."""
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


if __name__ == "__main__":
    main()
