"""The readers of the course's npz files."""

import contextlib
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.damage import damaged_bytes
from wakawaka.core.errors import InputError
from wakawaka.core.messages import Warnings
from wakawaka.sources.course_npz import gene_ids, member_names, members
from wakawaka.sources.expression.read_npz_expression import read_npz_expression
from wakawaka.sources.genes.read_npz_genes import read_npz_genes
from wakawaka.sources.histone.read_npz_histone import plain_counts, read_npz_histone
from wakawaka.sources.parsed import LOG_TOLERANCE, read_parsed, stored_values

MARKS = ["H3K4me3", "H3K27me3"]
BINS = 3
COUNTS = {3: [[0, 1], [2, 3], [4, 5]], 5: [[9, 8], [7, 6], [5, 4]], 419: [[0, 0], [1, 0], [0, 7]]}


def rows(numbers, marks=COUNTS, expression=None, dtype=np.float32):
    """Return an array (genes, bins, columns) of the genes with these numbers, in their order."""
    table = []
    for number in numbers:
        last = [] if expression is None else [expression[number]]
        table.append([[number, *values, *last] for values in marks[number]])
    return np.array(table, dtype)


def logarithms(numbers, marks=COUNTS, expression=None):
    array = rows(numbers, marks, expression, np.float64)
    array[:, :, 1 : len(MARKS) + 1] = np.log1p(array[:, :, 1 : len(MARKS) + 1])
    return array.astype(np.float32)


def read_histone(tmp_path, cells, scale="counts", files=("train.npz",), marks=MARKS):
    """Return for every cell the warnings and a dict from gene to values, dtypes and scales checked to be of one kind."""
    parsed_files = [tmp_path / f"parsed-{cell}.npz" for cell in cells]
    settings = {"cells": cells, "marks": marks, "bins": BINS, "scale": scale, "order": "genomic"}
    read_npz_histone([str(tmp_path / file) for file in files], parsed_files, **settings)
    found = []
    for parsed in parsed_files:
        about, arrays = read_parsed(parsed)
        assert about["order"] == "genomic"
        values = dict(zip(arrays["gene_id"].tolist(), arrays["values"].tolist(), strict=True))
        found.append((about["scale"], arrays["values"].dtype, values, about["warnings"]))
    return found


# The files


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_than_numpys(tmp_path, method):
    np.savez(tmp_path / "x.npz", a=rows([3, 5, 419]))
    with zipfile.ZipFile(tmp_path / "x.npz") as archive:
        content = archive.read("a.npy")
    with zipfile.ZipFile(tmp_path / "y.npz", "w", method) as archive:
        archive.writestr("a.npy", content)
    [(_, array)] = members(tmp_path / "y.npz")
    assert np.array_equal(array, rows([3, 5, 419]))
    whole = (tmp_path / "y.npz").read_bytes()
    refused = 0
    for place in range(35, 135):
        (tmp_path / "y.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        # Not every byte matters: LZMA's header says how large a dictionary may be.
        with contextlib.suppress(InputError):
            refused += 1
            [(_, array)] = members(tmp_path / "y.npz")
            assert np.array_equal(array, rows([3, 5, 419]))
            refused -= 1
    assert refused > 80


def test_members_come_in_the_order_of_the_file(tmp_path):
    np.savez(tmp_path / "x.npz", b=rows([3]), a=rows([5]))
    assert member_names(tmp_path / "x.npz") == ["b", "a"]
    assert [cell for cell, _ in members(tmp_path / "x.npz")] == ["b", "a"]
    assert [(cell, array[0, 0, 0]) for cell, array in members(tmp_path / "x.npz", ["a", "c"])] == [("a", 5)]


def test_members_are_read_one_by_one(tmp_path):
    """A damaged array is no hindrance to those before it."""
    np.savez(tmp_path / "x.npz", a=rows([3]), b=np.array([{}], object))
    assert next(members(tmp_path / "x.npz"))[0] == "a"


def test_gene_ids():
    assert gene_ids("x.npz", "a", rows([419, 3])).tolist() == ["ENSG00000000419", "ENSG00000000003"]
    assert gene_ids("x.npz", "a", np.zeros((0, 3, 2))).dtype.kind == "U"


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1, 3.5, 2e11, 4])
def test_a_first_column_without_gene_ids_is_refused(wrong):
    array = rows([3, 5], dtype=np.float64)
    array[1, :, 0] = wrong
    if wrong == 4:
        array[1, 1, 0] = 3
    with pytest.raises(
        InputError, match=r"^x\.npz: row 2 of a does not hold one gene id on all its bins \(first column\)"
    ):
        gene_ids("x.npz", "a", array)


