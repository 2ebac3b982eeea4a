import gzip
import logging
import subprocess
import sys

import pysam
import pytest
from damage import damaged_bytes
from hypothesis import HealthCheck, given, settings

from wakawaka import unpack_fasta as module
from wakawaka.errors import InputError
from wakawaka.unpack_fasta import is_plain_gzip, unpack_fasta

FASTA = b">chr1\n" + b"ACGTN" * 30 + b"\n>chr2\nacgt\n"


def bgzipped(tmp_path, content):
    (tmp_path / "plain").write_bytes(content)
    pysam.tabix_compress(str(tmp_path / "plain"), str(tmp_path / "packed"), force=True)
    return (tmp_path / "packed").read_bytes()


def test_plain_gzip_is_told_from_bgzip(tmp_path):
    genome = tmp_path / "genome"
    other_field = b"\x1f\x8b\x08\x04" + bytes(6) + b"\x06\x00" + b"XY\x02\x00ab"
    both_fields = b"\x1f\x8b\x08\x04" + bytes(6) + b"\x0c\x00" + b"XY\x02\x00abBC\x02\x00ab"
    in_a_field = b"\x1f\x8b\x08\x04" + bytes(6) + b"\x08\x00" + b"XY\x04\x00BC\x02\x00"
    named = b"\x1f\x8b\x08\x08" + bytes(6) + b"BC\x02\x00"
    for content, plain in [
        (gzip.compress(FASTA), True),
        (bgzipped(tmp_path, FASTA), False),
        (FASTA, False),
        (b"", False),
        (b"\x1f\x8b", True),
        (other_field, True),
        (both_fields, False),
        (in_a_field, True),
        (named, True),
    ]:
        genome.write_bytes(content)
        assert is_plain_gzip(genome) == plain
    assert not is_plain_gzip(tmp_path / "missing")
    assert not is_plain_gzip(tmp_path)


@pytest.mark.parametrize("block", [7, 1 << 22])
@pytest.mark.parametrize("members", [1, 3])
def test_unpacking(tmp_path, monkeypatch, caplog, block, members):
    monkeypatch.setattr(module, "_BLOCK", block)
    caplog.set_level(logging.INFO)
    genome = tmp_path / "genome.fa.gz"
    genome.write_bytes(gzip.compress(FASTA) * members)
    unpack_fasta(genome, tmp_path / "out" / "genome.fa")
    assert (tmp_path / "out" / "genome.fa").read_bytes() == FASTA * members
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["genome.fa"]
    assert caplog.messages == [f"{genome}: 0.0 MB unpacked"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (gzip.compress(FASTA)[:-9], ": the compressed file is truncated or damaged"),
        (gzip.compress(FASTA)[:-5] + b"\0\0\0\0\0", ": the compressed file is truncated or damaged"),
        (FASTA, ": the compressed file is truncated or damaged"),
        (gzip.compress(b""), ": this is no FASTA file, because what is packed in it does not start with `>`"),
        (gzip.compress(b"ACGT\n"), ": this is no FASTA file, because what is packed in it does not start with `>`"),
        (None, ": the file does not exist"),
    ],
)
def test_what_is_no_packed_fasta_is_refused(tmp_path, content, says):
    genome = tmp_path / "genome.fa.gz"
    if content is not None:
        genome.write_bytes(content)
    with pytest.raises(InputError) as caught:
        unpack_fasta(genome, tmp_path / "out" / "genome.fa")
    assert str(caught.value).startswith(f"{genome}{says}")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damaged_bytes(gzip.compress(FASTA)))
def test_damaged_files(tmp_path, content):
    genome, unpacked = tmp_path / "genome.fa.gz", tmp_path / "genome.fa"
    unpacked.unlink(missing_ok=True)
    genome.write_bytes(content)
    is_plain_gzip(genome)
    try:
        unpack_fasta(genome, unpacked)
    except InputError:
        assert not unpacked.exists()
    else:
        # gzip has a checksum: what changed was in the header (the time, say), behind the end (zeros), or a whole member.
        assert unpacked.read_bytes() == FASTA


def test_nothing_heavy_is_imported():
    # Snakemake imports the module whenever it starts.
    code = "import sys, wakawaka.unpack_fasta; print(*{'pysam', 'pyfaidx', 'Bio', 'polars', 'tensorflow', 'keras'} & set(sys.modules))"
    folder = module.__file__.rpartition("/wakawaka/")[0]
    result = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert result.stdout == "\n"
