"""Timed calls in processes of their own, and timed commands; measures nothing by itself.

`Ready` is a function that is called right before the clock starts.
"""

import contextlib
import functools
import importlib
import logging
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from common import PathLike, megabytes, peak_memory

Ready = Callable[[], None]
# (function, the arguments of a small call that comes first, the arguments of the call that is timed).
Call = tuple[Callable[..., Any], dict[str, Any], dict[str, Any]]
# Seconds, seconds with the start of the process, and peak resident MB.
Times = tuple[float, float, float]


def in_fresh_process(*call: Any) -> Callable[[Ready], Times]:
    """Return a function that makes one `Call` in a new process."""
    return lambda ready: in_fresh_processes(ready, [call])


def in_fresh_processes(ready: Ready, *waves: Sequence[Call]) -> Times:
    """Make calls in processes of their own, two at a time and one wave after another; return the times of all together.

    The peak memory is that of the largest process.
    """
    context = multiprocessing.get_context("spawn")
    with contextlib.ExitStack() as stack:
        pooled = [[(stack.enter_context(ProcessPoolExecutor(1, context)), *call) for call in wave] for wave in waves]
        start = time.monotonic()
        for wave in pooled:
            _two_at_a_time((pool, function, small) for pool, function, small, _ in wave)
        started = time.monotonic() - start
        ready()
        start = time.monotonic()
        peaks = [
            peak
            for wave in pooled
            for peak in _two_at_a_time((pool, function, full) for pool, function, _, full in wave)
        ]
        seconds = time.monotonic() - start
    return seconds, started + seconds, max(peaks)


def command(*words: PathLike, output: PathLike = os.devnull) -> Callable[[Ready], float]:
    """Return a function that runs a command with its output in a file, and returns the seconds."""

    def run(ready: Ready) -> float:
        ready()
        with open(output, "wb") as file:
            start = time.monotonic()
            subprocess.run(words, stdout=file, check=True)
            return time.monotonic() - start

    return run


def snakemake(folder: Path, screen: Path, *arguments: str) -> Times:
    """Run snakemake in a project with the config my.yaml; `screen` is the path of a file for its output."""
    words = [sys.executable, "-m", "snakemake", *arguments, "--cores", "2", "--configfile", "my.yaml"]
    start = time.monotonic()
    with open(screen, "w", encoding="utf-8") as file:
        process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"`{' '.join(words)}` failed:\n{screen.read_text()[-2000:]}")
    return seconds, seconds, megabytes(usage.ru_maxrss)


def library(module: str) -> Callable[..., Any]:
    """Return the function of the library that has the name of its module, such as `sources.genes.read_gtf`.

    The module is imported when the function is called, so that only that process needs its imports.
    """
    return functools.partial(_library, module)


def _library(module: str, **arguments: Any) -> Any:
    return getattr(importlib.import_module(f"wakawaka.{module}"), module.rpartition(".")[2])(**arguments)


def _two_at_a_time(calls: Iterable[tuple[ProcessPoolExecutor, Callable[..., Any], dict[str, Any]]]) -> list[float]:
    """Make each call in its pool; return the peak memory of each."""
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(lambda call: call[0].submit(_call, *call[1:]).result(), calls))


def _call(function: Callable[..., Any], arguments: dict[str, Any]) -> float:
    """Call a function; return the peak resident memory of this process, in MB."""
    # Without a handler, every call would print the same warnings about the random files.
    logging.getLogger("wakawaka").addHandler(logging.NullHandler())
    function(**arguments)
    return peak_memory()
