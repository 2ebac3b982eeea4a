"""Random and damaged GTF and GFF3 files against a slow and obvious reader, and a real annotation."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.annotations import CHOICES, Refused, Unclear, annotations, as_gff3, as_gtf, common, places, slow_places
from helpers.damage import damaged_text
from helpers.real_data import real
from helpers.references import lines_of
from wakawaka.core.errors import InputError


@settings(common, max_examples=100)
@given(st.data(), annotations(), st.sampled_from(CHOICES))
def test_any_annotation_in_either_format_and_any_order(tmp_path, data, genes, tss):
    gtf, gff3 = list(as_gtf(genes)), list(as_gff3(genes))
    expected = slow_places("".join(gtf), tss)
    assert list(expected) == [gene["id"] for gene in genes]
    assert places(tmp_path, "".join(gtf), tss=tss) == expected
    assert places(tmp_path, "##gff-version 3\n" + "".join(gff3), tss=tss) == expected
    assert places(tmp_path, "".join(data.draw(st.permutations(gtf))), tss=tss) == expected
    assert places(tmp_path, "".join(data.draw(st.permutations(gff3))), tss=tss) == expected
    # Without gene lines, and without those of transcripts.
    kinds = data.draw(st.sampled_from([("transcript", "exon"), ("exon",)]))
    rows = "".join(row for row in gtf if row.split("\t")[2] in kinds)
    if rows:
        assert places(tmp_path, rows, tss=tss) == slow_places(rows, tss)


BASE = [
    {"id": "A", "chrom": "chr1", "strand": "+", "start": 10, "end": 90, "rnas": [
        {"id": "T1", "tags": ["basic"], "exons": [(10, 20), (30, 90)], "bare": False},
        {"id": "T2", "tags": ["basic", "Ensembl_canonical"], "exons": [(15, 20), (40, 80)], "bare": False},
    ]},
    {"id": "B", "chrom": "2", "strand": "-", "start": 5, "end": 9, "rnas": [
        {"id": "T3", "tags": [], "exons": [(5, 8)], "bare": True}, {"id": "T4", "tags": [], "exons": [(5, 9)], "bare": False},
    ]},
    {"id": "C", "chrom": "2", "strand": "+", "start": 50, "end": 59, "rnas": []},
]  # fmt: skip


@settings(common, max_examples=600)
@given(st.data(), st.sampled_from(CHOICES), st.booleans())
def test_damaged_annotations(tmp_path, data, tss, gff3):
    lines = ["##gff-version 3\n", *as_gff3(BASE)] if gff3 else as_gtf(BASE)
    content = data.draw(damaged_text("".join(lines).encode()))
    try:
        found = places(tmp_path, content, tss=tss)
    except InputError:
        found = None
    text = lines_of(content)
    if text is None:
        assert found is None
        return
    text = "\n".join(text)
    if gff3 != text.startswith("##gff-version 3\n") or "##gff-version" in text[1:]:
        return
    try:
        expected = slow_places(text, tss, gff3)
    except Unclear:
        return
    except Refused as refused:
        # With `first`, exons that do not matter are not checked.
        assert found is None or (tss == "first" and not refused.args)  # noqa: PT017
        return
    assert found == expected


@pytest.mark.parametrize("tss", CHOICES)
def test_gencode(tmp_path, tss):
    path = real("dna/gencode_v29_hg38_chr1_0-1.5Mb.gtf.gz")
    text = gzip.decompress(path.read_bytes()).decode()
    found = places(tmp_path, text, tss=tss)
    # Without their versions, the ids still differ.
    assert found == {gene_id.partition(".")[0]: place for gene_id, place in slow_places(text, tss).items()}
    assert len(found) == 119
    starts = {row[8].split('"')[1].partition(".")[0]: int(row[4 if row[6] == "-" else 3]) - 1
              for row in (row.split("\t") for row in text.split("\n")) if len(row) == 9 and row[2] == "gene"}  # fmt: skip
    different = sum(place[1] != starts[gene_id] for gene_id, place in found.items())
    # In GENCODE, a gene begins with the first of its transcripts.
    assert different == 0 if tss == "first" else different > 5
