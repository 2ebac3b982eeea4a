"""What stands in the table of scores, and what people call it."""

from wakawaka.splits.regimes import BOTH_UNSEEN, LEAKING, POOL, TRAIN, UNSEEN_CELL, UNSEEN_GENE

LABELS = {
    TRAIN: "training samples",
    UNSEEN_CELL: "seen genes, unseen cells",
    UNSEEN_GENE: "unseen genes, seen cells",
    BOTH_UNSEEN: "both unseen",
    LEAKING: "random rows (leaking)",
    POOL: "all held-out samples",
}

BASELINES = {
    "training_mean": "training mean",
    "gene_mean": "per-gene training mean",
    "nearest_cell": "nearest training cell",
    "ridge_bins": "ridge on all bins",
    "ridge_summaries": "ridge on summaries of marks",
    "trees_summaries": "boosted trees on summaries of marks",
}
ABLATIONS = {"histone_only": "histone only", "dna_only": "DNA only", "shuffled_dna": "DNA of other genes"}

# The similarity of held-out genes to training genes: of whatever similarity, and by bins of it.
ALL = "all"
SIMILARITY_NAMES = ("below 0.01", "0.01 to 0.05", "0.05 to 0.2", "0.2 and above")


def in_words(predictor):
    """Return what people call a predictor."""
    model, _, ablation = predictor.partition(".")
    return BASELINES.get(predictor, f"{model}, {ABLATIONS[ablation]}" if ablation else model)


def shown_set(table):
    """Return the set and the run of scores that are shown first: the test set, if a truth of it is known, else the mean over the folds."""
    return ("test", "final") if (table["set"] == "test").any() else ("validation", "mean")
