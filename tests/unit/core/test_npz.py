"""npz files that are written without copies and mapped into memory."""

import zipfile

import numpy as np
import pytest

from wakawaka.core.npz import map_array, write_arrays

ARRAYS = {
    "about": np.array('{"scale": "counts"}'),
    "gene_id": np.array(["ENSG1", "ENSG22"]),
    "values": np.arange(24, dtype=np.uint16).reshape(2, 4, 3),
    "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "nothing": np.empty((0, 3), np.uint8),
}


def written(path):
    write_arrays(path, **ARRAYS)
    return path.read_bytes()


def test_the_bytes_are_those_of_numpy(tmp_path):
    np.savez(
        tmp_path / "b.npz",
        **{name: np.ascontiguousarray(array) if array.ndim else array for name, array in ARRAYS.items()},
    )
    assert written(tmp_path / "a.npz") == (tmp_path / "b.npz").read_bytes()


def test_a_list_of_arrays_is_written_as_their_concatenation(tmp_path):
    blocks = [ARRAYS["values"][:1], ARRAYS["values"][1:, ::-1], ARRAYS["values"]]
    write_arrays(tmp_path / "a.npz", values=blocks)
    with np.load(tmp_path / "a.npz") as file:
        assert np.array_equal(file["values"], np.concatenate(blocks)) and file["values"].dtype == np.uint16


def test_mapped_arrays_are_what_was_written(tmp_path):
    written(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        found = {name: map_array(archive, f"{name}.npy") for name in ARRAYS}
    for name, array in ARRAYS.items():
        assert found[name].shape == array.shape and found[name].dtype == array.dtype
        assert np.array_equal(found[name], array) and not found[name].flags.writeable


@pytest.mark.parametrize("place", [0, -1])
def test_altered_bytes_are_noticed(tmp_path, place):
    content = bytearray(written(tmp_path / "a.npz"))
    values = ARRAYS["values"].tobytes()
    content[content.index(values) + place % len(values)] ^= 1
    (tmp_path / "a.npz").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz") as archive, pytest.raises(zipfile.BadZipFile, match=r"values\.npy"):
        map_array(archive, "values.npy")


def test_compressed_arrays_are_not_mapped(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", values=ARRAYS["values"])
    with zipfile.ZipFile(tmp_path / "a.npz") as archive, pytest.raises(ValueError, match="is compressed"):
        map_array(archive, "values.npy")


def test_arrays_stored_column_by_column_are_not_mapped(tmp_path):
    np.savez(tmp_path / "a.npz", values=np.asfortranarray(ARRAYS["turned"].T))
    with zipfile.ZipFile(tmp_path / "a.npz") as archive, pytest.raises(ValueError, match="column by column"):
        map_array(archive, "values.npy")
