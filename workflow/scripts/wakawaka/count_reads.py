"""Reads counted in the bins of genes."""

import numpy as np

from .errors import InputError
from .windows import match_chromosomes

_END_BITS = 31


def count_reads(path, batches, gene, starts, *, bins, bin_size, counting, unique=False, names=None):
    """Count reads in the bins of genes.

    Exact for reads of any length: a bin's number is that of the reads that start before its end, less that of the reads
    that end before or at its start. Bins beyond a chromosome's end are zero, because no read is there.

    Args:
        path: of the file, for sentences.
        batches: iterable of (chromosome, start [read], end [read], strand [read]); positions are 0-based, ends not included.
        gene: arrays of the genes part, of genes at known places only.
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
    for chrom, start, end, strand in batches:
        if unique:
            kept.setdefault(chrom, []).append(_packed(start, end, strand))
        else:
            counter.add(chrom, start, end, strand)
    for chrom in list(kept):
        counter.add(chrom, *_unpacked(np.unique(np.concatenate(kept.pop(chrom)))))
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
        self._path, self._gene, self._starts, self._counting, self._names = path, gene, starts, counting, names
        self._bins = bin_size * np.arange(bins + 1)
        # One row per chromosome is enough to match names.
        chroms = np.unique(gene["chrom"])
        self._places = {"chrom": chroms, "tss": np.zeros(len(chroms), np.int64)}
        self._edges, self._reach, self._depth = {}, {}, 0
        self._spelled = {}

    def add(self, chrom, start, end, strand):
        if chrom not in self._edges:
            self._edges[chrom] = {name: _Edges(self._starts_on(name), self._bins) for name in self._annotated(chrom)}
            self._check_spelling(chrom)
        self._depth += len(start)
        self._reach[chrom] = max(self._reach.get(chrom, 0), int(end.max(initial=0)))
        if self._counting == "midpoint":
            start = (start + end) // 2
            end = start + 1
        elif self._counting == "five_prime":
            if not strand.all():
                read = int(np.argmin(strand != 0))
                raise InputError(
                    f"{self._path}: the read at {chrom}:{start[read] + 1}-{end[read]} has no strand, so its 5' end is not known; "
                    "set `histone.counting` to overlap or midpoint."
                )
            start = np.where(strand > 0, start, end - 1)
            end = start + 1
        for edges in self._edges[chrom].values():
            edges.add(start, end)

    def result(self):
        """Return (counts [gene, bin], depth, reach)."""
        names = self._names
        if names is None:
            names = match_chromosomes(self._places, self._edges, self._path) if self._depth else {}
        counts = np.zeros((len(self._starts), len(self._bins) - 1), np.int64)
        for name, chrom in names.items():
            if chrom in self._edges:
                counts[self._gene["chrom"] == name] = self._edges[chrom][name].counts()
        reach = {name: self._reach[chrom] for name, chrom in names.items() if chrom in self._reach}
        return counts, self._depth, reach

    def _annotated(self, chrom):
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
        if self._names is None and self._edges[chrom] and other != chrom and {other, chrom} != {"chrM", "chrMT"}:
            raise InputError(
                f"{self._path}: this file has reads on {other} and on {chrom}, which are names of one chromosome; "
                "give it one name, or remove the reads of the other."
            )

    def _starts_on(self, name):
        return self._starts[self._gene["chrom"] == name]


class _Edges:
    """How many reads start before and end at or before each edge of the bins on one chromosome."""

    def __init__(self, starts, bins):
        self._edges, self._of_bin = np.unique(starts[:, None] + bins, return_inverse=True)
        self._of_bin = self._of_bin.reshape(len(starts), len(bins))
        self._begun, self._ended = np.zeros((2, len(self._edges) + 1), np.int64)

    def add(self, start, end):
        self._begun += np.bincount(np.searchsorted(self._edges, start, "right"), minlength=len(self._begun))
        self._ended += np.bincount(np.searchsorted(self._edges, end, "left"), minlength=len(self._ended))

    def counts(self):
        """Return [gene, bin] int64."""
        begun, ended = np.cumsum(self._begun)[self._of_bin], np.cumsum(self._ended)[self._of_bin]
        return begun[:, 1:] - ended[:, :-1]
