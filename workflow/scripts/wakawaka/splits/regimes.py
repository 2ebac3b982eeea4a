"""The regimes: what a model had seen of a sample's gene and cell before it predicted the sample.

Scores of different regimes never stand pooled alone: a model that has seen the gene may answer with the gene's average (Schreiber,
Singh, Bilmes and Noble, Genome Biology 2020, 21:282).
"""

from wakawaka.core.files import read_table

TRAIN = "train"
UNSEEN_CELL = "unseen_cell"
UNSEEN_GENE = "unseen_gene"
BOTH_UNSEEN = "both_unseen"
LEAKING = "leaking"
# A sample that a fold leaves aside altogether: it belongs to the test set.
TEST = "test"

# All held-out samples together, as published numbers have them: for comparison with these alone.
POOL = "pool"
POOLED = (UNSEEN_CELL, UNSEEN_GENE, BOTH_UNSEEN)

# In the order in which tables and figures show them.
HELD_OUT = (UNSEEN_CELL, UNSEEN_GENE, BOTH_UNSEEN, LEAKING)


def read_regimes(samples, store, run):
    """Return the regimes of one run, [cell, gene] array of str, and check that the table is of this store."""
    table = read_table(samples, usecols=["cell", "gene_id", run], dtype=str)
    shape = (len(store.cells), len(store.genes))
    assert len(table) == shape[0] * shape[1] and table["gene_id"].iloc[-1] == store.genes[-1], (
        f"{samples} is of another store"
    )
    return table[run].to_numpy(str).reshape(shape)
