"""The description of a trained model, as preprocessing.json holds it."""

from wakawaka.network.preprocessing import Preprocessing, write_preprocessing


def preprocessing_of(spec=None, modules=("histone", "dna"), **others):
    """Return a `Preprocessing` with the attributes that are given; the others are those of a small model."""
    known = {
        "run": "final", "spec": spec or {"joint": {"dense": [2], "dropout": 0}, "negative_slope": 0.05}, "modules": list(modules),
        "target": {"kind": "value", "transform": "none"},
        "schedule": {"epochs": 1, "ensemble_size": 1, "pretraining_epochs": 0, "kmer_length": 0, "gene_effects": False},
        "permuted_genes": None, "binary": False, "fitted": {}, "marks": ["M00", "M01"], "window": 100, "bins": 20,
        "strand_aware": True, "scale": "counts", "counting": None, "samples": 12, "parameters": 34,
        "made_with": {"versions": {"keras": "3.1"}, "seed": 1, "threads": 1, "device": "CPU"},
    }  # fmt: skip
    return Preprocessing(**known | others)


def write_preprocessing_of(path, *arguments, **others):
    """Write what `preprocessing_of` returns; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_preprocessing(preprocessing_of(*arguments, **others), path)
    return path