def every_reader(tmp_path):
    """Return the three readers, ready to be called."""
    path, parsed = str(tmp_path / "train.npz"), tmp_path / "parsed.npz"
    layout = {"cells": ["a"], "marks": MARKS, "bins": BINS}
    return [
        lambda: read_npz_genes(path, parsed),
        lambda: read_npz_histone(path, [parsed], **layout, scale="counts", order="genomic"),
        lambda: read_npz_expression(path, parsed, **layout),
    ]


@pytest.mark.parametrize("reader", range(3))
@pytest.mark.parametrize(
    ("array", "says"),
    [
        (
            np.array([[["x"]]], object),
            ": the array a cannot be read (Object arrays cannot be loaded when allow_pickle=False); fetch",
        ),
        (
            np.array([[["x"]]]),
            ": the array a is <U1 of shape (1, 1, 1), but numbers of shape (genes, bins, columns) are needed",
        ),
        (np.zeros((3, 4)), ": the array a is float64 of shape (3, 4), but numbers"),
        (np.zeros((3, 0, 4)), ": the array a is float64 of shape (3, 0, 4), but numbers"),
        (np.zeros((3, 3, 4), complex), ": the array a is complex128 of shape (3, 3, 4), but numbers"),
        (np.zeros((3, 3, 4), bool), ": the array a is bool of shape (3, 3, 4), but numbers"),
        (np.zeros((3, 3, 4), "m8[s]"), ": the array a is timedelta64[s] of shape (3, 3, 4), but numbers"),
        (
            np.zeros((3, 3, 4), "f4,f4"),
            ": the array a is [('f0', '<f4'), ('f1', '<f4')] of shape (3, 3, 4), but numbers",
        ),
        (
            np.zeros((3, 3, 4), np.float16),
            ": the array a is float16, which cannot distinguish gene ids above 2048; save it as",
        ),
    ],
)
def test_other_arrays_than_the_course_s_are_refused(tmp_path, reader, array, says):
    np.savez(tmp_path / "train.npz", a=array)
    with pytest.raises(InputError) as caught:
        every_reader(tmp_path)[reader]()
    assert str(caught.value).startswith(f"{tmp_path}/train.npz{says}")
    assert not (tmp_path / "parsed.npz").exists()


