import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from wakawaka.core.errors import InputError
from wakawaka.genome.windows import window_starts
from wakawaka.sources.histone.bin_counts import count_reads

BINS, SIZE = 4, 10


def genes(*places):
    chrom, tss, strand = zip(*places, strict=True)
    return {
        "gene_id": np.array([f"G{number}" for number in range(len(places))]),
        "chrom": np.array(chrom),
        "tss": np.array(tss, np.int64),
        "strand": np.array(strand),
    }


def batches(*groups):
    """Turn (chromosome, [(start, end, strand), ...]) into what readers yield."""
    for chrom, reads in groups:
        start, end, strand = np.array(reads, np.int64).reshape(-1, 3).T
        # A header may name chromosomes without reads.
        yield ["chr1", "empty", chrom], np.full(len(start), 2, np.int32), start, end, strand.astype(np.int8)


def counted(gene, groups, counting="overlap", **options):
    starts = window_starts(gene["tss"], gene["strand"], BINS * SIZE, True)
    return count_reads("x.bed", batches(*groups), gene, starts, bins=BINS, bin_size=SIZE, counting=counting, **options)


GENE = genes(("chr1", 120, "+"))  # bins 100-110, 110-120, 120-130, 130-140


@pytest.mark.parametrize(
    ("counting", "expected"),
    [("overlap", [2, 2, 1, 2]), ("midpoint", [1, 2, 1, 0]), ("five_prime", [2, 1, 0, 2])],
)
def test_rules(counting, expected):
    reads = [
        (90, 100, 1),  # ends before the window
        (99, 101, -1),  # one base inside; middle and 5' end at 100
        (109, 112, 1),  # in two bins; the middle in the second, the 5' end in the first
        (110, 120, 1),  # exactly a bin
        (125, 131, -1),  # in two bins; the middle in the third, the 5' end in the fourth
        (139, 145, 1),  # the middle beyond, the 5' end within
        (140, 150, 1),  # beyond
    ]
    counts, depth, reach = counted(GENE, [("chr1", reads)], counting)
    assert counts.dtype == np.int64 and counts.tolist() == [expected]
    assert depth == 7 and reach == {"chr1": 150}


def test_minus_strand_windows_lie_one_base_on():
    gene = genes(("chr1", 120, "+"), ("chr1", 120, "-"), ("chr1", 120, "."))
    counts, _, _ = counted(gene, [("chr1", [(100, 101, 1), (140, 141, 1)])])
    assert counts.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]]


def test_long_reads_count_in_every_bin():
    assert counted(GENE, [("chr1", [(0, 1000, 1)] * 3)])[0].tolist() == [[3, 3, 3, 3]]


def test_windows_over_the_beginning_of_a_chromosome():
    gene = genes(("chr1", 5, "+"))  # bins from -15
    assert counted(gene, [("chr1", [(0, 1, 1), (4, 6, 1)])])[0].tolist() == [[0, 2, 1, 0]]


def test_depth_is_of_all_chromosomes_and_reach_of_those_of_the_genes():
    _, depth, reach = counted(GENE, [("chr1", [(7, 8, 1)]), ("chr2", [(5, 9, 1)] * 2), ("chr1", [(6, 7, 1)])])
    assert depth == 4 and reach == {"chr1": 8}


@pytest.mark.parametrize(
    ("annotated", "in_file"), [("chr1", "1"), ("1", "chr1"), ("chrM", "MT"), ("MT", "chrM"), ("1", "1")]
)
def test_names_with_and_without_chr(annotated, in_file):
    counts, depth, reach = counted(genes((annotated, 120, "+")), [(in_file, [(100, 101, 1)])])
    assert counts.tolist() == [[1, 0, 0, 0]] and depth == 1 and reach == {annotated: 101}


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize("names", [["1", "chr1"], ["chr1", "1", "chr1"], ["chr2", "chr1", "chr2", "1"]])
def test_two_names_of_a_chromosome_are_refused(names, unique):
    with pytest.raises(InputError) as error:
        counted(GENE, [(name, [(100, 101, 1)]) for name in names], unique=unique)
    names = [name for name in dict.fromkeys(names) if name != "chr2"]
    says = f"x.bed: this file has reads on {names[0]} and on {names[1]}, which are names of one chromosome; give it one name"
    assert str(error.value).startswith(says)


def test_two_names_of_the_mitochondrion_are_refused():
    with pytest.raises(
        InputError, match="x.bed: this file has reads on chrM and on MT, which are names of one chromosome"
    ):
        counted(genes(("chrM", 120, "+")), [("chrM", [(100, 101, 1)]), ("MT", [(100, 101, 1)])])


def test_two_names_of_a_chromosome_without_genes():
    reads = [(name, [(100, 101, 1)]) for name in ("2", "chr1", "chr2")]
    counts, depth, reach = counted(GENE, reads)
    assert counts.tolist() == [[1, 0, 0, 0]] and depth == 3 and reach == {"chr1": 101}


