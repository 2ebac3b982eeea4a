import gzip
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.damage import damaged_text
from helpers.references import lines_of
from wakawaka.core.errors import InputError
from wakawaka.genome.dna import decode
from wakawaka.sources.parsed import read_parsed
from wakawaka.sources.sequence.read_sequence_csv import read_sequence_csv


def read(tmp_path, text, pack=bytes):
    path = tmp_path / "seq_data.csv"
    path.write_bytes(pack(text.encode()))
    read_sequence_csv(path, tmp_path / "parsed.npz", window=4, order="transcript")
    return read_parsed(tmp_path / "parsed.npz")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda text: text.replace(b"\n", b"\r\n")])
def test_sequences(tmp_path, pack):
    about, parsed = read(tmp_path, "3,ACGT\nENSG00000000005.4,acgn\nGENE1,TTTT\n", pack)
    assert parsed["gene_id"].tolist() == ["ENSG00000000003", "ENSG00000000005", "GENE1"]
    assert [decode(row) for row in parsed["values"]] == ["ACGT", "ACGN", "TTTT"]
    assert about["order"] == "transcript" and about["warnings"] == []


def test_identical_lines_are_used_once(tmp_path):
    about, parsed = read(tmp_path, "3,ACGT\n5,TTTT\n3,acgt\n")
    assert [decode(row) for row in parsed["values"]] == ["ACGT", "TTTT"]
    assert about["warnings"][0].endswith(
        ": 1 genes stand twice with identical values and are used once: ENSG00000000003."
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": the file is empty; check `sequence.path`"),
        ("3 ACGT\n", ", line 1: a line must be `gene id,sequence`, but this is '3 ACGT'"),
        ("3,ACGT\n,ACGT\n", ", line 2: a line must be `gene id,sequence`, but this is ',ACGT'"),
        ("3,ACGT\n5,ACGT,\n", ", line 2: a line must be `gene id,sequence`"),
        ("3,ACGT\n\n5,ACGT\n", ", line 2: a line must be `gene id,sequence`"),
        (
            "gene_id,sequence\n",
            ", line 1: the sequence of gene gene_id has 8 letters, but `window` in config.yaml is 4",
        ),
        ("3,ACGT\n5,ACG\n", ", line 2: the sequence of gene 5 has 3 letters, but `window` in config.yaml is 4"),
        ("3,ACGT\n5,ACRT\n", ", line 2: letter 3 of gene 5 is 'R', but only A, C, G, T and N are allowed"),
        ("3,ACGΩ\n", ", line 1: letter 4 of gene 3 is 'Ω', but only A, C, G, T and N are allowed"),
        ("3,ACGT\n3,ACGA\n", ": gene ENSG00000000003 stands twice with different values; keep one"),
        ("3,ACGT\nENSG00000000003.1,ACGA\n", ": gene ENSG00000000003 stands twice with different values; keep one"),
    ],
)
def test_malformed_files_are_refused(tmp_path, text, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/seq_data.csv{says}")


def reference(content):
    """Return a dict from gene to sequence, or None where the file must be refused."""
    lines = lines_of(content)
    if lines is None:
        return None
    genes = {}
    for line in lines if lines[-1] else lines[:-1]:
        match = re.fullmatch("([^,]+),([ACGTNacgtn]{4})", line.strip())
        if not match or "\0" in line:
            return None
        gene = f"ENSG{int(match[1]):011d}" if re.fullmatch("[0-9]{1,11}", match[1]) else match[1]
        if genes.setdefault(gene, match[2].upper()) != match[2].upper():
            return None
    return genes or None


@settings(deadline=None, max_examples=450)
@given(st.data())
def test_damaged_files_are_refused_or_read_as_they_stand(data):
    content = data.draw(damaged_text(b"3,ACGT\n5,acgn\n419,TTTT\nGENE,CATG\n", b","))
    with tempfile.TemporaryDirectory() as folder:
        try:
            _, parsed = read(Path(folder), content.decode("latin-1"), lambda _: content)
        except InputError:
            assert reference(content) is None
            return
    assert dict(zip(parsed["gene_id"].tolist(), map(decode, parsed["values"]), strict=True)) == reference(content)
