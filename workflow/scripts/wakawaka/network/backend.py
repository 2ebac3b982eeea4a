"""TensorFlow's threads and devices."""

import tensorflow as tf

from wakawaka.network import kmer_kernels


def use_threads(threads: int) -> None:
    """Let TensorFlow and the compiled loops use `threads` threads, and only operations that give the same bits every time.

    It must be called before TensorFlow computes anything.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    # The operations of one step depend on each other: a second pool of threads would only compete with the first.
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    kmer_kernels.use_threads(threads)


def has_gpu() -> bool:
    """Return whether TensorFlow computes on a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def device() -> str:
    """Return the name of what TensorFlow computes on: that of the first GPU, or CPU."""
    gpus = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU") if gpus else "CPU"
