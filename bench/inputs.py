"""Measures how fast input files become tensors, compared with a floor or another tool, alternately in one run.

Every call of ours is a process of its own, which first does the same with a small input. `ours s` is the time of the
call. `with start s` adds the start of the process, its imports and the small input. Memory is the peak that was
resident of the process, or of the largest of several. There is a pause before each measurement. The host of a virtual
machine may take back memory that has been free for some seconds, and giving it again can take longer than what is
measured. With the pause, all find the memory in the same state. Needs 9 GB of free disk in --folder, and 11 GB of
memory for the row `coverage`, because bedtools holds all reads.
"""

import argparse
import contextlib
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from common import BINS, ROOT, WINDOW, Row, in_own_process, parser, show
from input_calls import (
    course_calls,
    cut_and_reverse,
    differences_from_bedtools,
    differences_from_reference,
    read_blocks,
    read_whole,
)
from input_files import CELLS, GENES, SMALL, Files, make
from input_rows import COLUMNS, LONGEST, Bench, Other
from timed_calls import Ready, Times, command, in_fresh_process, in_fresh_processes, library, snakemake

# Debian's packages of the programs.
PACKAGES = {"zcat": "gzip", "samtools": "samtools", "bedtools": "bedtools"}


def tag_align_row(bench: Bench) -> list[Row]:
    """Return the row of a tagAlign."""
    path = bench.files.tag_align()
    return [_counted_row(bench, "tagAlign", path, bench.small.tag_align(), ["zcat"], target=2, megabytes=1000)]


def bam_row(bench: Bench) -> list[Row]:
    """Return the row of a BAM with an index."""
    path, small = bench.files.bam(), bench.small.bam()
    return [_counted_row(bench, "bam", path, small, ["samtools", "view", "-c"], target=1.5)]


def bam_without_index_row(bench: Bench) -> list[Row]:
    """Return the row of a BAM without an index."""
    path, small = bench.files.bam_without_index(), bench.small.bam_without_index()
    return [_counted_row(bench, "bam-no-index", path, small, ["samtools", "view", "-c"])]


def _counted_row(bench: Bench, name: str, path: Path, small: Path, words: list[str], **target: float) -> Row:
    """Return the row of the counts of all bins, compared with a command that reads the file."""
    ours, output = bench.counted(name, path, small, bench.files.genes())
    row = bench.row(name, ours, " ".join(words), command(*words, path), **target)
    return row | _equal(in_own_process(differences_from_reference, bench.files.expected(), output)[0])


def multicov_row(bench: Bench) -> list[Row]:
    """Return the row of the bins of some genes."""
    genes = bench.files.first_genes(bench.options.multicov_genes)
    return [_multicov_row(bench, "multicov", genes, BINS, target=0.1)]


def multicov_windows_row(bench: Bench) -> list[Row]:
    """Return the row of the windows of all genes, without bins."""
    return [_multicov_row(bench, "multicov-windows", bench.files.genes(), 1)]


