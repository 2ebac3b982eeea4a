"""Gene random effects, compared with formulas that are written out."""

import numpy as np
import pytest

from helpers.effects import START, fit_effects, mutated, some_dna, some_errors
from wakawaka.network.gene_effects import variances


def test_the_variances_are_those_that_the_errors_were_drawn_with():
    within, between = variances(some_errors(4000))
    # The standard deviations of these estimates are about 1% and 4%.
    assert within == pytest.approx(1, rel=0.05) and between == pytest.approx(0.5, rel=0.15)


def test_a_gene_s_effect_is_the_shrunken_mean_of_its_errors():
    errors, dna = some_errors(30), some_dna(30)
    errors[:, 7] = np.nan
    effects = fit_effects(errors, dna)
    within, between = variances(errors)
    expected = []
    for gene in range(30):
        known = errors[:, gene][~np.isnan(errors[:, gene])]
        part = len(known) / (len(known) + within / between)
        expected.append((known.mean() - np.nanmean(errors)) * part if len(known) else 0.0)
    assert effects(dna) == pytest.approx(expected, rel=1e-4)
    # Less than the mean, but most of it.
    means = np.nanmean(np.delete(errors, 7, axis=1), axis=0) - np.nanmean(errors)
    assert (np.abs(np.delete(effects(dna), 7)) < np.abs(means)).all()


def test_an_unseen_gene_has_none_at_all():
    effects = fit_effects(some_errors(30), some_dna(30))
    assert (effects(some_dna(200, seed=2)) == 0).all()
    assert effects.recognised(np.concatenate([some_dna(30), some_dna(2, seed=2)])).tolist() == [True] * 30 + [False] * 2


def test_genes_of_the_same_bases_share_one_effect():
    errors, dna = some_errors(30), some_dna(30)
    dna[1] = dna[0]
    found = fit_effects(errors, dna)(dna)
    within, between = variances(errors)
    both = errors[:, :2][~np.isnan(errors[:, :2])]
    # Each carries half of the sum; two effects that are added shrink half as much as one.
    expected = (both.mean() - np.nanmean(errors)) * len(both) / (len(both) + within / between / 2)
    assert found[:2] == pytest.approx([expected] * 2, rel=1e-4)


@pytest.mark.parametrize(("count", "part"), [(1, 1), (8, 1), (12, 0.5), (16, 0), (40, 0)])
def test_a_gene_is_recognised_with_a_few_other_bases(count, part):
    dna = some_dna(30)
    effects = fit_effects(some_errors(30), dna)
    assert effects(mutated(dna[3], count)[None]) == pytest.approx(part * effects(dna[3:4]), abs=1e-6)


def test_bases_that_are_not_known_are_nobody_s():
    dna = some_dna(30)
    dna[2, START:-START] = 4
    dna[4, START : START + 5] = 4
    effects = fit_effects(some_errors(30), dna)
    found = effects(dna)
    assert found[2] == 0 and found[4] != 0
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    "errors",
    [
        # The genes' means differ less than noise alone would make them.
        np.array([[1.0, -1.0], [-1.0, 1.0]]),
        # One gene; one cell of each.
        np.array([[1.0], [2.0]]),
        np.array([[1.0, 2.0, 5.0]]),
        np.array([[np.nan, 2.0], [np.nan, 3.0]]),
    ],
)
def test_there_are_none_where_the_errors_tell_nothing_of_genes(errors):
    effects = fit_effects(errors, some_dna(errors.shape[1]))
    assert len(effects.values) and not effects.values.any()


def test_errors_without_any_noise_are_remembered_whole():
    errors = np.tile(np.array([1.0, -2.0, 4.0]), (5, 1))
    assert fit_effects(errors, some_dna(3)).values == pytest.approx([0, -3, 3], abs=1e-4)


def test_what_all_genes_have_in_common_is_no_effect_of_any():
    errors, dna = some_errors(30), some_dna(30)
    assert fit_effects(errors + 10, dna).values == pytest.approx(fit_effects(errors, dna).values, abs=1e-5)


def test_a_short_window_is_looked_at_whole():
    dna = some_dna(30)[:, :40]
    effects = fit_effects(some_errors(30), dna)
    assert effects.codes.shape == (30, 40) and effects(dna).all()