@pytest.mark.parametrize("reader", range(3))
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, ": the file does not exist; check its path"),
        (b"", ": this is not a readable npz file ("),
        (b"cell,gene\n", ": this is not a readable npz file ("),
        ("half", ": this is not a readable npz file ("),
        ("hurt", ": the array a cannot be read ("),
        ("npy", ": this is a single array, but an npz file with one array per cell is needed"),
        ("text", ": the array a cannot be read ("),
    ],
)
def test_damaged_files_are_refused(tmp_path, reader, content, says):
    path = tmp_path / "train.npz"
    if content in ("half", "hurt"):
        np.savez_compressed(path, a=rows([3, 5] * 20, expression={3: 0, 5: 0}))
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 255
        path.write_bytes(raw if content == "hurt" else raw[: len(raw) // 2])
    elif content == "npy":
        with open(path, "wb") as file:
            np.save(file, rows([3]))
    elif content == "text":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a", "hello")
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        every_reader(tmp_path)[reader]()
    assert str(caught.value).startswith(f"{path}{says}")


def test_two_arrays_of_one_cell_are_refused(tmp_path):
    path = tmp_path / "train.npz"
    np.savez(path, a=rows([3]))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("a.npy", archive.read("a.npy"))
    for read in every_reader(tmp_path):
        with pytest.raises(InputError, match=r"train\.npz: there are two arrays a; keep one"):
            read()


def test_a_file_without_arrays_is_refused(tmp_path):
    np.savez(tmp_path / "train.npz")
    with pytest.raises(InputError, match=r"train\.npz: there is no array in this npz file"):
        every_reader(tmp_path)[0]()
    assert not (tmp_path / "parsed.npz").exists()


def rewritten(path, change):
    """Change the bytes of a member, with a checksum that fits."""
    with zipfile.ZipFile(path) as archive:
        content = archive.read("a.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", change(content))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"(2, 3, 4)", b"(1, 3, 4)"), (b"(2, 3, 4)", b"(9, 3, 4)"), (b"(2, 3, 4)", b"(2, 3, 9)"), (b"(2, 3, 4)", b"(2, 3,-4)"),
        (b"(2, 3, 4), }   ", b"(2, 3, 4999999)}"), (b"(2, 3, 4), }        ", b"(2, 3, 999999999999)"), (b"'descr'", b"'descx'"),
        (b"<f4", b"|O8"), (b"<f4", b"<f9"), (b"{", b"("), (b"NUMPY", b"NUMPX"), (b"NUMPY\x01", b"NUMPY\x09"),
    ],
)  # fmt: skip
def test_headers_that_do_not_fit_their_data_are_refused(tmp_path, old, new):
    np.savez(tmp_path / "train.npz", a=rows([3, 5], expression={3: 0, 5: 1}))
    rewritten(tmp_path / "train.npz", lambda content: content.replace(old, new, 1))
    for read in every_reader(tmp_path):
        with pytest.raises(InputError, match=r"train\.npz: the array a cannot be read \("):
            read()


