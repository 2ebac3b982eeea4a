"""What is predicted, against slow and obvious references; what is fitted, on training samples alone."""

import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from helpers.stores import info_of, store_with
from wakawaka.core.errors import InputError
from wakawaka.store import targets

SCRIPTS = Path(targets.__file__).parents[2]
NONE = {"kind": "value", "transform": "none"}
LABEL = {"kind": "label", "transform": "none"}
MEDIAN = {"kind": "above_median", "transform": "none"}


def value(transform):
    return {"kind": "value", "transform": transform}


ZSCORE, RATIO = value("zscore_per_gene"), value("log2ratio:E000")


def store_of(expression, reference=None, medians=None):
    expression = np.array(expression, np.float32)
    return store_with(
        expression=expression,
        genes=np.array([f"G{number}" for number in range(expression.shape[1])]),
        cells=np.array([f"c{number}" for number in range(len(expression))]),
        reference=None if reference is None else np.array(reference, np.float32),
        info=info_of(*expression.shape, medians=medians),
    )


def everything(store):
    return np.ones(store.expression.shape, bool)


def made(store, target, trained=None):
    """Return (targets, fitted); what is fitted has been through a file."""
    fitted = targets.fit(store, target, everything(store) if trained is None else trained)
    again = json.loads(json.dumps(fitted, allow_nan=False))
    assert again == fitted
    return targets.values(store, target, again), again


# Values


def slow(expression, transform, reference=None, trained=None):
    """The definition, value by value, in Python's floats."""
    expression = [[float(v) for v in row] for row in expression]
    result = [[math.nan] * len(expression[0]) for _ in expression]
    for gene in range(len(expression[0])):
        column = [row[gene] for row in expression]
        used = [v for cell, v in enumerate(column) if trained is not None and trained[cell][gene] and not math.isnan(v)]
        for cell, v in enumerate(column):
            if math.isnan(v):
                continue
            if transform == "none":
                result[cell][gene] = v
            elif transform == "log2p1":
                result[cell][gene] = math.log2(v + 1)
            elif transform == "ln1p":
                result[cell][gene] = math.log(v + 1)
            elif transform.startswith("log2ratio") and not math.isnan(reference[gene]):
                result[cell][gene] = math.log2((v + 1) / (float(reference[gene]) + 1))
            elif transform == "zscore_per_gene" and len(used) > 1 and statistics.stdev(used) > 0:
                result[cell][gene] = (v - statistics.fmean(used)) / statistics.stdev(used)
    return np.array(result)


# Not next to zero: the sum of squares of such numbers is no float.
numbers = st.one_of(st.just(0.0), st.floats(0.0009765625, 1e6, width=32), st.just(math.nan))
tables = st.tuples(st.integers(1, 5), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float32, shape, elements=numbers),
        arrays(np.float32, shape[1], elements=numbers),
        arrays(bool, shape),
    )
)


@pytest.mark.parametrize("transform", ["none", "log2p1", "ln1p", "log2ratio:E000", "zscore_per_gene"])
@settings(deadline=None, max_examples=60)
@given(table=tables)
def test_targets_are_what_is_defined_and_turn_back_into_values(transform, table):
    expression, reference, trained = table
    store, target = store_of(expression, reference), value(transform)
    found, fitted = made(store, target, trained)
    expected = slow(expression, transform, reference, trained)
    assert found.dtype == np.float32
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.allclose(found, expected, rtol=1e-5, atol=1e-5, equal_nan=True)
    # Back: a float32 target is right to one part in 2^24, of an exponent or of a distance in standard deviations.
    back = targets.invert(found, store.genes, target, fitted)
    assert back.dtype == np.float64 and np.array_equal(np.isnan(back), np.isnan(found))
    spread = np.zeros(len(store.genes))
    if transform == "zscore_per_gene":
        spread[np.isin(store.genes, fitted["gene_id"])] = fitted["sd"]
    lost = 1e-5 * (np.abs(expression) + 1) + 1e-6 * np.abs(np.nan_to_num(found)) * spread
    assert (np.abs(back - expression)[~np.isnan(found)] <= lost[~np.isnan(found)]).all()


def test_literal_targets():
    store = store_of([[0, 1, 3], [7, np.nan, 3]], reference=[1, 3, np.nan])
    assert np.array_equal(made(store, NONE)[0], [[0, 1, 3], [7, np.nan, 3]], equal_nan=True)
    assert np.array_equal(made(store, value("log2p1"))[0], [[0, 1, 2], [3, np.nan, 2]], equal_nan=True)
    assert np.array_equal(made(store, RATIO)[0], [[-1, -1, np.nan], [2, np.nan, np.nan]], equal_nan=True)
    found, fitted = made(store, ZSCORE)
    # Of 0 and 7: mean 3.5, sample standard deviation 7 / sqrt(2). G1 has one value, G2 two that are equal.
    half = np.float32(np.sqrt(0.5))
    assert np.array_equal(found, [[-half, np.nan, np.nan], [half, np.nan, np.nan]], equal_nan=True)
    assert fitted == {"gene_id": ["G0"], "mean": [3.5], "sd": [7 / np.sqrt(2)]}


def test_turning_back_goes_by_the_name_of_the_gene():
    fitted = {"gene_id": ["G1", "G0"], "mean": [10.0, 1.0], "sd": [2.0, 0.5]}
    found = targets.invert([[1, 2, 3], [-1, 0, 0]], ["G0", "new", "G1"], ZSCORE, fitted)
    assert np.array_equal(found, [[1.5, np.nan, 16], [0.5, np.nan, 10]], equal_nan=True)
    assert np.array_equal(targets.invert([3.0, 0.0], ["x", "y"], value("log2p1"), {}), [7, 0])
    assert np.isnan(targets.invert([[0.2, 0.9]], ["G0", "G1"], MEDIAN, {})).all()


