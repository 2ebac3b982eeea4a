from wakawaka.evaluation.labels import REGIMES
from wakawaka.splits.regimes import HELD_OUT, LEAKING, POOL, POOLED, TRAIN


def test_every_regime_has_a_label_of_its_own():
    assert set(REGIMES) == {TRAIN, *HELD_OUT, POOL}
    assert len(set(REGIMES.values())) == len(REGIMES)


def test_random_rows_are_not_pooled_with_held_out_cells_and_genes():
    assert set(POOLED) == set(HELD_OUT) - {LEAKING}
