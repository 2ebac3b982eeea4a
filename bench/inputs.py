"""Measures how fast inputs become tensors, each row beside its floor or a tool that does the same, alternately in one run.

Every call of ours is a process of its own, which first does the same with a small input. `ours s` are the seconds of the call; `with
start s` also has the start of the process, its imports and the small input. Memory is the most that was resident of the process, or of
the largest of several. Before each measurement there is a pause: the host of a virtual machine may take memory back that has been free
for some seconds, and giving it again can take longer than what is measured; so all find it in the same state. Needs 9 GB of free disk in
--folder, and for the row `coverage` 11 GB of memory, because bedtools holds all reads.
"""

import contextlib
import functools
import importlib
import logging
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from common import BINS, MARKS, ROOT, WINDOW, in_own_process, megabytes, parser, peak_memory, progress, show

# As in the course: 6 of 56 cells and 1,447 of 17,447 genes are held out.
CELLS, HELD_OUT_CELLS = 56, 6
GENES, HELD_OUT_GENES = 17_447, 1_447
# A row that has taken so many seconds is not measured once more.
LONGEST = 90
# What is read first.
SMALL = {"reads": 2000, "genes": 20, "megabases": 1, "cells": 3, "values": 2000}
COLUMNS = (
    "row", "ours s", "with start s", "against", "its s", "ours / its", "range", "pairs", "target", "met", "MB", "target MB", "equal",
)  # fmt: skip
# Debian's packages of the programs.
PACKAGES = {"zcat": "gzip", "samtools": "samtools", "bedtools": "bedtools"}


class Files:
    """The files of one size in a folder; each is made when it is first asked for, and its name says what it depends on.

    Args:
        folder: path. sizes: dict as SMALL.
    """

    def __init__(self, folder, sizes):
        self._folder, self._sizes = Path(folder), sizes

    def genes(self):
        return self._made("genes-{genes}.npz", "write_gene_places", "genes")

    def first_genes(self, number):
        return self._made(f"genes-{{genes}}-{number}.npz", "write_first_genes", self.genes(), number)

    def windows(self, genes, size):
        return self._made(f"{genes.stem}-{size}.bed", "write_windows", genes, size)

    def tag_align(self):
        return self._made("reads-{reads}.tagAlign.gz", "write_tag_align", "reads", False)

    def sorted_tag_align(self):
        return self._made("reads-{reads}-sorted.tagAlign.gz", "write_tag_align", "reads", True)

    def bam(self):
        path = self._made("reads-{reads}.bam", "write_bam", "reads")
        if not path.with_name(f"{path.name}.bai").exists():
            subprocess.run(["samtools", "index", path], check=True)
        return path

    def bam_without_index(self):
        path = self.bam()
        link = path.with_name(f"no-index-{path.name}")
        if not link.is_symlink():
            link.symlink_to(path.name)
        return link

    def expected(self):
        """Return the path of the counts of the reads, by the slow reference."""
        return self._made("expected-{reads}-{genes}.npy", "write_expected", self.tag_align(), self.genes())

    def fasta(self):
        return self._made("genome-{megabases}.fa", "write_fasta", "megabases")

    def fasta_genes(self):
        return self._made("genome-{megabases}-genes-{genes}.npz", "write_gene_places", "genes", "megabases")

    def big_wig(self):
        return self._made("track-{values}.bw", "write_big_wig", "values")

    def course(self):
        """Return the folder of train.npz, eval.npz and seq_data.csv."""
        genes, cells = self._sizes["genes"], self._sizes["cells"]
        held_out = round(cells * HELD_OUT_CELLS / CELLS), round(genes * HELD_OUT_GENES / GENES)
        return self._made("course-{cells}-{genes}", "write_course", "cells", held_out[0], "genes", held_out[1])

    def _made(self, name, function, *arguments):
        """Return the path of a file that a function of random_inputs.py writes; arguments that are keys of the sizes stand for them."""
        path = self._folder / name.format(**self._sizes)
        if not path.exists():
            progress("making %s", path.name)
            in_own_process(_make, function, path, *(self._sizes.get(argument, argument) for argument in arguments))
        return path


