"""Random input files of every format, at any size, and the counts to expect of their reads; measures nothing by itself.

Reads lie evenly on hg19's chromosomes. The same sizes give the same files.
"""

import csv
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from common import BINS, MARKS, WINDOW, PathLike, progress

from wakawaka.core.files import atomic, save_array
from wakawaka.core.messages import Warnings
from wakawaka.genome.windows import window_starts
from wakawaka.sources.parsed import read_parsed, write_genes, write_parsed

# Base pairs of hg19's chromosomes 1 to 22 and X.
SIZES = (
    249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431, 135534747, 135006516, 133851895,
    115169878, 107349540, 102531392, 90354753, 81195210, 78077248, 59128983, 63025520, 48129895, 51304566, 155270560,
)  # fmt: skip
HG19 = {f"chr{name}": size for name, size in zip([*range(1, 23), "X"], SIZES, strict=True)}
# The length of all reads in bp, as in Roadmap's consolidated files.
READ = 36
# The number of reads, or of bigWig values, that are written at a time.
ROWS = 1_000_000
# The numbers of distinct sequences and qualities in a BAM.
SEQUENCES, QUALITIES = 20_000, 5_000
# The bp of a line of FASTA, and of a step of a bigWig.
LINE, STEP = 50, 100

# (number of the chromosome uint8, 0-based start int32, whether on the plus strand bool), all [read].
Reads = tuple[np.ndarray, np.ndarray, np.ndarray]


