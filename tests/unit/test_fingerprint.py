import hashlib

import pytest

from wakawaka.errors import InputError
from wakawaka.files import read_table
from wakawaka.fingerprint import fingerprint


def test_every_file_has_its_checksum(tmp_path):
    contents = {"a.bam": b"abc", "b.tsv": b"", "c.npz": bytes(range(256)) * 9}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    files = [str(tmp_path / name) for name in contents]
    fingerprint(files, ["histone.path", "expression.path", "genes.path, histone.path"], tmp_path / "x.tsv", threads=2)
    table = read_table(tmp_path / "x.tsv")
    assert list(table.columns) == ["key", "path", "bytes", "sha256"]
    assert table["key"].tolist() == ["histone.path", "expression.path", "genes.path, histone.path"]
    assert table["path"].tolist() == files and table["bytes"].tolist() == [3, 0, 2304]
    assert table["sha256"].tolist() == [hashlib.sha256(content).hexdigest() for content in contents.values()]


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"b\.bam: the file does not exist"):
        fingerprint([str(tmp_path / "b.bam")], ["histone.path"], tmp_path / "x.tsv")
    assert list(tmp_path.iterdir()) == []