class Bench:
    """What the rows share: the files, in full size and small, a folder for outputs, and the options of the command line."""

    def __init__(self, options, folder, output):
        sizes = {name: getattr(options, name) for name in SMALL}
        self.files, self.small, self.output = Files(folder, sizes), Files(folder, SMALL), Path(output)
        self.options, self.measured, self.notes = options, {}, []

    def row(self, name, ours, against="-", other=None, *, target=None, megabytes=None, prepare=lambda: None):
        """Measure alternately; return a row of the table: medians, the highest MB, and the range of the ratios.

        Args:
            name: of the row. ours: function of a function to call before the clock starts; returns (seconds, seconds with start, MB).
            against: what we are compared with. other: such a function that returns its seconds.
            target: the highest ratio, or, where there is nothing to compare with, the most seconds. megabytes: the most MB.
            prepare: function without arguments, called before each.
        """

        def ready():
            prepare()
            time.sleep(self.options.pause)

        pairs, start = [], time.monotonic()
        for number in range(1, self.options.alternations + 1):
            if pairs and time.monotonic() - start > LONGEST:
                break
            progress("%s: alternation %d of %d", name, number, self.options.alternations)
            its = other(ready) if other else None
            pairs.append((*ours(ready), its))
        self.measured[name] = [
            dict(zip(("ours s", "with start s", "MB", "its s"), pair, strict=True)) for pair in pairs
        ]
        seconds, with_start, memory, its = zip(*pairs, strict=True)
        measured = statistics.median(seconds)
        row = dict.fromkeys(COLUMNS) | {"row": name, "ours s": measured, "with start s": statistics.median(with_start)}
        row |= {"against": against, "pairs": len(pairs), "MB": max(memory), "target MB": megabytes}
        if other:
            ratios = [mine / theirs for mine, theirs in zip(seconds, its, strict=True)]
            measured = statistics.median(ratios)
            row |= {"its s": statistics.median(its), "ours / its": measured}
            row |= {"range": f"{min(ratios):.3g} to {max(ratios):.3g}"}
        if target:
            met = measured <= target and not (megabytes and row["MB"] > megabytes)
            row |= {"target": f"{target:g}" if other else f"{target:g} s", "met": "yes" if met else "NO"}
        return row

    def counted(self, name, path, small, genes, bins=BINS):
        """Return a function that counts a file in the bins of genes with nothing else at work, and the path of what it writes."""
        part = self.output / f"{name}.npz"
        full = _counting(path, genes, part, bins, self.options.threads)
        small = _counting(small, self.small.genes(), self.output / "small.npz", bins, self.options.threads)
        return _in_a_fresh_process(library("read_mark"), small, full), part


def tag_align_row(bench):
    path = bench.files.tag_align()
    return [_counted(bench, "tagAlign", path, bench.small.tag_align(), "zcat", target=2, megabytes=1000)]


def bam_row(bench):
    path, small = bench.files.bam(), bench.small.bam()
    return [_counted(bench, "bam", path, small, "samtools", "view", "-c", target=1.5)]


def bam_without_index_row(bench):
    path, small = bench.files.bam_without_index(), bench.small.bam_without_index()
    return [_counted(bench, "bam-no-index", path, small, "samtools", "view", "-c")]


def _counted(bench, name, path, small, *words, **target):
    """Return the row of all bins in a file of all reads, beside a command that reads the file."""
    ours, part = bench.counted(name, path, small, bench.files.genes())
    row = bench.row(name, ours, " ".join(words), command(*words, path), **target)
    return row | _equal(in_own_process(differences_from_reference, bench.files.expected(), part)[0])


def multicov_row(bench):
    genes = bench.files.first_genes(bench.options.multicov_genes)
    return [_multicov(bench, "multicov", genes, BINS, target=0.1)]


def multicov_windows_row(bench):
    return [_multicov(bench, "multicov-windows", bench.files.genes(), 1)]


