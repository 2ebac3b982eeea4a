"""The similarity of DNA windows, by the k-mers that they share.

Windows that overlap nowhere on the genome may still be copies of each other: paralogues, segmental duplications, one
locus under two names. A model that was trained on one has then almost seen the other.

The similarity of one window to another is the containment: the part of its k-mers that also stand in the other, on
either strand. It is estimated on a FracMinHash sketch: of all k-mers those whose hash is low (Brown and Irber, JOSS
2016, 1:27; Irber et al., bioRxiv 2022.01.11.475838). Nothing is random: equal windows have equal sketches. Where copies
differ in a part d of their bases, about (1 - d)^16 of the 16-mers are common (Ondov et al., Genome Biology 2016,
17:132).
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from wakawaka.core.progress import Progress
from wakawaka.genome.dna import reverse_complement
from wakawaka.splits.overlap import Pair, kmers

log = logging.getLogger(__name__)

# There are 2.1 billion 16-mers when both strands count as one: two unrelated windows of 10 kb have none or one in
# common.
LENGTH = 16
# One of so many k-mers is in the sketch: about 620 of a window of 10 kb, which gives a similarity of 0.5 to within
# 0.02.
SCALE = 16
# The fewest k-mers in a sketch that a window is judged by. With fewer, a chance hit or a single repeat makes a large
# part; windows of almost only N, or of one short repeated motif, have so few.
LEAST = 20
# From here on two windows are one sequence under two names. 0.9 is a difference in 0.7% of the bases: less than between
# most paralogues, but more than between the alleles, patches and alternative loci of one assembly.
NEAR_IDENTICAL = 0.9
# From here on a training window may be a paralogue's: 0.2 is a tenth of the bases different, or a fifth of the window
# common. A repeat alone does less: an Alu has 300 bp, 3% of 10 kb.
PARALOGUE = 0.2
# Genes that are compared with all others at once.
BLOCK = 250


@dataclass(frozen=True)
class Sketches:
    """The sketches of windows.

    Attributes:
        shared: [gene, k-mer] sparse int32, 1 where a k-mer is in the gene's sketch; k-mers of a single sketch are left
            out.
        size: [gene] int64, the number of k-mers in each sketch, those of a single one included.
    """

    shared: csr_array
    size: np.ndarray

    @property
    def judged(self) -> np.ndarray:
        """Mask [gene] of the windows that have enough k-mers to be judged by."""
        return self.size >= LEAST


def sketch(dna: np.ndarray, scale: int = SCALE) -> Sketches:
    """Return the sketches of windows.

    Args:
        dna: [gene, position] uint8 codes.
        scale: one of so many k-mers is in a sketch.
    """
    progress = Progress(log, len(dna), "windows", logging.INFO)
    hashes = []
    for codes in dna:
        hashes.append(_low_hashes(codes, scale))
        progress.advance(1, "k-mers of %d of %d windows", len(hashes), len(dna))
    size = np.array([len(row) for row in hashes], np.int64)
    _, number, count = np.unique(
        np.concatenate([*hashes, np.array([], np.uint64)]), return_inverse=True, return_counts=True
    )
    # Most k-mers stand in one window alone and make no two of them similar.
    repeated = count > 1
    kept = repeated[number]
    column = (np.cumsum(repeated) - 1)[number[kept]]
    row = np.repeat(np.arange(len(dna)), size)[kept]
    shape = len(dna), int(repeated.sum())
    return Sketches(csr_array((np.ones(len(row), np.int32), (row, column)), shape=shape), size)


def near_identical_pairs(sketches: Sketches) -> list[Pair]:
    """Return pairs of rows (first < second), one window of which is at least `NEAR_IDENTICAL` similar to the other."""
    rows, pairs = np.arange(len(sketches.size)), set()
    for block, common in _common(sketches, rows, rows, "windows that are the same sequence"):
        found = (common >= NEAR_IDENTICAL * sketches.size[block, None]) & sketches.judged[block, None]
        found[np.arange(len(block)), block] = False
        row, column = np.nonzero(found)
        pairs |= {(min(pair), max(pair)) for pair in zip(block[row].tolist(), column.tolist(), strict=True)}
    return sorted(pairs)


def most_similar(sketches: Sketches, held: np.ndarray, trained: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each held-out gene, the training gene with the most similar window, and the similarity.

    Args:
        sketches: the sketches of all genes.
        held, trained: rows [held] and [trained] int64 of the sketches.

    Returns:
        (rows [held] int64, the first of equals, -1 where no k-mer is common; similarity [held] float64, 0 to 1, NaN
        where the held-out window has too few k-mers to be judged by).
    """
    best, part = np.full(len(held), -1), np.zeros(len(held))
    done = 0
    for block, common in _common(sketches, held, trained, "the training windows most similar to held-out ones"):
        place = slice(done, done + len(block))
        done += len(block)
        if len(trained):
            most = common.max(axis=1)
            best[place] = np.where(most > 0, trained[common.argmax(axis=1)], -1)
            part[place] = most / np.maximum(sketches.size[block], 1)
    unknown = ~sketches.judged[held]
    best[unknown], part[unknown] = -1, np.nan
    return best, part


def similarity_table(
    sketches: Sketches | None, genes: np.ndarray, sides: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> pd.DataFrame:
    """Return a row for each held-out gene of each run: run, gene_id, similar_to and similarity.

    `similar_to` is the training gene with the most similar window, NaN where nothing is common; `similarity` is that of
    `most_similar`.

    Args:
        sketches: the sketches of the genes' windows, None where the sequences are not known: the table is then empty.
        genes: [gene] array of str.
        sides: from a run to two masks [gene]: held out in it, and trained on in it.
    """
    tables = [pd.DataFrame({"run": [], "gene_id": [], "similar_to": [], "similarity": []})]
    for run, (held, trained) in sides.items():
        if sketches is None:
            break
        rows = np.flatnonzero(held)
        best, part = most_similar(sketches, rows, np.flatnonzero(trained))
        similar_to = np.where(best >= 0, genes[best].astype(object), np.nan)
        tables.append(pd.DataFrame({"run": run, "gene_id": genes[rows], "similar_to": similar_to, "similarity": part}))
    return pd.concat([table for table in tables if len(table)] or tables)


def _low_hashes(codes: np.ndarray, scale: int) -> np.ndarray:
    """Return the sorted, different hashes [k-mer] uint64 of the k-mers in the sketch of one window."""
    forward, clean = kmers(codes, LENGTH)
    backward, _ = kmers(reverse_complement(codes), LENGTH)
    hashes = _mix(np.minimum(forward, backward[::-1])[clean])
    return np.unique(hashes[hashes <= np.uint64((2**64 - 1) // scale)])


def _mix(values: np.ndarray) -> np.ndarray:
    """Return different hashes of different uint64s, by SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _common(
    sketches: Sketches, rows: np.ndarray, others: np.ndarray, what: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (block of `rows`, number of common k-mers [block, others] int32), and log the progress."""
    progress = Progress(log, len(rows), "windows", logging.INFO)
    columns = sketches.shared[others].T.tocsr()
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        yield block, (sketches.shared[block] @ columns).toarray()
        progress.advance(len(block), "looking for %s: %d of %d", what, start + len(block), len(rows))