@settings(deadline=None, max_examples=500)
@given(st.sampled_from([np.savez, np.savez_compressed]), st.integers(0, 2), st.data())
def test_damage_is_refused_or_changes_nothing(save, reader, data):
    """Arrays have checksums; what has none is the bookkeeping of the archive, such as the time of its members."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save(folder / "train.npz", a=rows([3, 5], expression={3: 0.5, 5: 7}))
        parsed = folder / "parsed.npz"
        every_reader(folder)[reader]()
        expected = read_parsed(parsed)[1]
        parsed.unlink()
        whole = (folder / "train.npz").read_bytes()
        (folder / "train.npz").write_bytes(data.draw(damaged_bytes(whole)))
        try:
            every_reader(folder)[reader]()
        except InputError:
            assert not parsed.exists()
            return
        found = read_parsed(parsed)[1]
        assert all(np.array_equal(found[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int16, np.uint32, np.int64, np.uint64, ">f4", np.float64, np.longdouble]
)
def test_any_kind_of_number_will_do(tmp_path, dtype):
    counts = {3: COUNTS[3], 5: COUNTS[5]}
    np.savez(tmp_path / "train.npz", a=rows([3, 5], expression={3: 2, 5: 7}, dtype=dtype))
    _, _, values, warnings = read_histone(tmp_path, ["a"])[0]
    assert values == {f"ENSG{number:011d}": gene for number, gene in counts.items()} and warnings == []
    _, parsed = read_expression(tmp_path, ["a"])
    assert parsed["values"].tolist() == [[2, 7]] and parsed["values"].dtype == np.float32


@pytest.mark.parametrize("reader", range(3))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_that_look_well_but_are_not_the_file_s_are_refused(tmp_path, reader, dtype):
    path = tmp_path / "train.npz"
    array = rows([3, 5], expression={3: 1, 5: 2}, dtype=dtype)
    np.savez(path, a=array)
    content = path.read_bytes()
    assert content.count(array.tobytes()) == 1
    path.write_bytes(
        content.replace(array.tobytes(), rows([3, 7], {3: COUNTS[3], 7: COUNTS[5]}, {3: 1, 7: 4}, dtype).tobytes())
    )
    with pytest.raises(InputError, match=r"train\.npz: the array a cannot be read \(Bad CRC-32 for file 'a\.npy'\)"):
        every_reader(tmp_path)[reader]()


@pytest.mark.parametrize("reader", range(3))
def test_a_file_with_a_password_is_refused(tmp_path, reader):
    path = tmp_path / "train.npz"
    np.savez(path, a=rows([3, 5], expression={3: 1, 5: 2}))
    content = bytearray(path.read_bytes())
    # The flags of the member's own header and of the archive's directory.
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"train\.npz: the array a cannot be read \(File 'a\.npy' is encrypted"):
        every_reader(tmp_path)[reader]()


# Long arrays are read some rows at a time


def many_rows(count=7000):
    """Return an array of more rows than are read at a time, all of them different."""
    numbers = np.arange(count)
    return rows(numbers, {n: [[n % 7, n % 11], [n % 13, 2], [3, n % 5]] for n in numbers}, {n: n / 2 for n in numbers})


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("change", [np.asarray, np.asfortranarray, lambda array: array.astype(np.float64)])
def test_every_row_of_a_long_array_is_read(tmp_path, save, change):
    array = many_rows()
    save(tmp_path / "train.npz", a=change(array))
    read_npz_genes(tmp_path / "train.npz", tmp_path / "parsed.npz")
    ids = [f"ENSG{number:011d}" for number in range(7000)]
    assert read_parsed(tmp_path / "parsed.npz")[1]["gene_id"].tolist() == ids
    _, _, values, _ = read_histone(tmp_path, ["a"])[0]
    assert values == dict(zip(ids, array[:, :, 1:3].tolist(), strict=True))
    _, parsed = read_expression(tmp_path, ["a"])
    assert parsed["values"].tolist() == [[n / 2 for n in range(7000)]]


@pytest.mark.parametrize(
    ("column", "reader", "says"),
    [
        (0, 0, ": row 6501 of a does not hold one gene id"),
        (0, 1, ": row 6501 of a does not hold one gene id"),
        (3, 2, ": row 6501 of a does not hold one finite expression value"),
        (1, 1, " (a): H3K4me3 of gene ENSG00000006500, bin 2, is 0.5: it is no whole number"),
    ],
)
@pytest.mark.parametrize("damaged", [False, True])
def test_what_is_wrong_far_down_is_named_by_its_row_in_sound_files_only(tmp_path, column, reader, says, damaged):
    array, path = many_rows(), tmp_path / "train.npz"
    array[6500, 1, column] = 0.5
    np.savez(path, a=array)
    if damaged:
        raw = bytearray(path.read_bytes())
        raw[-600] ^= 255
        path.write_bytes(raw)
        says = ": the array a cannot be read (Bad CRC-32 for file 'a.npy'); fetch"
    with pytest.raises(InputError) as caught:
        every_reader(tmp_path)[reader]()
    assert str(caught.value).startswith(f"{path}{says}")


# Genes


def test_genes_are_those_of_any_cell_of_any_file(tmp_path):
    np.savez(tmp_path / "train.npz", a=rows([3, 5]), b=rows([5]))
    np.savez(tmp_path / "eval.npz", c=rows([419, 3]))
    read_npz_genes([str(tmp_path / "train.npz"), str(tmp_path / "eval.npz")], tmp_path / "parsed.npz")
    about, genes = read_parsed(tmp_path / "parsed.npz")
    assert genes["gene_id"].tolist() == ["ENSG00000000003", "ENSG00000000005", "ENSG00000000419"]
    assert genes["tss"].tolist() == [-1] * 3 and genes["strand"].tolist() == ["."] * 3
    assert genes["chrom"].tolist() == genes["group"].tolist() == [""] * 3
    # Their checksums are taken when the store is built.
    assert about["sources"] == [{"path": f"{tmp_path}/train.npz"}, {"path": f"{tmp_path}/eval.npz"}]


# Histone marks


def test_counts(tmp_path):
    np.savez(tmp_path / "train.npz", a=rows([5, 3], expression={3: -1.5, 5: 0}), b=rows([419]))
    (*a, warnings_a), (*b, warnings_b) = read_histone(tmp_path, ["a", "b"])
    assert a == ["counts", np.uint16, {"ENSG00000000003": COUNTS[3], "ENSG00000000005": COUNTS[5]}]
    assert b == ["counts", np.uint16, {"ENSG00000000419": COUNTS[419]}]
    assert warnings_a == warnings_b == []


def test_rows_of_several_files_follow_their_ids_and_not_their_places(tmp_path):
    """The order trap: in the course's eval.npz the genes of the training cells stand in another order."""
    np.savez(tmp_path / "train.npz", a=rows([3]))
    np.savez(tmp_path / "eval.npz", b=rows([3, 5, 419]), a=rows([419, 5]))
    a, b = read_histone(tmp_path, ["a", "b"], files=["train.npz", "eval.npz"])
    expected = {f"ENSG{number:011d}": values for number, values in COUNTS.items()}
    assert a[2] == b[2] == expected