def write_gene_places(parsed: PathLike, genes: int, megabases: float | None = None) -> None:
    """Write parsed genes whose windows lie inside hg19's chromosomes, or inside those of a FASTA of some megabases."""
    rng, lengths = np.random.default_rng(1), _genome(megabases) if megabases else HG19
    chrom, tss = _places(rng, genes, lengths, WINDOW + 2)
    columns = {"gene_id": _gene_ids(genes), "chrom": np.array(list(lengths))[chrom], "tss": tss + WINDOW // 2}
    columns |= {"strand": rng.choice(["+", "-"], genes), "group": np.full(genes, "")}
    write_genes(parsed, [], Warnings(), **columns)


def write_first_genes(parsed: PathLike, source: PathLike, genes: int) -> None:
    """Write the first genes of other parsed genes."""
    _, gene = read_parsed(source)
    write_parsed(parsed, [], **{name: column[:genes] for name, column in gene.items()})


def write_windows(path: PathLike, genes: PathLike, size: int) -> None:
    """Write the bins of `size` bp of parsed genes' windows as BED sorted by place; column 4 is the bin's number."""
    _, gene = read_parsed(genes)
    starts = window_starts(gene["tss"], gene["strand"], WINDOW, True)
    columns = {
        "chrom": np.repeat(gene["chrom"], WINDOW // size),
        "start": (starts[:, None] + np.arange(0, WINDOW, size)).ravel(),
    }
    frame = pl.DataFrame(columns).select("chrom", "start", end=pl.col("start") + size, number=pl.int_range(pl.len()))
    with atomic(path) as temporary:
        temporary.write_bytes(_lines(frame.sort("chrom", "start")))


def write_tag_align(path: PathLike, reads: int, ordered: bool) -> None:
    """Write reads as tagAlign in Roadmap's form, compressed by `gzip -6`.

    The reads are in random order or, if `ordered`, in the order of `sort -k1,1 -k2,2n`.
    """
    chrom, start, plus = _reads(reads)
    if ordered:
        # By the names of the chromosomes, not by their numbers.
        order = np.lexsort([start, np.argsort(np.argsort(list(HG19)))[chrom]])
        chrom, start, plus = chrom[order], start[order], plus[order]

    def text(rows: slice) -> pl.DataFrame:
        strand = np.where(plus[rows], "+", "-")
        columns = {"chrom": _named(chrom[rows]), "start": start[rows], "end": start[rows] + READ}
        return pl.DataFrame(columns | {"name": "N", "score": 1000, "strand": strand})

    with atomic(path) as temporary, open(temporary, "wb") as file:
        _pipe(["gzip", "-6"], reads, text, stdout=file)


def write_bam(path: PathLike, reads: int) -> None:
    """Write the same reads as a sorted BAM without index, with bases, qualities and names, through `samtools view`."""
    chrom, start, plus = _reads(reads)
    order = np.lexsort([start, chrom])
    chrom, start, plus = chrom[order], start[order], plus[order]
    rng = np.random.default_rng(2)
    bases = pl.Series("".join(letters) for letters in rng.choice(list("ACGT"), (SEQUENCES, READ)))
    qualities = pl.Series(bytes(row).decode() for row in rng.integers(53, 74, (QUALITIES, READ), np.uint8))

    def text(rows: slice) -> pl.DataFrame:
        count = len(start[rows])
        numbers = pl.int_range(rows.start + 1, rows.start + count + 1)
        columns = {
            "name": pl.select("SRR000001." + numbers.cast(pl.String)).to_series(),
            "flag": np.where(plus[rows], 0, 16),
            "chrom": _named(chrom[rows]),
            "start": start[rows] + 1,
        }
        columns |= {"quality": 37, "cigar": f"{READ}M", "mate": "*", "mate_start": 0, "length": 0}
        columns |= {
            "bases": bases[rng.integers(0, SEQUENCES, count)],
            "qualities": qualities[rng.integers(0, QUALITIES, count)],
        }
        return pl.DataFrame(columns)

    header = "@HD\tVN:1.6\tSO:coordinate\n" + "".join(f"@SQ\tSN:{name}\tLN:{size}\n" for name, size in HG19.items())
    with atomic(path) as temporary:
        command = ["samtools", "view", "-b", "-@", "1", "-o", str(temporary), "-"]
        _pipe(command, reads, text, header.encode())


def write_expected(path: PathLike, reads: PathLike, genes: PathLike) -> None:
    """Write the counts [gene, bin] int64 of a tagAlign: reads that start before a bin's end and end after its start."""
    kinds = {"chrom": "category", "start": np.int32, "end": np.int32}
    table = pd.read_csv(reads, sep="\t", header=None, usecols=[0, 1, 2], names=list(kinds), dtype=kinds)
    _, gene = read_parsed(genes)
    starts = window_starts(gene["tss"], gene["strand"], WINDOW, True)
    expected = np.zeros((len(starts), BINS), np.int64)
    for chrom, rows in table.groupby("chrom", observed=True):
        rows = rows.sort_values("start")
        first, last = rows["start"].to_numpy(), rows["end"].to_numpy()
        longest = (last - first).max()
        for number in np.flatnonzero(gene["chrom"] == chrom):
            edges = starts[number] + np.arange(BINS + 1) * (WINDOW // BINS)
            near = slice(*np.searchsorted(first, [edges[0] - longest, edges[-1]]))
            expected[number] = ((first[near] < edges[1:, None]) & (last[near] > edges[:-1, None])).sum(axis=1)
    save_array(expected, path)


def write_fasta(path: PathLike, megabases: float) -> None:
    """Write a genome of two chromosomes of random letters, a ninth of them N, in lines of equal length."""
    rng = np.random.default_rng(3)
    letters = np.frombuffer(b"ACGTacgtN", np.uint8)
    with atomic(path) as temporary, open(temporary, "wb") as file:
        for name, length in _genome(megabases).items():
            lines = letters[rng.integers(0, len(letters), (length // LINE, LINE), np.uint8)]
            ends = np.full((len(lines), 1), ord("\n"), np.uint8)
            file.write(f">{name} random\n".encode() + np.concatenate([lines, ends], axis=1).tobytes())


def write_course(folder: PathLike, cells: int, held_out_cells: int, genes: int, held_out_genes: int) -> None:
    """Write the course's train.npz, eval.npz and seq_data.csv, as resources/README.md describes them, into a folder.

    The last genes and cells are held out: train.npz has no row of them. eval.npz has the held-out genes of the other
    cells, and all genes of the held-out ones; its last column is a placeholder.
    """
    rng = np.random.default_rng(4)
    number = np.sort(rng.choice(np.arange(1, 20 * genes), genes, replace=False))
    names = [f"E{cell:03}" for cell in range(1, cells + 1)]
    first = names[: cells - held_out_cells]
    rows = {name: number[genes - held_out_genes :] if name in first else number for name in names}
    with atomic(folder) as temporary:
        temporary.mkdir()
        _write_arrays(temporary / "train.npz", dict.fromkeys(first, number[: genes - held_out_genes]), rng)
        _write_arrays(temporary / "eval.npz", rows, rng, placeholder=True)
        letters = np.frombuffer(b"ACGT", np.uint8)
        with open(temporary / "seq_data.csv", "wb") as file:
            for gene in number:
                file.write(b"%d,%b\n" % (gene, letters[rng.integers(0, 4, WINDOW, np.uint8)].tobytes()))


def write_big_wig(path: PathLike, values: int) -> None:
    """Write a bigWig with about so many values, in steps of equal width from the start of each chromosome."""
    import pyBigWig

    rng = np.random.default_rng(5)
    with atomic(path) as temporary:
        file = pyBigWig.open(str(temporary), "w")
        file.addHeader(list(HG19.items()))
        for name, size in HG19.items():
            count = int(values * size / sum(SIZES))
            for first in range(0, count, ROWS):
                drawn = rng.gamma(0.5, 1.0, min(ROWS, count - first))
                file.addEntries(name, first * STEP, values=drawn.round(2), span=STEP, step=STEP)
        file.close()


def write_sheet_project(folder: PathLike, cells: int) -> None:
    """Write my.yaml, a config with a sample sheet, and an empty file for everything that the two name."""
    import yaml

    folder = Path(folder)
    names = [f"E{cell:03}" for cell in range(1, cells + 1)]
    rows = [(cell, mark, f"reads/{cell}-{mark}.tagAlign.gz") for cell in names for mark in MARKS]
    train = names[: cells * 9 // 10]
    config = {
        "cells": {"train": train, "held_out": names[len(train) :]},
        "held_out_genes": [],
        "folds": {"number": min(4, len(train))},
        "genes": {"reader": "gtf", "path": "genes.gtf"},
        "histone": {"reader": "sample_sheet", "path": "samples.tsv", "marks": list(MARKS)},
        "sequence": {"reader": "fasta", "path": "genome.fa"},
        "expression": {"reader": "matrix", "path": "expression.tsv"},
    }
    (folder / "reads").mkdir()
    for name in ["genes.gtf", "genome.fa", "expression.tsv", *(path for _, _, path in rows)]:
        (folder / name).touch()
    with open(folder / "samples.tsv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter="\t").writerows([("cell", "mark", "path"), *rows])
    (folder / "my.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def _reads(count: int) -> Reads:
    """Return random reads."""
    rng = np.random.default_rng(6)
    return *_places(rng, count, HG19, READ), rng.random(count, np.float32) < 0.5


def _places(
    rng: np.random.Generator, count: int, lengths: Mapping[str, int], size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return (number of the chromosome [place] uint8, 0-based start [place] int32) of random places of `size` bp."""
    sizes = np.array(list(lengths.values()))
    chrom = rng.choice(len(sizes), count, p=sizes / sizes.sum()).astype(np.uint8)
    return chrom, (rng.random(count) * (sizes[chrom] - size)).astype(np.int32)


def _genome(megabases: float) -> dict[str, int]:
    """Return a dict from chromosome names to bp, for a FASTA of about so many megabytes."""
    lines = int(megabases * 1e6 / (LINE + 1))
    return {"chr1": lines // 2 * LINE, "chr2": lines // 2 * LINE}


def _gene_ids(count: int) -> np.ndarray:
    return np.array([f"ENSG{number:011}" for number in range(1, count + 1)])


def _named(chrom: np.ndarray) -> pl.Series:
    return pl.Series(list(HG19))[chrom]


def _lines(frame: pl.DataFrame) -> bytes:
    return frame.write_csv(separator="\t", include_header=False, quote_style="never").encode()


def _pipe(
    command: list[str], reads: int, text: Callable[[slice], pl.DataFrame], header: bytes = b"", **settings: Any
) -> None:
    """Write a header and the lines of all reads to a command; `text` returns the columns of a slice of the reads."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, **settings) as process:
        process.stdin.write(header)
        for first in range(0, reads, ROWS):
            process.stdin.write(_lines(text(slice(first, first + ROWS))))
            if first and first % (10 * ROWS) == 0:
                progress("%d of %d reads", first, reads)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def _write_arrays(
    path: Path, rows: Mapping[str, np.ndarray], rng: np.random.Generator, placeholder: bool = False
) -> None:
    """Write an npz as np.savez does, one array at a time; `rows` maps cells to the gene numbers of their rows."""
    logs = np.log1p(np.arange(64, dtype=np.float32))
    with zipfile.ZipFile(path, "w") as archive:
        for cell, number in rows.items():
            array = np.empty((len(number), BINS, len(MARKS) + 2), np.float32)
            array[:, :, 0] = number[:, None]
            array[:, :, 1:-1] = logs[rng.geometric(0.3, (len(number), BINS, len(MARKS))) % 64]
            array[:, :, -1] = 0 if placeholder else rng.normal(size=(len(number), 1))
            with archive.open(f"{cell}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
