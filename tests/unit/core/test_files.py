"""Atomic writing, checksums, and reading of text that may be compressed or damaged."""

import gzip
import hashlib
import queue
import re
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pysam
import pytest

from wakawaka.core.errors import InputError
from wakawaka.core.files import (
    BGZF_END,
    as_list,
    atomic,
    open_bytes,
    open_text,
    read_table,
    readable,
    save_array,
    sha256,
    write_table,
)


def test_atomic_makes_the_folder_and_leaves_nothing_else(tmp_path):
    with atomic(tmp_path / "new" / "x.txt") as temporary:
        temporary.write_text("done")
        assert temporary.suffix == ".txt"
        assert not (tmp_path / "new" / "x.txt").exists()
        inode = temporary.stat().st_ino
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.txt"]
    assert (tmp_path / "new" / "x.txt").read_text() == "done"
    # Renamed, not copied: other processes never see an unfinished file.
    assert (tmp_path / "new" / "x.txt").stat().st_ino == inode


def test_atomic_keeps_the_old_file_when_writing_fails(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")

    def fail():
        with atomic(path) as temporary:
            temporary.write_text("half of the ne")
            raise RuntimeError

    pytest.raises(RuntimeError, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_sha256(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    big = bytes(range(256)) * 5000
    (tmp_path / "x").write_bytes(big)
    assert sha256(tmp_path / "x") == hashlib.sha256(big).hexdigest()


@pytest.mark.parametrize("name", ["plain.tsv", "plain.gz"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_open_text_detects_compression_by_the_content(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack("µ\r\nb\n".encode()))
    with open_text(tmp_path / name) as file:
        assert file.read() == "µ\nb\n"


def test_open_text_leaves_out_a_byte_order_mark(tmp_path):
    for path, pack in ((tmp_path / "plain", bytes), (tmp_path / "packed", gzip.compress)):
        path.write_bytes(pack(b"\xef\xbb\xbfgene_id\n"))
        with open_text(path) as file:
            assert file.read() == "gene_id\n"


def damaged(packed):
    half = bytearray(packed)
    half[len(half) // 2] ^= 255
    return bytes(half)


PACKED = gzip.compress(bytes(np.random.default_rng(0).integers(97, 123, 5000, np.uint8)), mtime=0)


@pytest.mark.parametrize(
    ("content", "what", "advice"),
    [
        (None, "does not exist", "check its path"),
        (PACKED[: len(PACKED) // 2], "truncated or damaged", "fetch or make it again"),
        (PACKED[:12], "truncated or damaged", "fetch or make it again"),
        (PACKED[:10] + b"\xff" * 100, "truncated or damaged", "fetch or make it again"),
        (damaged(PACKED), "truncated or damaged", "fetch or make it again"),
        # The checksum alone.
        (PACKED[:-8] + b"12345678", "truncated or damaged", "fetch or make it again"),
        (b"BAM\x01 is \xff not text", "not a text file", "check that the format"),
    ],
)
def test_unreadable_text_is_refused(tmp_path, content, what, advice):
    path = tmp_path / "some.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught, readable(path), open_text(path) as file:
        file.read()
    assert str(caught.value).startswith(f"{path}: ")
    assert what in str(caught.value) and advice in str(caught.value)


def test_a_bgzipped_text_cut_between_its_blocks(tmp_path):
    path, packed = tmp_path / "x", tmp_path / "x.gz"
    path.write_text("".join(f"{number}\n" for number in range(30000)))
    pysam.tabix_compress(str(path), str(packed))
    whole = packed.read_bytes()
    assert whole.endswith(BGZF_END)
    with open_text(packed) as file:
        assert file.read() == path.read_text()
    first = int.from_bytes(whole[16:18], "little") + 1
    # For gzip this is a whole file.
    assert 0 < len(gzip.decompress(whole[:first])) < len(path.read_bytes())
    for size in (first, len(whole) - 28, len(whole) - 1, 18):
        packed.write_bytes(whole[:size])
        with pytest.raises(InputError) as caught, readable(packed), open_text(packed):
            pass
        assert str(caught.value).startswith(
            f"{packed}: the compressed file is truncated: it is bgzipped, but does not end"
        )
    # An extra field of another program does not make it a bgzipped file.
    other = gzip.compress(b"text")
    packed.write_bytes(other[:3] + b"\4" + other[4:10] + b"\6\0XY\2\0\1\1" + other[10:])
    with open_text(packed) as file:
        assert file.read() == "text"


def test_the_last_blocks_of_the_decompressing_thread_are_read(tmp_path, monkeypatch):
    # isal's reader looks for a block, then whether its thread still runs. Here the thread puts all blocks and ends in between.
    get, early = queue.Queue.get, []

    def late(self, *args, **kwargs):
        if not early:
            early.append(True)
            for thread in threading.enumerate():
                if thread is not threading.main_thread():
                    thread.join()
            raise queue.Empty
        return get(self, *args, **kwargs)

    (tmp_path / "x.gz").write_bytes(gzip.compress(b"text" * 1000))
    monkeypatch.setattr(queue.Queue, "get", late)
    with open_bytes(tmp_path / "x.gz") as file:
        assert file.read() == b"text" * 1000
    assert early


def test_reading_logs_its_progress(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("wakawaka.core.progress.SECONDS", -1)
    for name, content in (("x", b"line\n" * 1000), ("x.gz", gzip.compress(b"line\n" * 1000))):
        (tmp_path / name).write_bytes(content)
        with caplog.at_level("INFO", logger="wakawaka.core.files"), open_bytes(tmp_path / name) as file:
            assert list(file) == [b"line\n"] * 1000
        assert re.search(rf"{name}: \d+ of \d+ MB read, \d+ MB/s, \d+ s left", caplog.text)


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"this is a folder.*check its path"), readable(tmp_path), open_text(tmp_path):
        pass


def test_readable_passes_other_exceptions_on(tmp_path):
    with pytest.raises(ZeroDivisionError), readable(tmp_path):
        raise ZeroDivisionError


def test_write_table(tmp_path):
    table = pd.DataFrame({"name": ["a", "b"], "value": [1 / 3, np.nan], "count": [1, 2]})
    write_table(table, tmp_path / "x.tsv")
    assert (tmp_path / "x.tsv").read_text() == "name\tvalue\tcount\na\t0.3333333\t1\nb\t-\t2\n"
    write_table(table, tmp_path / "x.tsv.gz")
    packed = (tmp_path / "x.tsv.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "x.tsv").read_bytes()
    # The header holds neither a time nor a name, so equal tables give equal bytes.
    assert packed[3:8] == bytes(5)


def test_read_table_returns_what_was_written(tmp_path):
    table = pd.DataFrame({"name": ["NA", "nan"], "value": [0.5, np.nan]})
    write_table(table, tmp_path / "x.tsv.gz")
    pd.testing.assert_frame_equal(read_table(tmp_path / "x.tsv.gz"), table)


def test_save_array_never_pickles(tmp_path):
    save_array(np.array([1, 2], np.uint16), tmp_path / "x.npy")
    found = np.load(tmp_path / "x.npy", allow_pickle=False)
    assert found.dtype == np.uint16 and found.tolist() == [1, 2]
    with pytest.raises(ValueError, match="Object arrays"):
        save_array(np.array([None, 2], object), tmp_path / "y.npy")
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


def test_as_list():
    assert as_list("ab") == ["ab"]
    assert as_list(Path("ab")) == [Path("ab")]
    assert as_list(("a", "b")) == ["a", "b"]
