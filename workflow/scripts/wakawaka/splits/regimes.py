"""The runs, and the regimes: what the model of a run has seen of a sample's gene and cell in training.

Scores of different regimes are never pooled without their own scores, because a model that has seen the gene may return
the gene's average (Schreiber, Singh, Bilmes and Noble, Genome Biology 2020, 21:282).
"""

# The run of the final model, which is trained on all training samples. The others are the folds.
FINAL = "final"

TRAIN = "train"
UNSEEN_CELL = "unseen_cell"
UNSEEN_GENE = "unseen_gene"
BOTH_UNSEEN = "both_unseen"
# Random rows: the cell and the gene are trained on, in other samples.
LEAKING = "leaking"
# The sample belongs to the test set; a fold neither trains on it nor predicts it.
TEST = "test"

# All held-out samples together: only for comparison with published numbers, which are pooled.
POOL = "pool"
POOLED = (UNSEEN_CELL, UNSEEN_GENE, BOTH_UNSEEN)

# In the order in which tables and figures show them.
HELD_OUT = (UNSEEN_CELL, UNSEEN_GENE, BOTH_UNSEEN, LEAKING)


def fold_name(number: int) -> str:
    """Return the name of the run of a fold; folds are counted from 1."""
    return f"fold-{number}"
