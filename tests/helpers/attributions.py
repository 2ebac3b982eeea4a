"""The attribution of one small gene."""

import numpy as np


def attribution(folder, **arrays):
    """Write an attribution file with other `arrays` than usual; return its path."""
    gene = {
        "gene_id": np.array("ENSG1"),
        "cell": np.array("E003"),
        "regime": np.array("both_unseen"),
        "strand": np.array("-"),
        "run": np.array("final"),
        "truth": np.array(2.5),
        "prediction": np.array(2.0),
        "binary": np.array(False),
        "marks": np.array(["H3K4me3", "H3K27me3"]),
        "histone": np.array([[1.0, 2.0], [0.0, 4.0]], np.float32),
        "histone_gradient": np.array([[0.5, -0.25], [3.0, 0.1]], np.float32),
        "histone_agreement": np.array(0.75),
        "dna": np.array([0, 4, 3, 1], np.uint8),
        "dna_gradient": np.array(
            [[0.3, -0.1, -0.1, -0.1], [0, 0, 0, 0], [0.25, 0.25, 0.25, -0.75], [0, 0, 0, 0]], np.float32
        ),
        "dna_agreement": np.array(0.5),
        "window": np.array(4),
        "bin_size": np.array(2),
    }
    np.savez(folder / "gene.npz", **gene | arrays)
    return folder / "gene.npz"
