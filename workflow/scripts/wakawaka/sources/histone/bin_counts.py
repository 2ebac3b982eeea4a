"""Reads counted in the bins of genes."""

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.numba_jit import numba_jit
from wakawaka.genome.windows import match_chromosomes

_END_BITS = 31
_RULES = ("overlap", "midpoint", "five_prime")
# Windows are found by blocks of 2^14 bases: about as long as a window, and few enough for the processor's cache.
_BLOCK_BITS = 14


def count_reads(path, batches, gene, starts, *, bins, bin_size, counting, unique=False, names=None):
    """Count reads in the bins of genes. Exact for reads of any length, in any order.

    Args:
        path: of the file, for sentences.
        batches: iterable of (names, chrom [read] int32, start [read] int64, end [read] int64, strand [read] int8): chrom are
            numbers in names, a list of chromosomes; positions are 0-based, ends not included.
        gene: arrays of the parsed genes, of genes at known places only.
        starts: [gene] int64, the first base of bin 0.
        counting: `overlap` (a read counts in every bin that it overlaps, as by `bedtools multicov`), `midpoint` (in the
            bin of base (start + end) // 2) or `five_prime` (start on the plus strand, end - 1 on the minus strand).
        unique: of reads of equal chromosome, start, end and strand in this file, count one; keeps 8 bytes per read.
        names: dict from the annotation's chromosome names to the file's, where a header tells them; otherwise they are
            matched with those of the reads.

    Returns:
        (counts [gene, bin] int64, depth, reach): depth is the number of reads on any chromosome, reach a dict from the
        annotation's chromosome names to the highest end of a read there.

    Raises:
        InputError: `five_prime` and a read of unknown strand; chromosomes that are none of the annotation's; without
            `names`, reads on one of them under two names.
    """
    counter = _Counter(path, gene, starts, bins, bin_size, counting, names)
    kept = {}
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
    for chrom in list(kept):
        keys = np.concatenate(kept.pop(chrom))
        # Much faster than np.unique, which looks every number up in a table first.
        keys.sort()
        start, end, strand = _unpacked(keys[np.append(True, keys[1:] != keys[:-1])])
        counter.add([chrom], np.zeros(len(start), np.int32), start, end, strand)
    return counter.result()


def _packed(start, end, strand):
    """Return reads as single numbers."""
    start, end, strand = (np.asarray(column, np.int64).astype(np.uint64) for column in (start, end, strand + 1))
    return (start << np.uint64(_END_BITS + 2)) | (end << np.uint64(2)) | strand


def _unpacked(keys):
    end = (keys >> np.uint64(2)) & np.uint64(2**_END_BITS - 1)
    strand = (keys & np.uint64(3)).astype(np.int8) - 1
    return (keys >> np.uint64(_END_BITS + 2)).astype(np.int64), end.astype(np.int64), strand


