"""Counts of reads in the bins of genes."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike
from wakawaka.core.numba_jit import numba_jit
from wakawaka.genome.windows import chromosome_key, match_chromosomes
from wakawaka.sources.histone.bam_records import Columns

_END_BITS = 31
_RULES = ("overlap", "midpoint", "five_prime")
# Windows are looked up by blocks of 2^14 bases: about as long as a window, and few enough for the processor's cache.
_BLOCK_BITS = 14


def count_reads(
    path: PathLike,
    batches: Iterable[tuple[Sequence[str], *Columns]],
    gene: Mapping[str, np.ndarray],
    starts: np.ndarray,
    *,
    bins: int,
    bin_size: int,
    counting: str,
    unique: bool = False,
    names: Mapping[str, str] | None = None,
) -> tuple[np.ndarray, int, dict[str, int]]:
    """Return the counts of reads in the bins of genes. They are exact for reads of any length, in any order.

    Args:
        path: the path of the file, for sentences.
        batches: (names, chrom [read] int32, start [read] int64, end [read] int64, strand [read] int8): chrom are places in names, a list
            of chromosomes; positions are 0-based, ends not included.
        gene: arrays of the parsed genes, with genes at known places only.
        starts: [gene] int64, the first base of bin 0.
        bins: number of bins. bin_size: bp of a bin.
        counting: `overlap` (a read counts in every bin that it overlaps, as by `bedtools multicov`), `midpoint` (in the bin of base
            (start + end) // 2) or `five_prime` (in the bin of its start on the plus strand, of end - 1 on the minus strand).
        unique: count only one of the reads with equal chromosome, start, end and strand; this needs 8 bytes of memory per read.
        names: dict from the annotation's chromosome names to those of the file's header. Without a header, None: the names of the reads'
            chromosomes are matched.

    Returns:
        (counts [gene, bin] int64, depth, reach): depth is the number of reads on all chromosomes, reach a dict from the annotation's
        chromosome names to the highest end of a read there.

    Raises:
        InputError: `five_prime` and a read of unknown strand; no chromosome of the annotation; without `names`, reads on one chromosome
            under two names.
    """
    counter = _Counter(path, gene, starts, bins, bin_size, counting, names)
    kept: dict[str, list[np.ndarray]] = {}
    for spelled, chrom, start, end, strand in batches:
        if not len(chrom):
            continue
        if unique:
            keys, order = _packed(start, end, strand), np.argsort(chrom, kind="stable")
            ends = np.cumsum(np.bincount(chrom, minlength=len(spelled)))
            for name, piece in zip(spelled, np.split(keys[order], ends[:-1]), strict=True):
                if len(piece):
                    kept.setdefault(name, []).append(piece)
        else:
            counter.add(spelled, chrom, start, end, strand)
    for name in list(kept):
        keys = np.concatenate(kept.pop(name))
        # Much faster than np.unique, which uses a hash table.
        keys.sort()
        start, end, strand = _unpacked(keys[np.append(True, keys[1:] != keys[:-1])])
        counter.add([name], np.zeros(len(start), np.int32), start, end, strand)
    return counter.result()


def _packed(start: np.ndarray, end: np.ndarray, strand: np.ndarray) -> np.ndarray:
    """Return reads [read] as single numbers uint64, in the order of start, end and strand."""
    first, last, sign = (np.asarray(column, np.int64).astype(np.uint64) for column in (start, end, strand + 1))
    return (first << np.uint64(_END_BITS + 2)) | (last << np.uint64(2)) | sign


def _unpacked(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (start, end, strand), each [read], from the numbers of `_packed`."""
    end = (keys >> np.uint64(2)) & np.uint64(2**_END_BITS - 1)
    strand = (keys & np.uint64(3)).astype(np.int8) - 1
    return (keys >> np.uint64(_END_BITS + 2)).astype(np.int64), end.astype(np.int64), strand


class _Counter:
    """Counts the reads of one file; arguments as for `count_reads`."""

    def __init__(
        self,
        path: PathLike,
        gene: Mapping[str, np.ndarray],
        starts: np.ndarray,
        bins: int,
        bin_size: int,
        counting: str,
        names: Mapping[str, str] | None,
    ) -> None:
        self._path, self._counting, self._names = path, counting, names
        # One row per chromosome is enough to match names.
        chroms = np.unique(gene["chrom"])
        self._places = {"chrom": chroms, "tss": np.zeros(len(chroms), np.int64)}
        self._windows = _Windows(gene["chrom"], starts, bins, bin_size)
        # By the file's chromosomes that have reads: the names that the annotation may have for them, and the highest end of a read.
        self._annotated: dict[str, list[str]] = {}
        self._reach: dict[str, int] = {}
        self._depth = 0
        # By `chromosome_key`: the first name in the file.
        self._spelled: dict[str, str] = {}

    def add(
        self, names: Sequence[str], chrom: np.ndarray, start: np.ndarray, end: np.ndarray, strand: np.ndarray
    ) -> None:
        """Count a batch of reads; see `count_reads`."""
        if self._counting == "five_prime" and not strand.all():
            read = int(np.argmin(strand != 0))
            raise InputError(
                f"{self._path}: the read at {names[chrom[read]]}:{start[read] + 1}-{end[read]} has no strand, so its 5' end is "
                "not known; set `histone.counting` to overlap or midpoint."
            )
        numbers = np.flatnonzero(np.bincount(chrom)).tolist()
        for name in (names[number] for number in numbers):
            if name not in self._annotated:
                self._annotated[name] = self._annotation_of(name)
                self._check_spelling(name)
        self._depth += len(start)
        reach = np.zeros(len(names), np.int64)
        # A chromosome of the file may have two names in the annotation, and so genes in two segments.
        for turn in range(max((len(self._annotated[names[number]]) for number in numbers), default=0)):
            segments = np.full(len(names), -1)
            for number in numbers:
                for other in self._annotated[names[number]][turn : turn + 1]:
                    segments[number] = self._windows.segment(names[number], other)
            self._windows.add(segments, chrom, start, end, strand, _RULES.index(self._counting), reach)
        for number in numbers:
            self._reach[names[number]] = max(self._reach.get(names[number], 0), int(reach[number]))

    def result(self) -> tuple[np.ndarray, int, dict[str, int]]:
        """Return (counts [gene, bin] int64, depth, reach), as `count_reads`."""
        names = self._names
        if names is None:
            names = match_chromosomes(self._places, self._annotated, self._path) if self._depth else {}
        names = {name: chrom for name, chrom in names.items() if chrom in self._annotated}
        counts = self._windows.counts((chrom, name) for name, chrom in names.items())
        return counts, self._depth, {name: self._reach[chrom] for name, chrom in names.items()}

    def _annotation_of(self, chrom: str) -> list[str]:
        """Return the names in the annotation of a chromosome of the file."""
        if self._names is not None:
            return [name for name, other in self._names.items() if other == chrom]
        try:
            return list(match_chromosomes(self._places, [chrom], self._path))
        except InputError:
            return []

    def _check_spelling(self, chrom: str) -> None:
        """Raise an InputError for a second name of a chromosome in a file without a header: reads of one would be left out."""
        other = self._spelled.setdefault(chromosome_key(chrom), chrom)
        # UCSC's hg19 may have two mitochondria, chrM and chrMT.
        if self._names is None and self._annotated[chrom] and other != chrom and {other, chrom} != {"chrM", "chrMT"}:
            raise InputError(
                f"{self._path}: this file has reads on {other} and on {chrom}, which are names of one chromosome; "
                "give it one name, or remove the reads of the other."
            )


class _Windows:
    """The counts of reads in windows, in segments: one for each pair of a chromosome of the annotation and one of the file.

    A row is a window. The rows of a segment are in the order of their places, so that a read overlaps consecutive rows. `_rows` and
    `_blocks` have the first row and the first block of each segment. `_changes` [row, bin + 1] has the difference in reads between a
    bin and the one before it.
    """

    def __init__(self, chrom: np.ndarray, starts: np.ndarray, bins: int, bin_size: int) -> None:
        self._chrom, self._gene_starts, self._bins, self._bin_size = chrom, starts, bins, bin_size
        self._segments: dict[tuple[str, str], int] = {}
        self._gene: list[np.ndarray] = []
        self._rows, self._blocks = np.zeros((2, 1), np.int64)
        self._starts, self._first = np.zeros((2, 0), np.int64)
        self._changes = np.zeros((0, bins + 1), np.int64)

    def segment(self, in_file: str, annotated: str) -> int:
        """Return the number of the segment of two names; a new segment is added if there is none."""
        if (in_file, annotated) not in self._segments:
            genes = np.flatnonzero(self._chrom == annotated)
            genes = genes[np.argsort(self._gene_starts[genes], kind="stable")]
            starts = self._gene_starts[genes]
            ends = starts + self._bins * self._bin_size
            # The first row that ends after the beginning of each block.
            blocks = np.arange((ends.max(initial=0) >> _BLOCK_BITS) + 1) << _BLOCK_BITS
            first = np.searchsorted(ends, blocks, "right") + len(self._starts)
            self._segments[in_file, annotated] = len(self._gene)
            self._gene.append(genes)
            self._starts, self._first = np.append(self._starts, starts), np.append(self._first, first)
            self._rows, self._blocks = (
                np.append(self._rows, len(self._starts)),
                np.append(self._blocks, len(self._first)),
            )
            self._changes = np.append(self._changes, np.zeros((len(genes), self._bins + 1), np.int64), axis=0)
        return self._segments[in_file, annotated]

    def add(
        self,
        segments: np.ndarray,
        chrom: np.ndarray,
        start: np.ndarray,
        end: np.ndarray,
        strand: np.ndarray,
        rule: int,
        reach: np.ndarray,
    ) -> None:
        """Count reads. `segments` [chromosome] has the segment of every number in `chrom`, or -1; see `_add`."""
        windows = self._starts, self._rows, self._first, self._blocks
        _add(segments, chrom, start, end, strand, rule, *windows, self._bin_size, self._changes, reach)

    def counts(self, segments: Iterable[tuple[str, str]]) -> np.ndarray:
        """Return the counts [gene, bin] int64 of the named segments, zero for genes in none of them."""
        counts = np.zeros((len(self._chrom), self._bins), np.int64)
        for name in segments:
            segment = self._segments[name]
            changes = self._changes[self._rows[segment] : self._rows[segment + 1], :-1]
            counts[self._gene[segment]] = np.cumsum(changes, axis=1)
        return counts


@numba_jit
def _add(
    segments: np.ndarray,
    chrom: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    strand: np.ndarray,
    rule: int,
    starts: np.ndarray,
    rows: np.ndarray,
    firsts: np.ndarray,
    blocks: np.ndarray,
    bin_size: int,
    changes: np.ndarray,
    reach: np.ndarray,
) -> None:
    """Add reads to `changes`, and raise `reach` [chromosome] to the highest end of a read."""
    width = (changes.shape[1] - 1) * bin_size
    for read in range(len(chrom)):
        number = chrom[read]
        reach[number] = max(reach[number], end[read])
        segment = segments[number]
        first, last = start[read], end[read] - 1
        if rule == 1:
            first = last = (first + last + 1) // 2
        elif rule == 2:
            first = last = first if strand[read] > 0 else last
        if segment < 0 or first >> _BLOCK_BITS >= blocks[segment + 1] - blocks[segment]:
            continue
        row = firsts[blocks[segment] + (first >> _BLOCK_BITS)]
        while row < rows[segment + 1] and starts[row] + width <= first:
            row += 1
        while row < rows[segment + 1] and starts[row] <= last:
            changes[row, max(first - starts[row], 0) // bin_size] += 1
            changes[row, min(last - starts[row], width - 1) // bin_size + 1] -= 1
            row += 1
