"""Activity, profiles and windows of the example's counts."""

import numpy as np
import pandas as pd
import pytest

from wakawaka.example.example_counts import draw_activity, inside_chromosome, profiles

# Not in the order of the module, because columns are known by name.
MARKS = ["H3K4me3", "H3K9me3", "H3K36me3", "H3K27me3", "H3K4me1"]


def test_a_cut_bin_has_the_reads_of_its_part_on_the_chromosome():
    # Windows [-2, 8) on plus and [-1, 9) on minus, on a chromosome of 7 bp, in bins of 5 bp.
    genes = pd.DataFrame({"tss": [3, 3], "strand": ["+", "-"], "length": [7, 7]})
    assert inside_chromosome(genes, 10, 2) == pytest.approx(np.array([[0.6, 0.8], [0.8, 0.6]]))


def test_profiles_by_hand():
    constant, per_a, per_r = profiles(MARKS, 100)
    k4me3, k9me3, k36me3, k27me3, k4me1 = range(5)
    assert constant[50, k4me3] == per_a[50, k4me3] == per_r[50, k27me3] == 1
    assert constant[54, k4me3] == per_a[46, k4me3] == per_r[65, k27me3] == pytest.approx(np.exp(-0.5))
    assert list(per_a[54:58, k36me3]) == [0, 0, 0.8, 0.8]
    assert per_a[40, k4me1] == per_a[60, k4me1] == pytest.approx(0.5 * (1 + np.exp(-8)))
    assert per_a[35, k4me1] == pytest.approx(0.5 * np.exp(-0.5), abs=1e-4)
    assert not constant[:, [k9me3, k36me3, k27me3, k4me1]].any()
    assert not per_a[:, [k9me3, k27me3]].any() and not per_r[:, [k9me3, k36me3, k4me3, k4me1]].any()


def test_activity_has_unit_variance_and_the_genes_share():
    a = draw_activity(np.random.default_rng(0), 3, 200_000)
    # Standard error of a covariance of normal variables: at most sqrt(2 / 200 000) = 0.003.
    assert np.cov(a) == pytest.approx(np.full((3, 3), 0.36) + 0.64 * np.eye(3), abs=0.015)