def test_logarithms_become_exact_counts(tmp_path):
    marks = {3: [[0, 1], [2, 65535], [40000, 12345]]}
    np.savez(tmp_path / "train.npz", a=logarithms([3], marks))
    assert read_histone(tmp_path, ["a"], "log1p") == [("counts", np.uint16, {"ENSG00000000003": marks[3]}, [])]
    marks = {3: [[0, 1], [2, 65536], [100000, 3]]}
    np.savez(tmp_path / "train.npz", a=logarithms([3], marks))
    assert read_histone(tmp_path, ["a"], "log1p") == [("counts", np.uint32, {"ENSG00000000003": marks[3]}, [])]


def test_the_first_row_of_the_course_s_files(tmp_path):
    row = np.array([[[3, 0, 0.6931472, 0, 0, 0, -2.9263823]] * BINS], np.float32)
    np.savez(tmp_path / "train.npz", E065=row)
    marks = ["H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3", "H3K9me3"]
    (scale, _, values, _) = read_histone(tmp_path, ["E065"], "log1p", marks=marks)[0]
    assert scale == "counts" and values == {"ENSG00000000003": [[0, 1, 0, 0, 0]] * BINS}


def test_logarithms_of_no_whole_number_are_kept_and_counted(tmp_path):
    array = logarithms([3, 5])
    array[1, 2, 1] = 0.4
    array[1, 2, 2] = np.log1p(7) + 2e-3
    np.savez(tmp_path / "train.npz", a=array, b=logarithms([3]))
    a, b = read_histone(tmp_path, ["a", "b"], "log1p")
    assert a[:2] == ("log1p", np.float32) and b[:2] == ("counts", np.uint16)
    assert np.array_equal(a[2]["ENSG00000000005"], array[1, :, 1:])
    assert a[3] == [
        f"{tmp_path}/train.npz (a): 2 values are not ln(whole number + 1) within 0.001; "
        "the values are kept as they are, as logarithms."
    ]


def test_a_signal_is_kept_as_it_is(tmp_path):
    marks = {3: [[-1.5, 0.25], [0, 1], [2, 70000]]}
    np.savez(tmp_path / "train.npz", a=rows([3], marks))
    assert read_histone(tmp_path, ["a"], "signal") == [("signal", np.float32, {"ENSG00000000003": marks[3]}, [])]


def test_identical_rows_are_used_once(tmp_path):
    np.savez(tmp_path / "train.npz", a=rows([3, 5, 3]))
    np.savez(tmp_path / "eval.npz", a=rows([5]))
    *_, values, warnings = read_histone(tmp_path, ["a"], files=["train.npz", "eval.npz"])[0]
    assert values == {"ENSG00000000003": COUNTS[3], "ENSG00000000005": COUNTS[5]}
    assert len(warnings) == 1
    assert (
        "2 genes stand twice with identical values and are used once: ENSG00000000003, ENSG00000000005" in warnings[0]
    )


def changed(position, value):
    array = rows([3, 5])
    array[position] = value
    return array


