import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakawaka.core.errors import InputError
from wakawaka.core.files import sha256
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.sources.parsed import (
    LOG_TOLERANCE,
    read_parsed,
    start_checksums,
    stored_values,
    unique_rows,
    write_parsed,
)


def test_write_and_read(tmp_path):
    (tmp_path / "source").write_bytes(b"abc")
    warnings = Warnings()
    warnings.add("one thing is odd")
    write_parsed(tmp_path / "p.npz", tmp_path / "source", warnings, about={"scale": "counts"}, gene_id=np.array(["g"]))
    about, arrays = read_parsed(tmp_path / "p.npz")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    source = {"path": str(tmp_path / "source"), "sha256": digest}
    assert about == {"sources": [source], "warnings": ["one thing is odd"], "scale": "counts"}
    assert list(arrays) == ["gene_id"] and arrays["gene_id"].tolist() == ["g"]


def test_checksums_may_be_taken_ahead_or_given(tmp_path):
    (tmp_path / "source").write_bytes(b"abc")
    start_checksums([tmp_path / "missing", tmp_path / "source"])
    known = {"path": "x.bam", "sha256": "0" * 64}
    write_parsed(tmp_path / "p.npz", [tmp_path / "source", known], gene_id=np.array(["g"]))
    about, _ = read_parsed(tmp_path / "p.npz")
    assert about["sources"] == [{"path": str(tmp_path / "source"), "sha256": sha256(tmp_path / "source")}, known]


def test_parts_are_never_pickled(tmp_path):
    with pytest.raises(ValueError, match="Object arrays"):
        write_parsed(tmp_path / "p.npz", [], gene_id=np.array(["g"], object))
    assert list(tmp_path.iterdir()) == []


def test_warnings_are_logged_once(caplog):
    Warnings().add("one thing is odd")
    assert caplog.messages == ["one thing is odd"]


def test_some():
    assert shorten_list(["a", "b"]) == "a, b"
    assert shorten_list("abcdefg") == "a, b, c, d, e and 2 more"
    assert shorten_list([1, 2, 3], 2) == "1, 2 and 1 more"


def test_identical_rows_are_kept_once_and_counted():
    warnings = Warnings()
    ids = np.array(["b", "a", "b", "b"])
    values = np.array([[1, np.nan], [2, 3], [1, np.nan], [1, np.nan]])
    assert unique_rows(ids, values, "x.tsv", warnings).tolist() == [0, 1]
    assert warnings == ["x.tsv: 2 genes stand twice with identical values and are used once: b, b."]


def test_rows_that_stand_once_need_no_warning():
    warnings = Warnings()
    assert unique_rows(np.array(["b", "a"]), np.array(["x", "x"]), "x.tsv", warnings).tolist() == [0, 1]
    assert warnings == []


@pytest.mark.parametrize("values", [[1, 2, 3], [1.0, 2.0, np.nan], [np.nan, 2.0, 0.0], ["+", "-", "-"]])
def test_differing_rows_are_refused(values):
    with pytest.raises(
        InputError, match=r"^x\.tsv: gene b stands twice with different values; keep one of its rows\.$"
    ):
        unique_rows(np.array(["b", "a", "b"]), np.array(values), "x.tsv", Warnings())


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 70000), st.floats(-1.5 * LOG_TOLERANCE, 1.5 * LOG_TOLERANCE))
def test_logarithms_near_those_of_counts_become_counts(count, off):
    values = np.array([[[np.log1p(count) + off]]], np.float32)
    if values.min() < 0:
        return
    warnings = Warnings()
    found, scale = stored_values("x", values, "log1p", warnings)
    nearest = np.rint(np.expm1(values.astype(np.float64)))
    if np.abs(np.log1p(nearest) - values) > LOG_TOLERANCE:
        assert scale == "log1p" and len(warnings) == 1 and found.dtype == np.float32 and np.array_equal(found, values)
    else:
        assert scale == "counts" and warnings == [] and np.array_equal(found, nearest)
        assert found.dtype == (np.uint16 if nearest < 65536 else np.uint32)