def test_the_exact_name_is_preferred():
    # Two sequences of the mitochondrion, which hg19's later versions have; that of the annotation's spelling may come last.
    reads = [("chrMT", [(100, 101, 1)]), ("chrM", [(110, 111, 1)]), ("chrMT", [(100, 101, 1)])]
    counts, _, _ = counted(genes(("chrM", 120, "+")), reads)
    assert counts.tolist() == [[0, 1, 0, 0]]


def test_names_of_a_header():
    reads = [("chr1", [(100, 101, 1)]), ("1", [(110, 111, 1)])]
    assert counted(GENE, reads, names={"chr1": "1"})[0].tolist() == [[0, 1, 0, 0]]
    counts, depth, reach = counted(GENE, reads, names={"chr7": "7"})
    assert counts.tolist() == [[0, 0, 0, 0]] and depth == 2 and reach == {}


def test_equal_reads_count_once():
    reads = [
        ("chr1", [(100, 105, 1), (100, 105, 1), (100, 105, -1), (100, 105, 0)]),
        ("chr2", [(100, 105, 1)] * 2),
        ("chr1", [(100, 105, 1), (100, 106, 1), (99, 105, 1), (2**31 - 2, 2**31 - 1, 0)]),
    ]
    counts, depth, reach = counted(GENE, reads, unique=True)
    assert counts.tolist() == [[5, 0, 0, 0]] and depth == 7 and reach == {"chr1": 2**31 - 1}
    assert counted(GENE, reads)[1] == 10


@pytest.mark.parametrize("unique", [False, True])
def test_no_reads(unique):
    # The readers yield batches without reads, and without chromosomes, too.
    nothing = [], *(np.empty(0, dtype) for dtype in (np.int32, np.int64, np.int64, np.int8))
    starts = window_starts(GENE["tss"], GENE["strand"], BINS * SIZE, True)
    sizes = {"bins": BINS, "bin_size": SIZE, "counting": "five_prime"}
    for found in ([], [nothing], [nothing, *batches(("chr1", []))]):
        counts, depth, reach = count_reads("x.bed", found, GENE, starts, **sizes, unique=unique)
        assert counts.tolist() == [[0] * 4] and depth == 0 and reach == {}
    found = [nothing, *batches(("chr1", [(100, 101, 1)])), nothing]
    assert count_reads("x.bed", found, GENE, starts, **sizes, unique=unique)[0].tolist() == [[1, 0, 0, 0]]


def test_refused():
    with pytest.raises(InputError) as error:
        counted(GENE, [("chr1", [(1, 3, 1), (4, 9, 0)])], "five_prime")
    assert str(error.value).startswith("x.bed: the read at chr1:5-9 has no strand, so its 5' end is not known; set")
    with pytest.raises(InputError, match=r"x.bed: none of the annotation's chromosomes \(chr1\) is in this file"):
        counted(GENE, [("chrX", [(1, 3, 1)])])


def slow_count(gene, groups, counting, unique):
    reads = [(chrom, *read) for chrom, rows in groups for read in rows]
    reads = list(dict.fromkeys(reads)) if unique else reads
    table = np.zeros((len(gene["tss"]), BINS), np.int64)
    for row in range(len(table)):
        first = gene["tss"][row] - BINS * SIZE // 2 + (1 if gene["strand"][row] == "-" else 0)
        for position in range(BINS):
            bases = range(first + position * SIZE, first + (position + 1) * SIZE)
            for chrom, start, end, strand in reads:
                if counting == "overlap":
                    hit = set(bases) & set(range(start, end))
                elif counting == "midpoint":
                    hit = (start + end) // 2 in bases
                else:
                    hit = (start if strand > 0 else end - 1) in bases
                table[row, position] += bool(hit) and chrom == gene["chrom"][row]
    return table, len(reads)


CHROMS = st.sampled_from(["chr1", "chr2"])
STRANDS = st.sampled_from([1, -1])
READS = st.lists(st.builds(lambda *r: (r[0], r[0] + r[1], r[2]), st.integers(0, 70), st.integers(1, 45), STRANDS))


@settings(deadline=None, max_examples=150)
@given(
    places=st.lists(st.tuples(CHROMS, st.integers(0, 80), st.sampled_from("+-.")), min_size=1, max_size=4),
    groups=st.lists(st.tuples(CHROMS, READS), max_size=5),
    counting=st.sampled_from(["overlap", "midpoint", "five_prime"]),
    unique=st.booleans(),
)
def test_equals_counting_one_by_one(places, groups, counting, unique):
    gene = genes(*places)
    expected, reads = slow_count(gene, groups, counting, unique)
    counts, depth, _ = counted(gene, groups, counting, unique=unique, names={"chr1": "chr1", "chr2": "chr2"})
    assert counts.tolist() == expected.tolist() and depth == reads
