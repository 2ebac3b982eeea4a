"""Run by every Python process that a test starts: garbage is collected rarely.

A quarter of the time in which Snakemake or TensorFlow starts is otherwise spent on looking for garbage among what was just imported.
"""

import gc

gc.set_threshold(100_000, 20, 20)
