"""Positions of windows, chromosome names, and files of different assemblies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakawaka.core.errors import InputError
from wakawaka.genome.windows import check_assemblies, check_inside, chromosome_key, match_chromosomes, window_starts


def genes(chrom, tss):
    return {"gene_id": np.array([f"G{n}" for n in range(len(tss))]), "chrom": np.array(chrom), "tss": np.array(tss)}


@settings(deadline=None, database=None, derandomize=True)
@given(st.integers(0, 10**9), st.sampled_from("+-."), st.integers(1, 10**5), st.booleans())
def test_the_tss_is_base_h_of_every_window_on_the_genes_strand(tss, strand, half, strand_aware):
    start = window_starts([tss], [strand], 2 * half, strand_aware)[0]
    places = range(start, start + 2 * half)
    if strand_aware and strand == "-":
        places = places[::-1]
    assert places[half] == tss


@pytest.mark.parametrize(
    ("wanted", "names", "found"),
    [
        (["chr1", "chr2"], ["chr1", "chr2"], {"chr1": "chr1", "chr2": "chr2"}),
        (["1", "X"], ["chr1", "chrX"], {"1": "chr1", "X": "chrX"}),
        (["chr1", "chrX"], ["1", "X"], {"chr1": "1", "chrX": "X"}),
        # The same name is preferred to an alias.
        (["1"], ["chr1", "1"], {"1": "1"}),
        (["chr1", "chr9"], ["1"], {"chr1": "1"}),
        (["chrM"], ["MT"], {"chrM": "MT"}),
        (["MT"], ["chrM"], {"MT": "chrM"}),
    ],
)
def test_chromosomes_are_found_with_and_without_chr(wanted, names, found):
    assert match_chromosomes(genes(wanted, [5] * len(wanted)), names, "x") == found


@pytest.mark.parametrize("names", [["chrM", "chrMT"], ["chrMT", "chrM"]])
def test_chrm_is_preferred_to_chrmt(names):
    """UCSC's hg19 may have both; an annotation's MT is then read from chrM, in whatever order they stand."""
    assert match_chromosomes(genes(["MT"], [5]), names, "x") == {"MT": "chrM"}


def test_chromosome_key():
    assert [chromosome_key(name) for name in ("chr1", "1", "chrM", "MT", "M", "chrMT")] == [
        "1",
        "1",
        "M",
        "M",
        "M",
        "M",
    ]
    assert len({chromosome_key(name) for name in ("1", "chr1_alt", "X", "Y", "chrUn")}) == 5


def test_genes_without_a_place_ask_for_no_chromosome():
    assert match_chromosomes(genes(["chr1", "chr2", ""], [5, -1, -1]), ["chr1", "chr2"], "x") == {"chr1": "chr1"}


def test_no_chromosome_in_common_is_refused():
    with pytest.raises(InputError) as caught:
        match_chromosomes(genes(["chr1"], [5]), ["I", "II"], "x.fa")
    assert str(caught.value) == (
        "x.fa: none of the annotation's chromosomes (chr1) is in this file, which has I, II; use files of one genome assembly."
    )


def test_genes_without_any_place_are_refused():
    with pytest.raises(InputError, match="no gene has a known place to put a window at"):
        match_chromosomes(genes(["", "chr1"], [5, -1]), ["chr1"], "x.fa")


def test_a_tss_beyond_the_end_is_refused():
    check_inside("x.bam", genes(["chr1", "chr2"], [99, 10**9]), {"chr1": 100})
    with pytest.raises(InputError) as caught:
        check_inside("x.bam", genes(["chr1", "chr1"], [99, 100]), {"chr1": 100})
    assert str(caught.value).startswith("x.bam: the TSS of gene G1 is at chr1:101, beyond the chromosome's 100 bases;")


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ({"lengths": {"chr1": 9}}, {"lengths": {"chr1": 8}}, "b: chr1 has 8 bp here, but 9 bp in a: the files are of different"),
        ({"reach": {"chr1": 9}}, {"lengths": {"chr1": 8}}, "a: this file goes on to chr1:9, but chr1 ends at 8 bp in b"),
        ({"lengths": {"chr1": 9}}, {"lengths": {"chr1": 9}}, None),
    ],
)  # fmt: skip
def test_mixed_assemblies_are_refused_but_for_the_mitochondrion(first, second, says):
    # UCSC's hg19 has a mitochondrion of its own.
    for name in ("chrM", "MT", "M", "chrMT"):
        lengths = {"lengths": {name: 16571}}, {"lengths": {name: 16569}}, {"reach": {name: 16571}}
        check_assemblies([{"path": str(number), **entry} for number, entry in enumerate(lengths)])
    first, second = (
        {"path": path, **{key: {"MT": number, **places} for key, places in entry.items()}}
        for path, number, entry in (("a", 16571, first), ("b", 16569, second))
    )
    if says is None:
        check_assemblies([first, second])
        return
    with pytest.raises(InputError) as caught:
        check_assemblies([first, second])
    assert str(caught.value).startswith(says)