class _Counter:
    """Adds up the reads of one file."""

    def __init__(self, path, gene, starts, bins, bin_size, counting, names):
        self._path, self._counting, self._names = path, counting, names
        # One row per chromosome is enough to match names.
        chroms = np.unique(gene["chrom"])
        self._places = {"chrom": chroms, "tss": np.zeros(len(chroms), np.int64)}
        self._windows = _Windows(gene["chrom"], starts, bins, bin_size)
        # The chromosomes of the file that reads were on: to the names that the annotation may have for them.
        self._annotated, self._reach, self._depth, self._spelled = {}, {}, 0, {}

    def add(self, names, chrom, start, end, strand):
        if self._counting == "five_prime" and not strand.all():
            read = int(np.argmin(strand != 0))
            raise InputError(
                f"{self._path}: the read at {names[chrom[read]]}:{start[read] + 1}-{end[read]} has no strand, so its 5' end is "
                "not known; set `histone.counting` to overlap or midpoint."
            )
        numbers = np.flatnonzero(np.bincount(chrom))
        for name in (names[number] for number in numbers):
            if name not in self._annotated:
                self._annotated[name] = self._annotation_of(name)
                self._check_spelling(name)
        self._depth += len(start)
        reach = np.zeros(len(names), np.int64)
        # A chromosome of the file may be two of the annotation's.
        for turn in range(max((len(self._annotated[names[number]]) for number in numbers), default=0)):
            segments = np.full(len(names), -1)
            for number in numbers:
                for other in self._annotated[names[number]][turn : turn + 1]:
                    segments[number] = self._windows.segment(names[number], other)
            self._windows.add(segments, chrom, start, end, strand, _RULES.index(self._counting), reach)
        for number in numbers:
            self._reach[names[number]] = max(self._reach.get(names[number], 0), int(reach[number]))

    def result(self):
        """Return (counts [gene, bin], depth, reach)."""
        names = self._names
        if names is None:
            names = match_chromosomes(self._places, self._annotated, self._path) if self._depth else {}
        names = {name: chrom for name, chrom in names.items() if chrom in self._annotated}
        counts = self._windows.counts((chrom, name) for name, chrom in names.items())
        return counts, self._depth, {name: self._reach[chrom] for name, chrom in names.items()}

    def _annotation_of(self, chrom):
        """Return the annotation's names that a chromosome of the file may have."""
        if self._names is not None:
            return [name for name, other in self._names.items() if other == chrom]
        try:
            return list(match_chromosomes(self._places, [chrom], self._path))
        except InputError:
            return []

    def _check_spelling(self, chrom):
        """Refuse a second name of a chromosome: one of them would be left out. A header says which names there are."""
        bare = chrom.removeprefix("chr")
        other = self._spelled.setdefault("M" if bare == "MT" else bare, chrom)
        # hg19 has two mitochondria.
        if self._names is None and self._annotated[chrom] and other != chrom and {other, chrom} != {"chrM", "chrMT"}:
            raise InputError(
                f"{self._path}: this file has reads on {other} and on {chrom}, which are names of one chromosome; "
                "give it one name, or remove the reads of the other."
            )


class _Windows:
    """Windows in segments: one for the genes of a chromosome of the annotation and the reads of a chromosome of the file.

    A row is a window. The rows of a segment are in the order of their places, so that those which a read overlaps
    follow each other; `_rows` and `_blocks` are where the rows and the blocks of each segment begin. `_changes`
    [row, bin + 1] holds how many more reads a bin has than the one before it.
    """

    def __init__(self, chrom, starts, bins, bin_size):
        self._chrom, self._gene_starts, self._bins, self._bin_size = chrom, starts, bins, bin_size
        self._segments, self._gene = {}, []
        self._rows, self._blocks = np.zeros((2, 1), np.int64)
        self._starts, self._first = np.zeros((2, 0), np.int64)
        self._changes = np.zeros((0, bins + 1), np.int64)

    def segment(self, in_file, annotated):
        """Return the number of the segment of two names, which is made if need be."""
        if (in_file, annotated) not in self._segments:
            genes = np.flatnonzero(self._chrom == annotated)
            genes = genes[np.argsort(self._gene_starts[genes], kind="stable")]
            starts = self._gene_starts[genes]
            ends = starts + self._bins * self._bin_size
            # The first row that ends behind the beginning of each block.
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

    def add(self, segments, chrom, start, end, strand, rule, reach):
        """Count reads: segments [chromosome] are those of the chromosomes' numbers, or -1; see `_add`."""
        windows = self._starts, self._rows, self._first, self._blocks
        _add(segments, chrom, start, end, strand, rule, *windows, self._bin_size, self._changes, reach)

    def counts(self, segments):
        """Return [gene, bin] int64: the counts of the named segments, zero for genes in none."""
        counts = np.zeros((len(self._chrom), self._bins), np.int64)
        for name in segments:
            segment = self._segments[name]
            changes = self._changes[self._rows[segment] : self._rows[segment + 1], :-1]
            counts[self._gene[segment]] = np.cumsum(changes, axis=1)
        return counts


@numba_jit
def _add(segments, chrom, start, end, strand, rule, starts, rows, firsts, blocks, bin_size, changes, reach):
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