@pytest.mark.parametrize(
    ("array", "scale", "says"),
    [
        (rows([3])[:, :2], "counts", ": a has 2 bins, but `bins` in config.yaml is 3; correct the key or the file"),
        (rows([3])[:, :, :2], "counts", ": a has 2 columns, but 3 or 4 are needed: the gene id, one for each mark"),
        (rows([3])[:, :, [0, 1, 1, 1, 1]], "counts", ": a has 5 columns, but 3 or 4 are needed"),
        (changed((1, 0, 2), np.nan), "signal", " (a): H3K27me3 of gene ENSG00000000005, bin 1, is nan: it is not a finite"),
        (changed((1, 0, 2), np.inf), "log1p", " (a): H3K27me3 of gene ENSG00000000005, bin 1, is inf: it is not a finite"),
        (changed((0, 2, 1), -1), "counts", " (a): H3K4me3 of gene ENSG00000000003, bin 3, is -1: it is negative, which the scale `counts`"),
        (changed((0, 2, 1), -1), "log1p", " (a): H3K4me3 of gene ENSG00000000003, bin 3, is -1: it is negative, which the scale `log1p`"),
        (
            changed((0, 2, 1), 0.6931472),
            "counts",
            " (a): H3K4me3 of gene ENSG00000000003, bin 3, is 0.693147: it is no whole number: set `histone.scale` to log1p",
        ),
        (changed((0, 2, 1), 1e30), "counts", " (a): a count of 1e+30 is not believable; check the marks' columns and `histone.scale`"),
        # Counts where logarithms are announced: e to the 100 is a whole number to all of a float's digits.
        (rows([3], {3: [[100, 50], [0, 0], [0, 60]]}), "log1p", " (a): a count of 2.68812e+43 is not believable; check"),
        (np.concatenate([rows([3]), rows([3], {3: COUNTS[5]})]), "counts", " (a): gene ENSG00000000003 stands twice with different"),
    ],
)  # fmt: skip
def test_marks_that_do_not_fit_are_refused(tmp_path, array, scale, says):
    np.savez(tmp_path / "train.npz", a=array)
    with pytest.raises(InputError) as caught:
        read_histone(tmp_path, ["a"], scale)
    assert str(caught.value).startswith(f"{tmp_path}/train.npz{says}")


def test_a_cell_in_no_file_is_refused(tmp_path):
    np.savez(tmp_path / "train.npz", a=rows([3]))
    with pytest.raises(InputError) as caught:
        read_histone(tmp_path, ["a", "b", "c"])
    expected = (
        f"{tmp_path}/train.npz: there is no array for the cells b, c; remove them from `cells` in config.yaml or add"
    )
    assert str(caught.value).startswith(expected)


# Expression


def read_expression(tmp_path, cells, files=("train.npz",), reference=None):
    paths = [str(tmp_path / file) for file in files]
    settings = {"cells": cells, "marks": MARKS, "bins": BINS, "reference": reference}
    read_npz_expression(paths, tmp_path / "parsed.npz", **settings)
    return read_parsed(tmp_path / "parsed.npz")


def test_expression_follows_ids(tmp_path):
    np.savez(
        tmp_path / "train.npz",
        b=rows([419, 3], expression={3: 1.5, 419: -2.25}),
        a=rows([3, 5], expression={3: 0.5, 5: 7}),
        other=rows([3], expression={3: 9}),
    )
    about, parsed = read_expression(tmp_path, ["a", "b", "c"])
    assert parsed["gene_id"].tolist() == ["ENSG00000000003", "ENSG00000000005", "ENSG00000000419"]
    assert parsed["cell"].tolist() == ["a", "b", "c"]
    expected = [[0.5, 7, np.nan], [1.5, np.nan, -2.25], [np.nan] * 3]
    assert parsed["values"].dtype == np.float32 and np.array_equal(parsed["values"], expected, equal_nan=True)
    assert about["warnings"] == [
        "1 cells without expression are predicted, but neither trained on nor scored: c.",
        f"{tmp_path}/train.npz: 2 values are not known (empty, NA or without a row); "
        "those samples are predicted, but neither trained on nor scored.",
    ]


def test_identical_expression_is_used_once(tmp_path):
    np.savez(tmp_path / "train.npz", a=rows([3, 3, 5], expression={3: 0.5, 5: 7}))
    about, parsed = read_expression(tmp_path, ["a"])
    assert parsed["values"].tolist() == [[0.5, 7]]
    assert "1 genes stand twice with identical values and are used once: ENSG00000000003" in about["warnings"][0]