def _multicov_row(bench: Bench, name: str, genes: Path, bins: int, target: float | None = None) -> Row:
    """Return the row of some bins in the BAM with index, compared with bedtools, which seeks each of them."""
    path, windows = bench.files.bam(), bench.files.windows(genes, WINDOW // bins)
    ours, output = bench.counted(name, path, bench.small.bam(), genes, bins)
    counts = bench.output / f"{name}.bed"
    other = command("bedtools", "multicov", "-bams", path, "-bed", windows, output=counts)
    row = bench.row(name, ours, "bedtools multicov", other, target=target)
    number = len(windows.read_bytes().splitlines())
    each = f"{1000 * row['its s'] / number:.2g} ms"
    bench.notes.append(f"{name}: {number:,} windows, of which bedtools seeks each, in {each}; ours reads the file.")
    return row | _equal(in_own_process(differences_from_bedtools, counts, output)[0])


def coverage_row(bench: Bench) -> list[Row]:
    """Return the row of `bedtools coverage` on unsorted reads."""
    return [_coverage_row(bench, "coverage", "bedtools coverage", bench.files.tag_align(), target=0.1)]


def coverage_sorted_row(bench: Bench) -> list[Row]:
    """Return the row of `bedtools coverage` on sorted reads."""
    path = bench.files.sorted_tag_align()
    return [_coverage_row(bench, "coverage-sorted", "bedtools coverage -sorted", path, "-sorted")]


def _coverage_row(bench: Bench, name: str, against: str, path: Path, *flags: str, target: float | None = None) -> Row:
    """Return the row of the counts of all bins in a tagAlign, compared with bedtools.

    Without the flag `-sorted` bedtools holds all reads in memory.
    """
    genes = bench.files.genes()
    ours, output = bench.counted(name, path, bench.small.tag_align(), genes)
    counts = bench.output / f"{name}.bed"
    windows = bench.files.windows(genes, WINDOW // BINS)
    other = command("bedtools", "coverage", "-counts", *flags, "-a", windows, "-b", path, output=counts)
    row = bench.row(name, ours, against, other, target=target)
    return row | _equal(in_own_process(differences_from_bedtools, counts, output)[0])


def fasta_rows(bench: Bench) -> list[Row]:
    """Return the rows of the DNA windows of a FASTA: in memory, with a cold cache, and by the whole rule."""

    def given(files: Files) -> dict[str, Any]:
        return {"genome": files.fasta(), "genes": files.fasta_genes(), "window": WINDOW, "strand_aware": True}

    path, few, many = bench.files.fasta(), given(bench.small), given(bench.files)
    ours = in_fresh_process(cut_and_reverse, few, many)
    reading = [(read_whole, {"path": bench.small.fasta()}, {"path": path})]

    def other(ready: Ready) -> float:
        return in_fresh_processes(ready, reading)[0]

    read_blocks([path])
    rows = [bench.row("fasta", ours, "open().read()", other, target=2)]
    rows += _cold_rows(bench, [path], "fasta, cold", ours, "open().read()", other)
    output = {"parsed": bench.output / "fasta.npz"}
    whole = in_fresh_process(library("sources.sequence.read_fasta"), few | output, many | output)
    return [*rows, bench.row("fasta, rule", whole, "open().read()", other)]


def _cold_rows(bench: Bench, paths: Sequence[Path], *row: Any, **target: float) -> list[Row]:
    """Return a row of files that are read from the disk each time; none where the cache cannot be emptied."""
    if not hasattr(os, "posix_fadvise"):
        return []

    def evict() -> None:
        for path in paths:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    return [bench.row(*row, **target, prepare=evict)]


def course_rows(bench: Bench) -> list[Row]:
    """Return the rows of the course's files, from the page cache and from the disk."""
    folder, output = bench.files.course(), bench.output / "course"
    paths = [folder / name for name in ("train.npz", "eval.npz", "seq_data.csv")]
    small = course_calls(bench.small.course(), bench.output / "small", SMALL["cells"])
    full = course_calls(folder, output, bench.options.cells)
    calls = [(function, few, many) for (function, few), (_, many) in zip(small, full, strict=True)]

    def ours(ready: Ready) -> Times:
        # Outputs that are removed before the system writes them to the disk take no time.
        shutil.rmtree(output, ignore_errors=True)
        return in_fresh_processes(ready, calls[:-1], calls[-1:])

    other = _reading(paths)
    read_blocks(paths)
    # Files in the page cache are for information: writing the store takes longer than reading them.
    rows = [bench.row("course", ours, "reading the bytes", other)]
    return rows + _cold_rows(bench, paths, "course, cold", ours, "reading the bytes", other, target=2, megabytes=1000)


def big_wig_row(bench: Bench) -> list[Row]:
    """Return the row of a bigWig."""
    path = bench.files.big_wig()
    ours, _ = bench.counted("bigWig", path, bench.small.big_wig(), bench.files.genes())
    return [bench.row("bigWig", ours, "reading the bytes", _reading([path]))]


def _reading(paths: Sequence[Path]) -> Other:
    """Return a call that reads the bytes of files."""
    return lambda ready: in_fresh_processes(ready, [(read_blocks, {"paths": []}, {"paths": paths})])[0]


def snakemake_rows(bench: Bench) -> list[Row]:
    """Return the rows of a dry run: of a new project, and of a finished one."""
    folder = bench.output / "project"
    folder.mkdir()
    for name in ("rules", "workflow", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "config.yaml"):
        shutil.copy2(ROOT / name, folder / name)
    in_own_process(make, "write_sheet_project", folder, bench.options.cells)
    screen, run = folder / "screen.txt", functools.partial(snakemake, folder)
    rows = [bench.row("snakemake -n", lambda ready: run(screen, "-n"), target=10)]
    run(screen, "--summary")
    for line in screen.read_text().splitlines():
        path = folder / line.partition("\t")[0]
        if path.name != "output_file" and "\t" in line:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    run(screen, "--touch")
    rows += [bench.row("snakemake -n, finished", lambda ready: run(screen, "-n"), target=6)]
    if "Nothing to be done" not in screen.read_text():
        raise SystemExit(f"snakemake would rerun jobs of a finished project:\n{screen.read_text()[-2000:]}")
    return rows


# A row, the function that measures it, and the programs that it needs.
ROWS: dict[str, tuple[Callable[[Bench], list[Row]], list[str]]] = {
    "tagAlign": (tag_align_row, ["zcat"]),
    "bam": (bam_row, ["zcat", "samtools"]),
    "bam-no-index": (bam_without_index_row, ["zcat", "samtools"]),
    "multicov": (multicov_row, ["samtools", "bedtools"]),
    "multicov-windows": (multicov_windows_row, ["samtools", "bedtools"]),
    "coverage": (coverage_row, ["zcat", "bedtools"]),
    "coverage-sorted": (coverage_sorted_row, ["zcat", "bedtools"]),
    "fasta": (fasta_rows, []),
    "course": (course_rows, []),
    "bigWig": (big_wig_row, []),
    "snakemake": (snakemake_rows, []),
}


def _equal(differences: int) -> Row:
    """Return the column `equal` of a row."""
    return {"equal": f"NO: {differences:,} bins differ" if differences else "yes"}


def _rows(bench: Bench, name: str) -> list[Row]:
    """Return what the function of a row returns, or an empty row if its programs are missing."""
    function, programs = ROWS[name]
    missing = [program for program in programs if not shutil.which(program)]
    if not missing:
        return function(bench)
    packages = " ".join(PACKAGES[program] for program in missing)
    needs = " and ".join(missing)
    bench.notes.append(f"{name} is left out, because it needs {needs} (Debian, Ubuntu: apt install {packages}).")
    return [dict.fromkeys(COLUMNS) | {"row": name, "against": "left out"}]


def _version(program: str) -> str | None:
    """Return the first line of a program's `--version`, None without the program."""
    if not shutil.which(program):
        return None
    printed = subprocess.run([program, "--version"], capture_output=True, check=True).stdout
    return printed.decode(errors="replace").splitlines()[0]


@contextlib.contextmanager
def _folder(options: argparse.Namespace) -> Iterator[Path]:
    """Yield the folder of the files: that of `--folder`, or a temporary one."""
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        yield options.folder.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="wakawaka-bench-") as folder:
            yield Path(folder)


def parsed_options() -> argparse.Namespace:
    """Return the options of the command line."""
    arguments = parser(__doc__, kept=True)
    rows = f"rows to measure, of {', '.join(ROWS)} (default: all)"
    arguments.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW", help=rows)
    for name, default, text in (
        ("alternations", 3, f"number of alternations of each row, fewer after {LONGEST} s"),
        ("pause", 5.0, "seconds before each measurement"),
        ("reads", 30_000_000, "number of reads of the tagAlign and the BAM"),
        ("genes", GENES, "number of genes, with one window each"),
        ("multicov-genes", 1000, "number of genes of row multicov"),
        ("megabases", 300, "size of the FASTA"),
        ("cells", CELLS, "number of cells of the rows course and snakemake"),
        ("values", 30_000_000, "number of values of the bigWig"),
    ):
        kind = type(default)
        arguments.add_argument(f"--{name}", type=kind, default=default, help=f"{text} (default: %(default)s)")
    return arguments.parse_args()


def main() -> None:
    """Measure the rows and print the table; exit with 1 if counts are wrong."""
    options = parsed_options()
    with _folder(options) as folder, tempfile.TemporaryDirectory(prefix="output-", dir=folder) as output:
        bench = Bench(options, folder, output)
        rows = [row for name in options.rows for row in _rows(bench, name)]
    bins = f"{options.genes:,} genes with {BINS} bins of {WINDOW // BINS} bp"
    title = f"{options.reads:,} reads, {bins}; ours with {options.threads} threads"
    versions = filter(None, map(_version, PACKAGES))
    show(options, title, rows, [*bench.notes, *versions], measured=bench.measured)
    if any((row["equal"] or "").startswith("NO") for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