def test_z_scores_of_one_model_are_put_on_the_scale_of_another():
    fitted = {"gene_id": ["G1", "G0"], "mean": [10.0, 1.0], "sd": [2.0, 0.5]}
    other = {"gene_id": ["G0", "G2"], "mean": [2.0, 5.0], "sd": [1.0, 1.0]}
    # G0: 1 + 3 x 0.5 = 2.5, half a deviation of 1 above 2. The others are not known to both.
    found = targets.rescale([3, 4, 5], ["G0", "G1", "G2"], ZSCORE, fitted, other)
    assert found.tolist() == [0.5, 4, 5]
    assert targets.rescale([3, 4], ["G0", "G1"], NONE, {}, {}).tolist() == [3, 4]


# Fitted on training samples alone


@settings(deadline=None, max_examples=60)
@given(
    expression=arrays(np.float32, (4, 5), elements=numbers),
    others=arrays(np.float32, (4, 5), elements=st.one_of(numbers, st.just(np.float32(1e30)))),
    trained=arrays(bool, (4, 5)),
)
def test_what_is_held_out_changes_no_bit_of_what_is_fitted(expression, others, trained):
    before = targets.fit(store_of(expression), ZSCORE, trained)
    after = targets.fit(store_of(np.where(trained, expression, others)), ZSCORE, trained)
    assert json.dumps(before) == json.dumps(after)


def test_what_is_trained_on_does_change_it():
    expression = np.arange(12, dtype=np.float32).reshape(4, 3)
    trained = np.arange(4)[:, None] < np.array([3, 3, 1])
    before = targets.fit(store_of(expression), ZSCORE, trained)
    assert before == {"gene_id": ["G0", "G1"], "mean": [3, 4], "sd": [3, 3]}
    expression[2, 0] = 9
    after = targets.fit(store_of(expression), ZSCORE, trained)
    assert after["mean"] == [4, 4] and after["sd"][0] != 3 == after["sd"][1]


def test_values_that_a_float32_does_not_hold_in_standard_deviations_are_not_known():
    store = store_of([[0, 0], [1e-30, 1], [1e30, 2]])
    found, _ = made(store, ZSCORE, np.array([[True] * 2] * 2 + [[False] * 2]))
    assert np.isnan(found[2, 0]) and np.isfinite(np.delete(found.ravel(), 4)).all()


# Labels


def test_labels_are_taken_as_they_are():
    labels = np.array([[0, 1, np.nan], [1, 1, 0]], np.float32)
    assert np.array_equal(made(store_of(labels), LABEL)[0], labels, equal_nan=True)


def test_at_the_median_is_one():
    store = store_of([[0, 2, 3, np.nan], [1, 2, 3, 4], [1, 2, 3, 4]], medians={"c0": 2.0, "c1": 2.5, "c2": None})
    found, fitted = made(store, MEDIAN)
    nothing = [np.nan] * 4
    assert np.array_equal(found, [[0, 1, 1, np.nan], [0, 0, 1, 1], nothing], equal_nan=True)
    assert found.dtype == np.float32 and fitted == {}


@pytest.mark.parametrize("target", [LABEL, MEDIAN])
def test_labels_are_binary_and_values_are_not(target):
    assert targets.is_binary(target) and not targets.is_binary(ZSCORE)


# Known


def test_known_is_what_has_a_target_whatever_is_trained_on():
    store = store_of([[0, 1, np.nan], [1, 1, 0]], reference=[1, np.nan, 0], medians={"c0": None, "c1": 1})
    known = [[True, True, False], [True, True, True]]
    for target in (NONE, value("log2p1"), value("ln1p"), ZSCORE, LABEL):
        assert targets.known(store, target).tolist() == known
    assert targets.known(store, RATIO).tolist() == [[True, False, False], [True, False, True]]
    assert targets.known(store, MEDIAN).tolist() == [[False] * 3, [True] * 3]


# Refusals


@pytest.mark.parametrize("transform", ["log2p1", "ln1p", "log2ratio:E000"])
def test_logarithms_of_negative_values_are_refused(transform):
    store = store_of([[0, 1], [-0.5, np.nan]], reference=[1, 1])
    with pytest.raises(InputError) as caught:
        targets.known(store, value(transform))
    assert str(caught.value) == (
        f"config key `expression.transform` is {transform}, but the expression of gene G0 in cell c1 is -0.5: "
        "negative values look like logarithms already, so set the key to none."
    )
    for other in (NONE, ZSCORE):
        assert targets.known(store, other).sum() == 3


def test_a_negative_reference_is_refused():
    store = store_of([[0, 1]], reference=[np.nan, -2])
    with pytest.raises(InputError) as caught:
        targets.known(store, RATIO)
    assert str(caught.value).startswith(
        "config key `expression.transform` is log2ratio:E000, but the expression of gene G1 in the reference column is -2: negative"
    )


@pytest.mark.parametrize("wrong", [2, 0.5, -1])
def test_labels_that_are_none_are_refused(wrong):
    with pytest.raises(InputError) as caught:
        targets.known(store_of([[0, np.nan, 1], [1, 1, wrong]]), LABEL)
    assert str(caught.value) == (
        f"config key `expression.target` is label, but the expression of gene G2 in cell c1 is {wrong}: labels are 0 and 1; "
        "set the key to value, or to above_median, which makes labels of values."
    )


def test_it_imports_no_tensorflow():
    check = (
        "import sys, wakawaka.store.targets; print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