def with_last(values):
    array = rows([3, 5], expression={3: 1, 5: 2})
    array[1, :, -1] = values
    return array


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (rows([3]), ": a has 3 columns, but 4 are needed: the gene id, one for each mark in `histone.marks`, and the expression"),
        (with_last([1, 1, 2]), ": row 2 of a does not hold one finite expression value on all its bins (last column); `expression.path`"),
        (with_last(np.nan), ": row 2 of a does not hold one finite expression value on all its bins (last column); `expression.path`"),
        (with_last(np.inf), ": the expression in row 2 of a is not a finite number; leave such genes out"),
        (
            np.concatenate([rows([3], expression={3: 1}), rows([3], expression={3: 2})]),
            " (a): gene ENSG00000000003 stands twice with different values; keep one",
        ),
    ],
)  # fmt: skip
def test_expression_that_does_not_fit_is_refused(tmp_path, array, says):
    np.savez(tmp_path / "train.npz", a=array)
    with pytest.raises(InputError) as caught:
        read_expression(tmp_path, ["a"])
    assert str(caught.value).startswith(f"{tmp_path}/train.npz{says}")


def test_files_without_any_of_the_cells_are_refused(tmp_path):
    np.savez(tmp_path / "train.npz", E003=rows([3], expression={3: 1}))
    with pytest.raises(InputError) as caught:
        read_expression(tmp_path, ["a", "b"])
    expected = f"{tmp_path}/train.npz: none of the cells in config.yaml (a, b) is in the files, which hold E003."
    assert str(caught.value) == expected


def test_the_reference_of_the_expression_is_no_cell_that_is_counted(tmp_path):
    known = {3: 0.5, 5: 7}
    np.savez(tmp_path / "train.npz", a=rows([3, 5], expression=known), E999=rows([3], expression=known))
    about, parsed = read_expression(tmp_path, ["a", "E999"], reference="E999")
    assert parsed["cell"].tolist() == ["a", "E999"]
    assert np.array_equal(parsed["values"], [[0.5, 7], [0.5, np.nan]], equal_nan=True)
    assert about["warnings"] == []


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"a": [3], "E99": [3]}, "config key `expression.transform` takes a ratio to E999, but {path} has no such array;"),
        ({"b": [3], "E999": [3]}, "{path}: none of the cells in config.yaml (a) is in the files, which hold b, E999."),
    ],
)  # fmt: skip
def test_a_missing_reference_of_the_expression_is_refused(tmp_path, arrays, says):
    arrays = {name: rows(numbers, expression={3: 1}) for name, numbers in arrays.items()}
    np.savez(tmp_path / "train.npz", **arrays)
    with pytest.raises(InputError) as caught:
        read_expression(tmp_path, ["a", "E999"], reference="E999")
    assert str(caught.value).startswith(says.format(path=tmp_path / "train.npz"))
    assert not (tmp_path / "parsed.npz").exists()


# The fast way to counts


def test_every_count_has_a_logarithm():
    counts = np.arange(65536, dtype=np.uint16).reshape(-1, 2, 4)
    logs = np.log1p(counts.astype(np.float64)).astype(np.float32)
    assert np.array_equal(plain_counts(logs, "log1p"), counts)
    assert np.array_equal(plain_counts(counts.astype(np.float64), "counts"), counts)
    # Columns of a wider array.
    wide = np.full((len(logs), 2, 6), np.nan, np.float32)
    wide[:, :, 1:5] = logs
    assert np.array_equal(plain_counts(wide[:, :, 1:5], "log1p"), counts)


@pytest.mark.parametrize("scale", ["counts", "log1p"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1, -1e-6, 0.5, np.log1p(7) + LOG_TOLERANCE, 65536, np.log1p(65536)])
def test_other_values_are_no_plain_counts(scale, wrong):
    values = np.zeros((1000, 2, 3), np.float32)
    values[900, 1, 2] = wrong
    with pytest.raises(ValueError, match="no plain counts"):
        plain_counts(values, scale)


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 70000), st.floats(-1.5 * LOG_TOLERANCE, 1.5 * LOG_TOLERANCE))
def test_the_fast_way_finds_the_counts_of_the_definition_or_none(count, off):
    values = np.array([[[np.log1p(count) + off]]], np.float32)
    with contextlib.suppress(ValueError):
        found = plain_counts(values, "log1p")
        exact = stored_values("x", values, "log1p", Warnings())
        assert exact[1] == "counts" and np.array_equal(found, exact[0]) and found.dtype == exact[0].dtype