def _multicov(bench, name, genes, bins, target=None):
    """Return the row of the bins of some genes in the BAM with index; bedtools seeks each of them."""
    path, windows = bench.files.bam(), bench.files.windows(genes, WINDOW // bins)
    ours, part = bench.counted(name, path, bench.small.bam(), genes, bins)
    counts = bench.output / f"{name}.bed"
    other = command("bedtools", "multicov", "-bams", path, "-bed", windows, output=counts)
    row = bench.row(name, ours, "bedtools multicov", other, target=target)
    number = len(windows.read_bytes().splitlines())
    bench.notes.append(
        f"{name}: {number:,} windows, of which bedtools seeks each, in {1000 * row['its s'] / number:.2g} ms; ours reads the file."
    )
    return row | _equal(in_own_process(differences_from_bedtools, counts, part)[0])


def coverage_row(bench):
    return [_coverage(bench, "coverage", "bedtools coverage", bench.files.tag_align(), target=0.1)]


def coverage_sorted_row(bench):
    path = bench.files.sorted_tag_align()
    return [_coverage(bench, "coverage-sorted", "bedtools coverage -sorted", path, "-sorted")]


def _coverage(bench, name, against, path, *flags, target=None):
    """Return the row of all bins in a tagAlign; bedtools holds the reads in memory, unless they are sorted and it is told so."""
    genes = bench.files.genes()
    ours, part = bench.counted(name, path, bench.small.tag_align(), genes)
    counts = bench.output / f"{name}.bed"
    windows = bench.files.windows(genes, WINDOW // BINS)
    other = command("bedtools", "coverage", "-counts", *flags, "-a", windows, "-b", path, output=counts)
    row = bench.row(name, ours, against, other, target=target)
    return row | _equal(in_own_process(differences_from_bedtools, counts, part)[0])


def fasta_rows(bench):
    def places(files):
        return {"genome": files.fasta(), "genes": files.fasta_genes(), "window": WINDOW, "oriented": True}

    path, small, full = bench.files.fasta(), places(bench.small), places(bench.files)
    ours = _in_a_fresh_process(cut_and_turn_round, small, full)
    reading = [(read_whole, {"path": bench.small.fasta()}, {"path": path})]

    def other(ready):
        return in_fresh_processes(ready, reading)[0]

    read_blocks([path])
    rows = [bench.row("fasta", ours, "open().read()", other, target=2)]
    rows += _cold(bench, [path], "fasta, cold", ours, "open().read()", other)
    parts = [files | {"part": bench.output / "fasta.npz"} for files in (small, full)]
    whole = _in_a_fresh_process(library("read_fasta"), *parts)
    return [*rows, bench.row("fasta, rule", whole, "open().read()", other)]


def _cold(bench, paths, *row, **target):
    """Return the row once more, with files that the system has to read from the disk each time, where it can be told to."""
    if not hasattr(os, "posix_fadvise"):
        return []

    def evict():
        for path in paths:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    return [bench.row(*row, **target, prepare=evict)]


def course_rows(bench):
    folder, output = bench.files.course(), bench.output / "course"
    paths = [folder / name for name in ("train.npz", "eval.npz", "seq_data.csv")]
    small = _course_steps(bench.small.course(), bench.output / "small", SMALL["cells"])
    full = _course_steps(folder, output, bench.options.cells)
    steps = [(step, few, many) for (step, few), (_, many) in zip(small, full, strict=True)]

    def ours(ready):
        # What has not been written to the disk yet need not be.
        shutil.rmtree(output, ignore_errors=True)
        return in_fresh_processes(ready, steps[:-1], steps[-1:])

    def other(ready):
        return in_fresh_processes(ready, [(read_blocks, {"paths": paths[:0]}, {"paths": paths})])[0]

    read_blocks(paths)
    # Of files in the page cache, for information: writing the store takes longer than reading them.
    rows = [bench.row("course", ours, "reading the bytes", other)]
    return rows + _cold(bench, paths, "course, cold", ours, "reading the bytes", other, target=2, megabytes=1000)


def _course_steps(folder, output, cells):
    """Return the calls of the rules that make the store of the course's files, the last one build_store; the longest are first."""
    names = [f"E{cell:03}" for cell in range(1, cells + 1)]
    both, parts = [folder / "train.npz", folder / "eval.npz"], [output / f"{name}.npz" for name in names]
    genes, sequence, expression = (output / f"{name}.npz" for name in ("genes", "sequence", "expression"))
    sizes = {"marks": MARKS, "bins": BINS}
    store = ["genes.tsv", "cells.tsv", "expression.npy", "store.json", "histone.npy", "dna.npy"]
    joined = {"store": [output / "store" / name for name in store], "warnings": output / "store" / "warnings.tsv"}
    joined |= {"genes": genes, "histone": parts, "sequence": sequence, "expression": expression}
    marks = {"paths": both, "parts": parts, "scale": "log1p", "order": "genomic"}
    letters = {"path": folder / "seq_data.csv", "part": sequence, "window": WINDOW, "order": "genomic"}
    return [
        (library("read_npz_histone"), marks | sizes | {"cells": names}),
        (library("read_sequence_csv"), letters),
        (library("read_npz_expression"), {"paths": both[0], "part": expression} | sizes | {"cells": names}),
        (library("read_npz_genes"), {"paths": both, "part": genes}),
        (library("build_store"), joined | sizes | {"cells": names, "window": WINDOW, "oriented": True}),
    ]


def big_wig_row(bench):
    path = bench.files.big_wig()
    ours, _ = bench.counted("bigWig", path, bench.small.big_wig(), bench.files.genes())

    def other(ready):
        return in_fresh_processes(ready, [(read_blocks, {"paths": []}, {"paths": [path]})])[0]

    return [bench.row("bigWig", ours, "reading the bytes", other)]


def snakemake_rows(bench):
    folder = bench.output / "project"
    folder.mkdir()
    for name in ("rules", "workflow", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "config.yaml"):
        shutil.copy2(ROOT / name, folder / name)
    in_own_process(_make, "write_sheet_project", folder, bench.options.cells)
    screen, run = folder / "screen.txt", functools.partial(_snakemake, folder)
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
        raise SystemExit(f"A finished run is not taken for one:\n{screen.read_text()[-2000:]}")
    return rows


def _snakemake(folder, screen, *arguments):
    """Run snakemake in a project; return (seconds, the same, MB). What it prints goes to a file."""
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


# Row: the function that measures it, and the programs that it needs.
ROWS = {
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


def _in_a_fresh_process(*call):
    """Return a function for one call as `in_fresh_processes` takes it."""
    return lambda ready: in_fresh_processes(ready, [call])


def in_fresh_processes(ready, *waves):
    """Make calls in processes of their own, two at a time, a wave after another; return (seconds, seconds with start, MB).

    Args:
        ready: function without arguments, called before the clock starts.
        waves: lists of (function, arguments of a small call that comes first, arguments), the arguments as dicts.
    """
    context = multiprocessing.get_context("spawn")
    with contextlib.ExitStack() as stack:
        waves = [[(stack.enter_context(ProcessPoolExecutor(1, context)), *call) for call in wave] for wave in waves]
        start = time.monotonic()
        for wave in waves:
            _two_at_a_time((pool, function, small) for pool, function, small, _ in wave)
        started = time.monotonic() - start
        ready()
        start = time.monotonic()
        peaks = [
            peak
            for wave in waves
            for peak in _two_at_a_time((pool, function, full) for pool, function, _, full in wave)
        ]
        seconds = time.monotonic() - start
    return seconds, started + seconds, max(peaks)


def _two_at_a_time(calls):
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(lambda call: call[0].submit(_call, *call[1:]).result(), calls))


def _call(function, arguments):
    """Call a function; return the most memory that this process has had, in MB."""
    # What is odd about random files would be said once and again.
    logging.getLogger("wakawaka").addHandler(logging.NullHandler())
    function(**arguments)
    return peak_memory()


def command(*words, output=os.devnull):
    """Return a function that runs a command and returns its seconds; what it prints goes to a file."""

    def run(ready):
        ready()
        with open(output, "wb") as file:
            start = time.monotonic()
            subprocess.run(words, stdout=file, check=True)
            return time.monotonic() - start

    return run


def library(name):
    """Return the function of the library that has the name of its module, which is imported when it is called."""
    return functools.partial(_library, name)


def _library(name, **arguments):
    return getattr(importlib.import_module(f"wakawaka.{name}"), name)(**arguments)


def _counting(path, genes, part, bins, threads):
    """Return the arguments of the reader of one mark of one cell."""
    rules = {"counting": "overlap", "min_mapq": 0, "duplicates": "flagged", "scale": "counts"}
    rules |= {"bins": bins, "window": WINDOW, "oriented": True, "threads": threads}
    return {"files": [path], "genes": genes, "part": part, "mark": MARKS[0]} | rules


def _make(function, path, *arguments):
    import random_inputs

    getattr(random_inputs, function)(path, *arguments)


def cut_and_turn_round(genome, genes, window, oriented):
    """Make the codes of the windows of a FASTA, those of the minus strand as reverse complements: what read_fasta and build_store do."""
    import numpy as np

    from wakawaka.genome.dna import reverse_complement
    from wakawaka.sources.parsed import read_part
    from wakawaka.sources.sequence.read_fasta import cut_fasta

    minus = np.flatnonzero(read_part(genes)[1]["strand"] == "-")
    codes = cut_fasta(genome, genes, window=window, oriented=oriented).values
    for first in range(0, len(minus), 16):
        rows = minus[first : first + 16]
        codes[rows] = reverse_complement(codes[rows])


def read_whole(path):
    """Read a file at once."""
    with open(path, "rb") as file:
        file.read()


def read_blocks(paths):
    """Read files in blocks into the same memory."""
    block = bytearray(1 << 24)
    for path in paths:
        with open(path, "rb", buffering=0) as file:
            while file.readinto(block):
                pass


def differences_from_reference(expected, part):
    """Return how many bins of a part differ from the slow reference's."""
    import numpy as np

    from wakawaka.sources.parsed import read_part

    return int((np.load(expected) != read_part(part)[1]["values"]).sum())


def differences_from_bedtools(output, part):
    """Return how many bins of a part differ from bedtools' output, which has their numbers and counts in columns 4 and 5."""
    import pandas as pd

    from wakawaka.sources.parsed import read_part

    number, expected = pd.read_csv(output, sep="\t", header=None, usecols=[3, 4]).to_numpy().T
    counted = read_part(part)[1]["values"].ravel()
    return abs(len(counted) - len(number)) + int((counted[number] != expected).sum())


def _equal(differences):
    return {"equal": "NO: " * bool(differences) + (f"{differences:,} bins differ" if differences else "yes")}


def main():
    options = parser(__doc__, kept=True)
    options.add_argument(
        "--rows",
        nargs="+",
        choices=ROWS,
        default=list(ROWS),
        metavar="ROW",
        help=f"of {', '.join(ROWS)} (default: all)",
    )
    options.add_argument(
        "--alternations", type=int, default=3, help=f"of each row, fewer after {LONGEST} s (default: %(default)s)"
    )
    options.add_argument(
        "--pause", type=float, default=5, help="seconds before each measurement (default: %(default)s)"
    )
    options.add_argument(
        "--reads", type=int, default=30_000_000, help="of the tagAlign and the BAM (default: %(default)s)"
    )
    options.add_argument("--genes", type=int, default=GENES, help="with a window each (default: %(default)s)")
    options.add_argument("--multicov-genes", type=int, default=1000, help="of row multicov (default: %(default)s)")
    options.add_argument("--megabases", type=int, default=300, help="of the FASTA (default: %(default)s)")
    options.add_argument(
        "--cells", type=int, default=CELLS, help="of the course and of snakemake (default: %(default)s)"
    )
    options.add_argument("--values", type=int, default=30_000_000, help="of the bigWig (default: %(default)s)")
    options = options.parse_args()
    with _folder(options) as folder, tempfile.TemporaryDirectory(prefix="output-", dir=folder) as output:
        bench = Bench(options, folder, output)
        rows = [row for name in options.rows for row in _rows(bench, name)]
    title = f"{options.reads:,} reads, {options.genes:,} genes with {BINS} bins of {WINDOW // BINS} bp; ours with {options.threads} threads"
    show(options, title, rows, bench.notes + list(filter(None, map(_version, PACKAGES))), measured=bench.measured)
    if any((row["equal"] or "").startswith("NO") for row in rows):
        raise SystemExit(1)


def _rows(bench, name):
    function, programs = ROWS[name]
    missing = [program for program in programs if not shutil.which(program)]
    if not missing:
        return function(bench)
    packages = " ".join(PACKAGES[program] for program in missing)
    needs = " and ".join(missing)
    bench.notes.append(f"{name} is left out, because it needs {needs} (Debian, Ubuntu: apt install {packages}).")
    return [dict.fromkeys(COLUMNS) | {"row": name, "against": "left out"}]


def _version(program):
    """Return the first line of what a program says of its version, None where there is no such program."""
    if not shutil.which(program):
        return None
    said = subprocess.run([program, "--version"], capture_output=True, check=True).stdout
    return said.decode(errors="replace").splitlines()[0]


@contextlib.contextmanager
def _folder(options):
    """Yield the folder of the files: a temporary one, or the one that is named."""
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
        yield options.folder.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="wakawaka-bench-") as folder:
            yield Path(folder)


if __name__ == "__main__":
    main()
