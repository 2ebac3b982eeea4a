"""The rows of the table of inputs.py: alternating measurements and their medians; measures nothing by itself."""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import BINS, PathLike, Row, progress
from input_calls import mark_arguments
from input_files import SMALL, Files
from timed_calls import Ready, Times, in_fresh_process, library

# A row is not measured again after this many seconds.
LONGEST = 90
COLUMNS = (
    "row", "ours s", "with start s", "against", "its s", "ours / its", "range", "pairs", "target", "met", "MB", "target MB", "equal",
)  # fmt: skip

# What a row measures: ours, and what it is compared with.
Ours = Callable[[Ready], Times]
Other = Callable[[Ready], float]


class Bench:
    """What the rows share.

    Attributes:
        options: the parsed command line.
        files, small: the `Files` in full size and small.
        output: path of a folder for outputs.
        measured: dict from a row to its single measurements.
        notes: sentences for below the table.
    """

    def __init__(self, options: argparse.Namespace, folder: PathLike, output: PathLike) -> None:
        sizes = {name: getattr(options, name) for name in SMALL}
        self.options, self.output = options, Path(output)
        self.files, self.small = Files(folder, sizes), Files(folder, SMALL)
        self.measured: dict[str, list[dict[str, Any]]] = {}
        self.notes: list[str] = []

    def row(
        self,
        name: str,
        ours: Ours,
        against: str = "-",
        other: Other | None = None,
        *,
        target: float | None = None,
        megabytes: float | None = None,
        prepare: Ready = lambda: None,
    ) -> Row:
        """Measure alternately; return a row of the table: medians, the highest MB, and the range of the ratios.

        Args:
            name: name of the row.
            ours: a call of ours.
            against: name of what ours is compared with.
            other: a call of it; None where there is nothing to compare with.
            target: the highest allowed ratio or, without `other`, the most seconds.
            megabytes: the most MB allowed.
            prepare: called before each measurement.
        """
        times = self._alternate(name, ours, other, prepare)
        self.measured[name] = times
        seconds = [one["ours s"] for one in times]
        measured = statistics.median(seconds)
        row: Row = dict.fromkeys(COLUMNS)
        row |= {
            "row": name,
            "ours s": measured,
            "with start s": statistics.median(one["with start s"] for one in times),
        }
        row |= {"against": against, "pairs": len(times), "target MB": megabytes}
        highest = row["MB"] = max(one["MB"] for one in times)
        if other:
            its = [one["its s"] for one in times]
            ratios = [mine / theirs for mine, theirs in zip(seconds, its, strict=True)]
            measured = statistics.median(ratios)
            row |= {"its s": statistics.median(its), "ours / its": measured}
            row |= {"range": f"{min(ratios):.3g} to {max(ratios):.3g}"}
        if target:
            met = measured <= target and not (megabytes and highest > megabytes)
            row |= {"target": f"{target:g}" if other else f"{target:g} s", "met": "yes" if met else "NO"}
        return row

    def counted(self, name: str, path: Path, small: Path, genes: Path, bins: int = BINS) -> tuple[Ours, Path]:
        """Return a call that counts the reads of a file in the bins of genes, and the path of its output.

        Args:
            name: name of the row.
            path, small: paths of the full file and of the small one.
            genes: path of the parsed genes.
            bins: number of bins in a window.
        """
        output, threads = self.output / f"{name}.npz", self.options.threads
        few = mark_arguments(small, self.small.genes(), self.output / "small.npz", bins, threads)
        many = mark_arguments(path, genes, output, bins, threads)
        return in_fresh_process(library("sources.histone.read_mark"), few, many), output

    def _alternate(self, name: str, ours: Ours, other: Other | None, prepare: Ready) -> list[dict[str, Any]]:
        """Measure ours and the other alternately, the other first; return the times of each alternation."""

        def ready() -> None:
            prepare()
            time.sleep(self.options.pause)

        times: list[dict[str, Any]] = []
        start = time.monotonic()
        for number in range(1, self.options.alternations + 1):
            if times and time.monotonic() - start > LONGEST:
                break
            progress("%s: alternation %d of %d", name, number, self.options.alternations)
            its = other(ready) if other else None
            seconds, with_start, memory = ours(ready)
            times.append({"ours s": seconds, "with start s": with_start, "MB": memory, "its s": its})
        return times
