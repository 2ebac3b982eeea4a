"""How similar the DNA windows of genes are, by the k-mers that they share.

Windows that overlap nowhere on the genome may still be copies of each other: paralogues, segmental duplications, one locus
under two names. A model that was trained on one has then all but seen the other.

The similarity of one window to another is the containment: the part of its k-mers that also stand in the other, whatever the
strand. It is estimated on a FracMinHash sketch: of all k-mers those whose hash is low (Brown and Irber, JOSS 2016, 1:27;
Irber et al., bioRxiv 2022.01.11.475838). Nothing is random: equal windows have equal sketches. Where copies differ
in a part d of their bases, about (1 - d)^16 of the 16-mers are common (Ondov et al., Genome Biology 2016, 17:132).
"""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from wakawaka.core.progress import Progress
from wakawaka.genome.dna import reverse_complement
from wakawaka.splits.overlap import kmers

log = logging.getLogger(__name__)

# There are 2.1 billion 16-mers when both strands count as one: two unrelated windows of 10 kb have none or one in common.
LENGTH = 16
# One of so many k-mers is in the sketch: about 620 of a window of 10 kb, which gives a similarity of 0.5 to within 0.02.
SCALE = 16
# The fewest k-mers in a sketch that a window is judged by: of fewer (in windows of nearly nothing but N, or of one short motif
# again and again) a chance hit or a single repeat makes a large part.
LEAST = 20
# From here on two windows are one sequence under two names: 0.9 is a difference in 0.7% of the bases, which is less than between
# most paralogues, but more than between the alleles, patches and alternative loci of one assembly.
NEAR_IDENTICAL = 0.9
# From here on a training window may be a paralogue's: 0.2 is a tenth of the bases different, or a fifth of the window common.
# A repeat alone does less: an Alu has 300 bp, 3% of 10 kb.
PARALOGUE = 0.2
# Genes that are compared with all others at once.
BLOCK = 250


@dataclass(frozen=True)
class Sketches:
    """The sketches of windows.

    Attributes:
        shared: [gene, k-mer] sparse int32, 1 where a k-mer is in the gene's sketch; k-mers of a single sketch are left out.
        size: [gene] int64, the number of k-mers in each sketch, those of a single one too.
    """

    shared: csr_array
    size: np.ndarray

    @property
    def judged(self):
        """Mask [gene] of the windows that have enough k-mers to be judged by."""
        return self.size >= LEAST


def sketch(dna, scale=SCALE):
    """Return the `Sketches` of windows, [gene, position] uint8 codes; one of `scale` k-mers is in them."""
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


def near_identical_pairs(sketches):
    """Return pairs of rows (first < second), as a list, of which one window is NEAR_IDENTICAL or more similar to the other."""
    rows, pairs = np.arange(len(sketches.size)), set()
    for block, common in _common(sketches, rows, rows, "windows that are the same sequence"):
        found = (common >= NEAR_IDENTICAL * sketches.size[block, None]) & sketches.judged[block, None]
        found[np.arange(len(block)), block] = False
        pairs |= {(min(pair), max(pair)) for pair in zip(*map(np.ndarray.tolist, _places(found, block)), strict=True)}
    return sorted(pairs)


def most_similar(sketches, held, trained):
    """Return the training gene whose window holds most of the k-mers of each held-out gene's, and the part that it holds.

    Args:
        held, trained: rows [held] and [trained] int64 of the sketches.

    Returns:
        (rows [held] int64, the first of equals, -1 where no k-mer is common; similarity [held] float64, 0 to 1, NaN where the
        held-out window has too few k-mers to be judged by).
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


def similarity_table(sketches, genes, sides):
    """Return a table of the training window most similar to that of each held-out gene.

    Args:
        sketches: `Sketches` of the genes' windows, None where the sequences are not known: the table is then empty.
        genes: [gene] array of str.
        sides: dict from run to two masks [gene]: held out in it, and trained on in it.

    Returns:
        DataFrame with run, gene_id, similar_to (NaN where nothing is common) and similarity (as of `most_similar`).
    """
    tables = [pd.DataFrame({"run": [], "gene_id": [], "similar_to": [], "similarity": []})]
    for run, (held, trained) in sides.items() if sketches else ():
        rows = np.flatnonzero(held)
        best, part = most_similar(sketches, rows, np.flatnonzero(trained))
        similar_to = np.where(best >= 0, genes[best].astype(object), np.nan)
        tables.append(pd.DataFrame({"run": run, "gene_id": genes[rows], "similar_to": similar_to, "similarity": part}))
    return pd.concat([table for table in tables if len(table)] or tables)


def _low_hashes(codes, scale):
    """Return the sorted hashes of those k-mers of one window that are in its sketch, each once, uint64."""
    forward, clean = kmers(codes, LENGTH)
    backward, _ = kmers(reverse_complement(codes), LENGTH)
    hashes = _mix(np.minimum(forward, backward[::-1])[clean])
    return np.unique(hashes[hashes <= np.uint64((2**64 - 1) // scale)])


def _mix(values):
    """Return one hash for each of an array of uint64, all different: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _common(sketches, rows, others, what):
    """Yield (block of `rows`, number of common k-mers [block, others] int32); now and then the log says how far it is."""
    progress = Progress(log, len(rows), "windows", logging.INFO)
    columns = sketches.shared[others].T.tocsr()
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        yield block, (sketches.shared[block] @ columns).toarray()
        progress.advance(len(block), "looking for %s: %d of %d", what, start + len(block), len(rows))


def _places(found, block):
    """Return the rows and columns of what is true in a mask [block, gene]."""
    row, column = np.nonzero(found)
    return block[row], column
