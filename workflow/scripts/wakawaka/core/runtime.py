"""Logging and errors of one job. The only module that knows Snakemake.

A script runs its one call inside `with job(snakemake):`. Messages go to the rule's log file and to the screen. Progress within
an epoch goes to the screen only, and what TensorFlow's C++ code prints goes to the log file only.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from wakawaka.core.errors import InputError
from wakawaka.core.progress import PROGRESS


@contextlib.contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Log to `snakemake.log[0]` and the screen; on an error, log it and end the process with status 1.

    An `InputError` is logged as its sentence alone, any other exception with its traceback.

    Args:
        snakemake: the object that Snakemake gives to scripts; its `log` and `rule` are used.
    """
    # Read by TensorFlow when it is first imported, which the scripts do inside this block.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w", encoding="utf-8") as file, _descriptor_into(file) as screen:
        form = logging.Formatter(f"%(asctime)s  {snakemake.rule}  %(levelname)s  %(message)s", "%H:%M:%S")
        for stream, level in ((file, logging.INFO), (screen, PROGRESS)):
            handler = logging.StreamHandler(stream)
            handler.setFormatter(form)
            handler.setLevel(level)
            logging.root.addHandler(handler)
        # Messages of other libraries below INFO are left out.
        logging.root.setLevel(logging.INFO)
        logging.getLogger("wakawaka").setLevel(PROGRESS)
        logging.captureWarnings(True)
        try:
            yield
        except InputError as error:
            logging.error("%s", error)
            sys.exit(1)
        except Exception:
            logging.exception("unexpected error in %s; please report this log.", snakemake.rule)
            sys.exit(1)
        finally:
            logging.root.handlers.clear()


@contextlib.contextmanager
def _descriptor_into(file: TextIO) -> Iterator[TextIO]:
    """Point descriptor 2 at `file`, so that C++ code writes there; yield a stream to the real screen."""
    sys.stderr.flush()
    original = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        with open(os.dup(original), "w", encoding="utf-8", errors="replace") as screen:
            yield screen
    finally:
        sys.stderr.flush()
        os.dup2(original, 2)
        os.close(original)
