"""What the readers refuse, and what they only warn about: one section for each item, whatever form the input has.

The tests of each reader say more of its own form.
"""

import gzip
import pickle
from pathlib import Path

import numpy as np
import pysam
import pytest
import yaml

from helpers.small_files import read_cell, write_alignments, write_bigwig, write_parsed_genes
from wakawaka.config.check import check_config
from wakawaka.core.errors import InputError
from wakawaka.prediction.submit import submit
from wakawaka.sources.expression.read_deepchrome_expression import read_deepchrome_expression
from wakawaka.sources.expression.read_expression_csv import read_expression_csv
from wakawaka.sources.expression.read_matrix import read_matrix
from wakawaka.sources.expression.read_npz_expression import read_npz_expression
from wakawaka.sources.expression.read_quantification import read_quantification
from wakawaka.sources.genes.read_bed import read_bed
from wakawaka.sources.genes.read_deepchrome_genes import read_deepchrome_genes
from wakawaka.sources.genes.read_gene_info import read_gene_info
from wakawaka.sources.genes.read_gene_table import read_gene_table
from wakawaka.sources.genes.read_gtf import read_gtf
from wakawaka.sources.genes.read_npz_genes import read_npz_genes
from wakawaka.sources.histone.read_counts import read_counts
from wakawaka.sources.histone.read_deepchrome_histone import read_deepchrome_histone
from wakawaka.sources.histone.read_npz_histone import read_npz_histone
from wakawaka.sources.histone.sample_sheet import sheet_files
from wakawaka.sources.parsed import read_parsed, write_parsed
from wakawaka.sources.sequence.read_2bit import read_2bit
from wakawaka.sources.sequence.read_fasta import read_fasta
from wakawaka.sources.sequence.read_sequence_csv import read_sequence_csv
from wakawaka.splits.split import SplitFiles, SplitSettings, split
from wakawaka.store.build_store import ParsedSources, StoreSettings, build_store
from wakawaka.store.store import Store

MARKS, BINS, WINDOW = ["H3K4me3", "H3K27me3"], 2, 8
A, B = "ENSG00000000003", "ENSG00000000005"
VALUE = {"kind": "value", "transform": "none"}
LAYOUT = {"marks": MARKS, "bins": BINS}
COLUMNS = {"gene_id": "gene_id", "chrom": "chrom", "tss": "tss", "strand": "strand", "group": None}
ORDER = {"order": "genomic"}

# Every reader of text, as it is called with a path and a parsed, and a file that it reads.
DEEPCHROME = "000003,1,0,1,1\n000003,2,2,3,1\n000005,1,4,5,0\n000005,2,6,7,0\n"
DEEPDIFF = "000003_1,0,1\n000003_2,2,3\n000005_1,4,5\n000005_2,6,7\n"
GENOME = ">chr1\n" + "ACGTTGCATCAGGACTTACG\n" * 5
READERS = {
    "gtf": lambda path, parsed: read_gtf(path, parsed, tss="first", biotypes=None),
    "gff3": lambda path, parsed: read_gtf(path, parsed, tss="canonical", biotypes=None),
    "gene_info": lambda path, parsed: read_gene_info(path, parsed, biotypes=None),
    "bed": read_bed,
    "table": lambda path, parsed: read_gene_table(path, parsed, columns=COLUMNS, first_base=1),
    "deepchrome genes": lambda path, parsed: read_deepchrome_genes([path], parsed, **LAYOUT),
    "deepchrome": lambda path, parsed: read_deepchrome_histone([path], parsed, **LAYOUT, **ORDER),
    "deepdiff": lambda path, parsed: read_deepchrome_histone([path], parsed, **LAYOUT, **ORDER),
    "deepchrome labels": lambda path, parsed: read_deepchrome_expression([path], parsed, cells=["a"], file_cells=["a"], **LAYOUT),
    "counts": lambda path, parsed: read_counts(path, parsed, **LAYOUT, scale="counts", **ORDER),
    "signal": lambda path, parsed: read_counts(path, parsed, **LAYOUT, scale="signal", **ORDER),
    "log1p": lambda path, parsed: read_counts(path, parsed, **LAYOUT, scale="log1p", **ORDER),
    "reads": lambda path, parsed: read_files([("H3K4me3", path)], parsed),
    "sequence csv": lambda path, parsed: read_sequence_csv(path, parsed, window=WINDOW, **ORDER),
    "fasta": lambda path, parsed: read_fasta(path, places(path.parent), parsed, window=WINDOW, strand_aware=True),
    "matrix": lambda path, parsed: read_matrix(path, parsed, cells=["a", "b"]),
    "quantification": lambda path, parsed: read_quantification([path], parsed, cells=["a"], gene_id="Name", value="TPM"),
    "expression csv": lambda path, parsed: read_expression_csv([path], parsed, cells=["a"]),
    "sample sheet": lambda path, parsed: sheet_files(path, ["a"], MARKS),
}  # fmt: skip
COUNTS = f"gene_id\tbin\tH3K4me3\tH3K27me3\n{A}\t1\t0\t1\n{A}\t2\t2\t3\n{B}\t1\t4\t5\n{B}\t2\t6\t7\n"
TEXTS = {
    "gtf": f'chr1\tx\tgene\t21\t40\t.\t+\t.\tgene_id "{A}";\nchr1\tx\tgene\t61\t80\t.\t-\t.\tgene_id "{B}";\n',
    "gff3": f"##gff-version 3\nchr1\tx\tgene\t21\t40\t.\t+\t.\tID={A}\nchr1\tx\tgene\t61\t80\t.\t-\t.\tID={B}\n",
    "gene_info": f"{A}\t1\t21\t40\t1\tprotein_coding\n{B}\t1\t61\t80\t-1\tprotein_coding\n",
    "bed": f"chr1\t20\t40\t{A}\t0\t+\nchr1\t60\t80\t{B}\t0\t-\n",
    "table": f"gene_id\tchrom\ttss\tstrand\n{A}\tchr1\t21\t+\n{B}\tchr1\t80\t-\n",
    "deepchrome genes": DEEPCHROME,
    "deepchrome": DEEPCHROME,
    "deepdiff": DEEPDIFF,
    "deepchrome labels": DEEPCHROME,
    "counts": COUNTS,
    "signal": COUNTS,
    "log1p": COUNTS,
    "reads": "chr1\t18\t22\tN\t1000\t+\nchr1\t70\t79\tN\t1000\t-\n",
    "sequence csv": "3,ACGTACGT\n5,ACGTTTTN\n",
    "fasta": GENOME,
    "matrix": f"gene_id\ta\tb\n{A}\t1\t2\n{B}\t3\t4\n",
    "quantification": f"Name\tLength\tTPM\n{A}\t1000\t1.5\n{B}\t900\t2\n",
    "expression csv": "000003,1.5\n000005,2\n",
    "sample sheet": "cell\tmark\tpath\na\tH3K4me3\tx.bam\na\tH3K27me3\ty.bam\n",
}
GENES = ["gtf", "gff3", "gene_info", "bed", "table"]


def places(folder, chrom="chr1", tss=(20, 79)):
    """Write the parsed genes of A (plus) and B (minus) on a chromosome of 100 bp; return its path."""
    return write_parsed_genes(folder / "places.npz", [(A, chrom, tss[0], "+"), (B, chrom, tss[1], "-")])


def read(folder, reader, content=None):
    """Let a reader read a file of text or bytes; return (warnings without the path, arrays) of the parsed."""
    path, parsed = folder / "input.txt", folder / "parsed.npz"
    content = TEXTS[reader] if content is None else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    READERS[reader](path, parsed)
    return said(parsed) if parsed.is_file() else None


def said(parsed):
    about, arrays = read_parsed(parsed)
    names = [source["path"] for source in about["sources"]]
    return [sentence.removeprefix(f"{name}: ") for sentence in about["warnings"] for name in names], arrays


def refusal(folder, reader, content):
    """Return the sentence of the refusal behind the file's name; nothing may have been written."""
    with pytest.raises(InputError) as caught:
        read(folder, reader, content)
    assert not (folder / "parsed.npz").exists()
    sentence = str(caught.value)
    assert sentence.startswith(f"{folder}/input.txt")
    return sentence.removeprefix(f"{folder}/input.txt")


def read_files(files, parsed, genes=None, **options):
    """Read [(mark, path), ...] as the files of one cell of a sample sheet."""
    genes = genes or places(Path(files[0][1]).parent)
    read_cell(files, genes, parsed, bins=BINS, window=WINDOW, **options)


def bam(path, length=100, form="b"):
    reads = [("chr1", 15 + number, 24 + number, 30, "+") for number in range(20)]
    return write_alignments(path, {"chr1": length}, reads, form)


def bigwig(path, values=(1.0, 2.0), length=100):
    return write_bigwig(path, {"chr1": length}, [("chr1", 18, 30, values[0]), ("chr1", 70, 79, values[1])])


def course(expression=None, **changes):
    """Return an array of the course's: genes 3 and 5, and the expression where wanted; `changes` maps `at_gene_bin_column` to values."""
    values = np.array(
        [
            [[gene, 4 * row + 2 * place, 4 * row + 2 * place + 1] for place in range(BINS)]
            for row, gene in enumerate((3, 5))
        ],
        np.float32,
    )
    if expression is not None:
        column = np.broadcast_to(np.array(expression, np.float32)[:, None, None], (2, BINS, 1))
        values = np.concatenate([values, column], axis=2)
    for place, value in changes.items():
        values[tuple(int(index) for index in place.split("_")[1:])] = value
    return values


NPZ = {
    "genes": lambda path, parsed, scale: read_npz_genes(path, parsed),
    "histone": lambda path, parsed, scale: read_npz_histone(
        path, [parsed], cells=["a"], **LAYOUT, scale=scale, **ORDER
    ),
    "expression": lambda path, parsed, scale: read_npz_expression(path, parsed, cells=["a"], **LAYOUT),
}


def read_npz(folder, reader, array, scale="counts"):
    np.savez(folder / "input.npz", a=array)
    NPZ[reader](str(folder / "input.npz"), folder / "parsed.npz", scale)
    return said(folder / "parsed.npz")


def npz_refusal(folder, reader, array, scale="counts"):
    with pytest.raises(InputError) as caught:
        read_npz(folder, reader, array, scale)
    assert not (folder / "parsed.npz").exists()
    sentence = str(caught.value)
    assert sentence.startswith(f"{folder}/input.npz")
    return sentence.removeprefix(f"{folder}/input.npz")


def make_store(folder, genes=TEXTS["gtf"], marks=COUNTS, sequence=TEXTS["sequence csv"], expression=TEXTS["matrix"]):
    """Build a store of the cells a and b, with equal marks; return (paths, warnings)."""
    parsed_files = {}
    texts = {"gtf": genes, "counts": marks, "sequence csv": sequence, "matrix": expression}
    for reader, text in texts.items():
        parsed_files[reader] = folder / f"{reader}.npz"
        path = folder / f"{reader}.txt"
        path.write_text(text)
        READERS[reader](path, parsed_files[reader])
    names = ["genes.tsv", "cells.tsv", "expression.npy", "store.json", "histone.npy", "dna.npy"]
    paths = [folder / "store" / name for name in names]
    build(
        folder,
        paths,
        parsed_files["gtf"],
        [parsed_files["counts"]] * 2,
        parsed_files["sequence csv"],
        parsed_files["matrix"],
    )
    return paths, (folder / "warnings.tsv").read_text().splitlines()[1:]


def build(folder, paths, genes, histone, sequence, expression):
    settings = StoreSettings(cells=["a", "b"], **LAYOUT, window=WINDOW, strand_aware=True)
    build_store(paths, folder / "warnings.tsv", ParsedSources(genes, histone, sequence, expression), settings)


def make_split(folder, paths, held_out_genes, target=VALUE, allow_leakage=True):
    names = {name: folder / f"{name}.tsv" for name in ("genes", "cells", "samples", "audit", "similarity", "warnings")}
    chosen = {"held_out_cells": [], "held_out_genes": held_out_genes, "folds": 2, "hold_out": "samples", "seed": 1}
    split(paths, SplitFiles(**names), SplitSettings(**chosen, target=target, allow_leakage=allow_leakage))


# The file that `log1p` reads holds counts, of which it warns: see the end.
@pytest.mark.parametrize("reader", [name for name in READERS if name != "log1p"])
def test_every_file_of_this_module_is_read_as_it_stands(tmp_path, reader):
    found = read(tmp_path, reader)
    if found:
        warnings, arrays = found
        allowed = ["the strands of the genes are not known: no bins or bases are reversed."]
        assert [sentence for sentence in warnings if sentence not in allowed] == []
        assert arrays["gene_id"].tolist() == [A, B]


# Refused: a number of bins other than configured, or differing between cells


@pytest.mark.parametrize(
    ("reader", "content", "says"),
    [
        ("counts", COUNTS.replace(f"{B}\t2\t6\t7\n", ""), f": gene {B} has 1 bins, but `bins` in config.yaml is 2"),
        ("counts", COUNTS + f"{B}\t3\t6\t7\n", f", line 6 (gene {B}, bin 3): the bin is not between 1 and 2, the number of `bins`"),
        ("deepchrome", DEEPCHROME[:-15], ", line 3: gene 000005 has 1 lines, but `bins` in config.yaml is 2"),
        ("deepchrome genes", DEEPCHROME + "000005,3,6,7,0\n", ", line 5: gene 000005 has 3 lines, but `bins`"),
        ("deepchrome labels", DEEPCHROME[15:], ", line 1: gene 000003 has 1 lines, but `bins`"),
        ("deepdiff", DEEPDIFF + "000005_3,6,7\n", ", line 5: gene 000005 has 3 lines, but `bins`"),
    ],
)  # fmt: skip
def test_another_number_of_bins(tmp_path, reader, content, says):
    assert refusal(tmp_path, reader, content).startswith(says)


@pytest.mark.parametrize("reader", ["histone", "expression"])
def test_another_number_of_bins_in_an_npz_file(tmp_path, reader):
    array = course(expression=[1, 2])[:, :1]
    assert npz_refusal(tmp_path, reader, array).startswith(": a has 1 bins, but `bins` in config.yaml is 2; correct")


def test_a_number_of_bins_that_differs_between_cells(tmp_path):
    array = course()
    np.savez(tmp_path / "input.npz", a=array, b=np.concatenate([array, array], axis=1))
    parsed_files = [tmp_path / "a.npz", tmp_path / "b.npz"]
    with pytest.raises(InputError, match=r"input\.npz: b has 4 bins, but `bins` in config\.yaml is 2; correct"):
        read_npz_histone(str(tmp_path / "input.npz"), parsed_files, cells=["a", "b"], **LAYOUT, scale="counts", **ORDER)


# Refused: a gene id or an expression that is not constant over a gene's bins


@pytest.mark.parametrize("reader", NPZ)
def test_a_gene_id_that_is_not_constant_in_an_npz_file(tmp_path, reader):
    array = course(expression=[1, 2], at_1_1_0=7)
    assert npz_refusal(tmp_path, reader, array).startswith(
        ": row 2 of a does not hold one gene id on all its bins (first column)"
    )


def test_an_expression_that_is_not_constant_in_an_npz_file(tmp_path):
    array = course(expression=[1, 2], at_1_1_3=7)
    assert npz_refusal(tmp_path, "expression", array).startswith(
        ": row 2 of a does not hold one finite expression value on all its bins (last column); `expression.path`"
    )


@pytest.mark.parametrize(
    ("reader", "old", "new", "says"),
    [
        ("deepchrome genes", "000005,2", "000007,2", ", line 3: gene 000005 has 1 lines, but `bins`"),
        ("deepchrome", "000005,2", "000007,2", ", line 3: gene 000005 has 1 lines, but `bins`"),
        ("deepchrome labels", "000005,2", "000007,2", ", line 3: gene 000005 has 1 lines, but `bins`"),
        ("deepdiff", "000005_2", "000007_2", ", line 3: gene 000005 has 1 lines, but `bins`"),
        (
            "deepchrome labels",
            "000005,2,6,7,0",
            "000005,2,6,7,1",
            f", line 4: the label of gene {B} is 1, which is not that of the gene's lines before",
        ),
    ],
)
def test_a_gene_id_or_label_that_is_not_constant_in_a_deepchrome_file(tmp_path, reader, old, new, says):
    assert refusal(tmp_path, reader, TEXTS[reader].replace(old, new)).startswith(says)


# Refused: NaN, inf, negative counts


@pytest.mark.parametrize(
    ("reader", "value", "says"),
    [
        ("counts", "NaN", "H3K27me3 is 'NaN', but it must be a whole number"),
        ("counts", "", "H3K27me3 is '', but it must be a whole number"),
        ("counts", "inf", "H3K27me3 is 'inf', but it must be a whole number"),
        ("counts", "-7", "a value is negative, which the scale `counts` does not allow"),
        ("log1p", "nan", "a value is not a finite number"),
        ("log1p", "inf", "a value is not a finite number"),
        ("log1p", "-7", "a value is negative, which the scale `log1p` does not allow"),
        ("signal", "NA", "a value is not a finite number"),
        ("signal", "-inf", "a value is not a finite number"),
        ("signal", "1e39", "a value is not a finite number"),
    ],
)
def test_counts_that_are_no_counts(tmp_path, reader, value, says):
    sentence = refusal(tmp_path, reader, COUNTS.replace("2\t6\t7", f"2\t6\t{value}"))
    assert sentence.startswith(", line 5") and says in sentence


@pytest.mark.parametrize("reader", ["deepchrome", "deepdiff", "deepchrome labels", "deepchrome genes"])
@pytest.mark.parametrize("value", ["nan", "inf", "-7", "", "1.5"])
def test_counts_of_deepchrome_that_are_no_counts(tmp_path, reader, value):
    sentence = refusal(tmp_path, reader, TEXTS[reader].replace(",6,7", f",6,{value}"))
    assert sentence.startswith(
        f", line 4: the H3K27me3 is {value!r}, but it must be a whole number that is not negative"
    )


@pytest.mark.parametrize(
    ("scale", "value", "says"),
    [
        ("counts", np.nan, "is nan: it is not a finite number"),
        ("log1p", np.inf, "is inf: it is not a finite number"),
        ("signal", -np.inf, "is -inf: it is not a finite number"),
        ("counts", -1, "is -1: it is negative, which the scale `counts` does not allow"),
        ("log1p", -1, "is -1: it is negative, which the scale `log1p` does not allow"),
    ],
)
def test_marks_of_an_npz_file_that_are_no_counts(tmp_path, scale, value, says):
    sentence = npz_refusal(tmp_path, "histone", course(at_1_0_2=value), scale)
    assert sentence.startswith(f" (a): H3K27me3 of gene {B}, bin 1, {says}")


def test_tracks_that_are_infinite_or_negative(tmp_path):
    for value, says in (
        (np.inf, "is infinite; make the track again"),
        (-3.0, "does not allow negative values; set `histone.scale"),
    ):
        path = bigwig(tmp_path / "x.bw", (value, 1.0))
        with pytest.raises(InputError) as caught:
            read_files([("H3K4me3", path)], tmp_path / "parsed.npz")
        assert str(caught.value).startswith(f"{path}: ") and says in str(caught.value)
        assert not (tmp_path / "parsed.npz").exists()


@pytest.mark.parametrize(
    ("reader", "old", "says"),
    [
        ("matrix", "\t4\n", ", line 3: b is 'inf', but it must be a finite number"),
        ("quantification", "\t2\n", ", line 3: TPM is 'inf', but it must be a finite number"),
        ("expression csv", ",2\n", ", line 2: the value is 'inf', but it must be a finite number"),
    ],
)
def test_expression_that_is_infinite(tmp_path, reader, old, says):
    assert refusal(tmp_path, reader, TEXTS[reader].replace(old, old[0] + "inf\n")).startswith(says)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_expression_of_an_npz_file_that_is_not_finite(tmp_path, value):
    sentence = npz_refusal(tmp_path, "expression", course(expression=[1, value]))
    assert sentence.startswith(": ") and "row 2 of a" in sentence and "finite" in sentence


def test_negative_expression_where_a_logarithm_is_taken(tmp_path):
    paths, _ = make_store(tmp_path, expression=TEXTS["matrix"].replace("\t4\n", "\t-4\n"))
    with pytest.raises(InputError) as caught:
        make_split(tmp_path, paths, [], target={"kind": "value", "transform": "log2p1"})
    says = f"config key `expression.transform` is log2p1, but the expression of gene {B} in cell b is -4: negative values look like"
    assert str(caught.value).startswith(says)
    assert not (tmp_path / "samples.tsv").exists()


# Refused: a sequence of the wrong length, or with other letters


@pytest.mark.parametrize(
    ("sequence", "says"),
    [
        ("ACGTTTT", ", line 2: the sequence of gene 5 has 7 letters, but `window` in config.yaml is 8"),
        ("ACGTTTTAA", ", line 2: the sequence of gene 5 has 9 letters, but `window` in config.yaml is 8"),
        ("", ", line 2: the sequence of gene 5 has 0 letters, but"),
        ("ACGTRTTA", ", line 2: letter 5 of gene 5 is 'R', but only A, C, G, T and N are allowed"),
        ("ACGT-TTA", ", line 2: letter 5 of gene 5 is '-', but only"),
    ],
)
def test_a_sequence_of_another_length_or_with_other_letters(tmp_path, sequence, says):
    assert refusal(tmp_path, "sequence csv", f"3,ACGTACGT\n5,{sequence}\n").startswith(says)


def test_a_genome_with_other_letters(tmp_path):
    assert refusal(tmp_path, "fasta", GENOME[:25] + "*" + GENOME[26:]).startswith(
        ": there is a letter '*' at chr1:20; a genome has nucleotides only"
    )


# Refused: rows of a gene, or of a cell and gene, that differ


@pytest.mark.parametrize(
    ("reader", "more", "says"),
    [
        ("gtf", f'chr1\tx\tgene\t62\t81\t.\t-\t.\tgene_id "{B}";\n', f", line 3: gene {B} stands at another place in line 2; keep one"),
        ("gff3", f"chr1\tx\tgene\t62\t81\t.\t-\t.\tID={B}\n", f", line 4: gene {B} stands at another place in line 3; keep one"),
        ("gene_info", f"{B}\t1\t61\t81\t-1\tprotein_coding\n", f": gene {B} stands twice with different values; keep one"),
        ("bed", f"chr1\t60\t81\t{B}\t0\t-\n", f": gene {B} stands twice with different values; keep one"),
        ("table", f"{B}\tchr2\t80\t-\n", f": gene {B} stands twice with different values; keep one"),
        ("deepchrome", DEEPCHROME[30:].replace(",7,", ",8,"), f": gene {B} stands twice with different values; keep one"),
        ("deepdiff", DEEPDIFF[26:].replace(",7", ",8"), f": gene {B} stands twice with different values; keep one"),
        ("deepchrome labels", DEEPCHROME[30:].replace(",0\n", ",1\n"), f": gene {B} stands twice with different values; keep one"),
        ("counts", f"{B}\t2\t6\t8\n", f", line 6 (gene {B}, bin 2): this gene and bin already have a row with other values; keep"),
        ("sequence csv", "5,ACGTTTTT\n", f": gene {B} stands twice with different values; keep one"),
        ("fasta", ">chr1\nACGT\n", ", line 7: another record has this name too: >chr1; give each its own"),
        ("matrix", f"{B}\t3\t5\n", f": gene {B} stands twice with different values; keep one"),
        ("matrix", f"{B}\t3\tNA\n", f": gene {B} stands twice with different values; keep one"),
        ("quantification", f"{B}.2\t900\t3\n", f": gene {B} stands twice with different values; keep one"),
        ("expression csv", "5,3\n", f": gene {B} stands twice with different values; keep one"),
        ("sample sheet", "a\tH3K4me3\ty.bam\n", ", line 4: the file y.bam of a H3K4me3 is already that of a H3K27me3 in line 3; every row"),
    ],
)  # fmt: skip
def test_rows_of_one_gene_that_differ(tmp_path, reader, more, says):
    assert refusal(tmp_path, reader, TEXTS[reader] + more).startswith(says)


@pytest.mark.parametrize("reader", ["histone", "expression"])
def test_rows_of_one_gene_that_differ_in_an_npz_file(tmp_path, reader):
    array = np.concatenate([course(expression=[1, 2]), course(expression=[1, 3], at_1_1_1=9)])
    assert npz_refusal(tmp_path, reader, array).startswith(
        f" (a): gene {B} stands twice with different values; keep one"
    )


# Refused: a header and rows, or rows among themselves, of different length


@pytest.mark.parametrize(
    ("reader", "old", "new", "says"),
    [
        ("counts", "2\t6\t7", "2\t6", ", line 5: 3 fields where the header has 4"),
        ("counts", "2\t6\t7", "2\t6\t7\t8", ", line 5: 5 fields where the header has 4"),
        ("signal", "2\t6\t7", "2\t6", ", line 5: 3 fields where the header has 4"),
        ("table", "\t80\t-", "\t80", ", line 3: 3 fields where the header has 4"),
        ("matrix", "\t3\t4", "\t3", ", line 3: 2 fields where the header has 3"),
        ("matrix", "\t3\t4", "\t3\t4\t5", ", line 3: 4 fields where the header has 3"),
        ("quantification", "\t900\t2", "\t900", ", line 3: 2 fields where the header has 3"),
        ("sample sheet", "\ty.bam", "", ", line 3: 2 fields where the header has 3"),
        ("gtf", f'\tgene_id "{B}";', "", ", line 2: 8 tab-separated fields where a GTF or GFF3 has 9"),
        ("gff3", f"\tID={B}", "", ", line 3: 8 tab-separated fields where a GTF or GFF3 has 9"),
        ("gene_info", "\t-1\tprotein_coding", "\t-1", ", line 2: 5 tab-separated fields where a gene_info file has at least 6"),
        ("bed", "\t0\t-", "", ", line 2: 4 columns where line 1 has 6"),
        ("deepchrome", ",6,7,", ",6,", ", line 4: 4 fields between commas where 5 are needed"),
        ("deepdiff", ",6,7", ",6,7,8", ", line 4: 4 fields between commas where 3 are needed"),
        ("expression csv", ",2", ",2,3", ", line 2: a line must be `gene id,value`, but this is '000005,2,3'"),
        ("sequence csv", "5,ACGTTTTN", "5,ACGTTTTN,1", ", line 2: a line must be `gene id,sequence`, but this is '5,ACGTTTTN,1'"),
        ("reads", "\t70\t79\tN\t1000\t-", "\t70", ", line 2: 2 fields where BED has at least 3"),
    ],
)  # fmt: skip
def test_rows_of_another_length(tmp_path, reader, old, new, says):
    text = TEXTS[reader].replace(old, new)
    assert text != TEXTS[reader]
    assert refusal(tmp_path, reader, text).startswith(says)


# Refused: unknown ids in a split list


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    paths, warnings = make_store(tmp_path_factory.mktemp("store"))
    assert warnings == ["Nothing odd was met."]
    return paths


def test_unknown_ids_in_a_split_list(tmp_path, store):
    (tmp_path / "list.txt").write_text(f"{A}\nENSG00000000007\n")
    says = ": 1 ids are not among the genes of the store: ENSG00000000007; correct or remove them"
    for listed, where in (
        (str(tmp_path / "list.txt"), f"{tmp_path}/list.txt"),
        ([A, "ENSG00000000007"], "config key `held_out_genes`"),
    ):
        with pytest.raises(InputError) as caught:
            make_split(tmp_path, store, listed)
        assert str(caught.value).startswith(where + says)
        assert not (tmp_path / "samples.tsv").exists()


def test_unknown_cells_in_a_list_of_cells():
    with pytest.raises(
        InputError, match="^config key `expression`: nobody is named there, but it is no cell in `cells`"
    ):
        checked(expression={"reader": "csv", "path": "{cell}.csv", "missing": ["nobody"]})


def checked(**config):
    schema = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"
    cells = {"cells": {"train": ["a", "b", "c", "d"], "held_out": ["e"]}}
    return check_config(cells | config, yaml.safe_load(schema.read_text()))


# Refused: a cell or gene both in train and held out


def test_a_cell_both_in_train_and_held_out():
    assert checked()
    with pytest.raises(
        InputError, match="^config keys `cells.train` and `cells.held_out` both name b: a cell is either"
    ):
        checked(cells={"train": ["a", "b", "c", "d"], "held_out": ["e", "b"]})


def test_a_gene_that_is_held_out_twice(tmp_path, store):
    """Genes are not listed for training, so that none can be on both sides; two lines of one may be meant for two genes."""
    (tmp_path / "list.txt").write_text(f"{A}.1\n{A}.2\n")
    with pytest.raises(InputError) as caught:
        make_split(tmp_path, store, str(tmp_path / "list.txt"))
    assert str(caught.value).startswith(f"{tmp_path}/list.txt: the gene {A} is listed twice; remove one")


def test_random_rows_hold_out_cells_and_genes_that_are_trained_on(tmp_path, store):
    with pytest.raises(InputError, match="^config key `folds.hold_out` is samples, which holds out random rows"):
        checked(folds={"hold_out": "samples"})
    assert checked(folds={"hold_out": "samples"}, allow_leakage=True)
    with pytest.raises(InputError, match=r"^the split leaks: in fold-1 \(leaking\), "):
        make_split(tmp_path, store, [], allow_leakage=False)
    assert not (tmp_path / "samples.tsv").exists()
    make_split(tmp_path, store, [])


def test_a_held_out_gene_whose_window_overlaps_that_of_a_training_gene(tmp_path):
    paths, _ = make_store(tmp_path, genes=TEXTS["gtf"].replace("61\t80", "17\t28"))
    with pytest.raises(InputError, match=f"\\({B} with {A}: overlapping windows\\); .* add {A} to `held_out_genes`"):
        make_split(tmp_path, paths, [B], allow_leakage=False)
    assert not (tmp_path / "samples.tsv").exists()


def test_a_submission_of_samples_that_were_trained_on(tmp_path):
    np.savez(tmp_path / "order.npz", a=course())
    (tmp_path / "test.tsv").write_text(f"cell\tgene_id\tfinal\na\t{A}\t0.5\n")
    with pytest.raises(InputError) as caught:
        submit(tmp_path / "test.tsv", tmp_path / "x.csv", prediction="final", order=tmp_path / "order.npz")
    assert str(caught.value).startswith(f"{tmp_path}/order.npz: 1 of its samples were not held out")
    assert f"a_{B}" in str(caught.value) and not (tmp_path / "x.csv").exists()


# Refused: mixed assemblies


def cut(folder, genome=GENOME):
    """Cut sequences from a genome; return the parsed."""
    (folder / "genome.fa").write_text(genome)
    read_fasta(folder / "genome.fa", places(folder), folder / "sequence.npz", window=WINDOW, strand_aware=True)
    return folder / "sequence.npz"


@pytest.mark.parametrize("kind", ["reads.bam", "reads.cram", "track.bw"])
def test_files_whose_chromosomes_differ_in_length(tmp_path, kind):
    path = tmp_path / kind
    _ = bigwig(path, length=99) if kind == "track.bw" else bam(path, 99, "c" if kind.endswith("cram") else "b")
    read_files([("H3K4me3", path)], tmp_path / "parsed.npz")
    expression = tmp_path / "expression.npz"
    write_parsed(expression, [], gene_id=np.array([A, B]), cell=np.array(["a"]), values=np.ones((1, 2), np.float32))
    with pytest.raises(InputError) as caught:
        build(
            tmp_path,
            [tmp_path / "genes.tsv"],
            places(tmp_path),
            [tmp_path / "parsed.npz"] * 2,
            cut(tmp_path),
            expression,
        )
    says = (
        f"{path}: chr1 has 99 bp here, but 100 bp in {tmp_path}/genome.fa: the files are of different genome assemblies"
    )
    assert str(caught.value).startswith(says)
    assert not (tmp_path / "genes.tsv").exists()


def test_reads_beyond_the_end_of_a_chromosome(tmp_path):
    path = tmp_path / "reads.bed"
    path.write_text("chr1\t80\t101\n")
    read_files([("H3K4me3", path)], tmp_path / "parsed.npz")
    with pytest.raises(InputError) as caught:
        build(tmp_path, [], places(tmp_path), [tmp_path / "parsed.npz"] * 2, cut(tmp_path), None)
    says = f"{path}: this file goes on to chr1:101, but chr1 ends at 100 bp in {tmp_path}/genome.fa: the files are of different"
    assert str(caught.value).startswith(says)


def of_assembly(kind, path):
    """Write a file of a chromosome chr1 of 80 bp; return the function that reads it with a parsed genes."""
    if kind == "genome.fa":
        path.write_text(GENOME[: 6 + 21 * 4])
        return lambda genes, parsed: read_fasta(path, genes, parsed, window=WINDOW, strand_aware=True)
    if kind == "genome.2bit":
        # One record, of 80 T.
        numbers = (
            np.array([0x1A412743, 0, 1, 0], "<u4").tobytes() + b"\4chr1" + np.array([25, 80, 0, 0, 0], "<u4").tobytes()
        )
        path.write_bytes(numbers + bytes(20))
        return lambda genes, parsed: read_2bit(path, genes, parsed, window=WINDOW, strand_aware=True)
    _ = bigwig(path, length=80) if kind == "track.bw" else bam(path, 80, "c" if kind.endswith("cram") else "b")
    return lambda genes, parsed: read_files([("H3K4me3", path)], parsed, genes)


KINDS = ["genome.fa", "genome.2bit", "reads.bam", "reads.cram", "track.bw"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_gene_beyond_the_end_of_its_chromosome(tmp_path, kind):
    read_with = of_assembly(kind, tmp_path / kind)
    read_with(places(tmp_path), tmp_path / "parsed.npz")
    (tmp_path / "parsed.npz").unlink()
    with pytest.raises(InputError) as caught:
        read_with(places(tmp_path, tss=[20, 80]), tmp_path / "parsed.npz")
    says = f"{tmp_path}/{kind}: the TSS of gene {B} is at chr1:81, beyond the chromosome's 80 bases; this file and the annotation"
    assert str(caught.value).startswith(says)
    assert not (tmp_path / "parsed.npz").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_no_chromosome_in_common(tmp_path, kind):
    with pytest.raises(InputError) as caught:
        of_assembly(kind, tmp_path / kind)(places(tmp_path, chrom="X"), tmp_path / "parsed.npz")
    says = f"{tmp_path}/{kind}: none of the annotation's chromosomes (X) is in this file, which has chr1; use files of one genome"
    assert str(caught.value).startswith(says)


def test_no_chromosome_in_common_with_reads(tmp_path):
    assert refusal(tmp_path, "reads", "chrX\t1\t2\n").startswith(
        ": none of the annotation's chromosomes (chr1) is in this file, which has chrX; use files of one genome"
    )


# Refused: a truncated or corrupt gzip, npz, BAM


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("damage", ["truncated", "corrupt"])
def test_a_damaged_gzip(tmp_path, reader, damage):
    packed = bytearray(gzip.compress(TEXTS[reader].encode()))
    read(tmp_path, reader, bytes(packed))
    (tmp_path / "parsed.npz").unlink(missing_ok=True)
    if damage == "truncated":
        del packed[-5:]
    else:
        packed[-6] ^= 1  # in the checksum
    assert refusal(tmp_path, reader, bytes(packed)).startswith(
        ": the compressed file is truncated or damaged; fetch or make it again"
    )


def test_a_damaged_gzip_of_held_out_genes(tmp_path, store):
    path = tmp_path / "list.txt.gz"
    path.write_bytes(gzip.compress(f"{A}\n".encode())[:-5])
    with pytest.raises(InputError) as caught:
        make_split(tmp_path, store, str(path))
    assert str(caught.value).startswith(f"{path}: the compressed file is truncated or damaged; fetch or make it again")


@pytest.mark.parametrize("reader", NPZ)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("damage", ["truncated", "corrupt"])
def test_a_damaged_npz(tmp_path, reader, save, damage):
    path = tmp_path / "input.npz"
    save(path, a=course(expression=[1, 2]))
    raw = bytearray(path.read_bytes())
    if damage == "truncated":
        del raw[len(raw) // 2 :]
    else:
        # In the data of the array, which begins within the first 200 bytes.
        raw[raw.index(b"a.npy") + (190 if save is np.savez else 60)] ^= 255
    path.write_bytes(raw)
    with pytest.raises(InputError) as caught:
        NPZ[reader](path, tmp_path / "parsed.npz", "counts")
    says = "this is not a readable npz file (" if damage == "truncated" else "the array a cannot be read ("
    assert str(caught.value).startswith(f"{path}: {says}")
    assert "make" in str(caught.value) and not (tmp_path / "parsed.npz").exists()


@pytest.mark.parametrize("kind", ["reads.bam", "reads.cram", "track.bw"])
@pytest.mark.parametrize("damage", ["truncated", "corrupt"])
def test_a_damaged_bam_cram_or_bigwig(tmp_path, kind, damage):
    path = tmp_path / kind
    _ = bigwig(path) if kind == "track.bw" else bam(path, form="c" if kind.endswith("cram") else "b")
    raw = bytearray(path.read_bytes())
    if damage == "truncated":
        # The mark at the end, without which pysam reads the rest as if it were all.
        del raw[-{"reads.bam": 28, "reads.cram": 38}.get(kind, 20) :]
    elif kind == "track.bw":
        # It has no checksums; this is the offset of its index of blocks.
        raw[24:32] = b"\xff" * 8
    elif kind == "reads.bam":
        # In the checksum of the block of reads, which is the second; the third, of 28 bytes, ends the file.
        raw[-28 - 8] ^= 1
    else:
        # In the last container before the one that ends the file, which has 38 bytes.
        raw[-60] ^= 1
    path.write_bytes(raw)
    with pytest.raises(InputError) as caught:
        read_files([("H3K4me3", path)], tmp_path / "parsed.npz")
    assert str(caught.value).startswith(f"{path}: the ")
    assert "truncated" in str(caught.value) and "fetch or make it again" in str(caught.value)
    assert not (tmp_path / "parsed.npz").exists()


def test_a_truncated_2bit(tmp_path):
    path = tmp_path / "genome.2bit"
    read_with = of_assembly("genome.2bit", path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError) as caught:
        read_with(places(tmp_path), tmp_path / "parsed.npz")
    assert str(caught.value).startswith(f"{path}: the 2bit file is truncated or damaged: it ends within chr1; fetch")


# Refused: pickled arrays, of which no code is run


class Trap:
    """What makes a file when it is unpickled."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return Path.touch, (self._path,)


PICKLED = {
    "array": lambda path, trap: np.savez(path, a=np.array([[[trap]]], object)),
    "single array": lambda path, trap: write_npy(path, trap),
    "bare": lambda path, trap: path.write_bytes(pickle.dumps({"a": trap})),
}


def write_npy(path, trap):
    with open(path, "wb") as file:
        np.save(file, np.array([trap], object), allow_pickle=True)


@pytest.mark.parametrize("form", PICKLED)
@pytest.mark.parametrize("reader", [*NPZ, "submission"])
def test_pickles_are_never_loaded(tmp_path, form, reader):
    path, caught = tmp_path / "input.npz", tmp_path / "caught"
    PICKLED[form](path, Trap(caught))
    # The trap works.
    loaded = np.load(path, allow_pickle=True)
    assert form != "array" or loaded["a"].size
    caught.unlink()
    read_with = NPZ.get(
        reader, lambda path, parsed, scale: submit(tmp_path / "test.tsv", parsed, prediction="final", order=path)
    )
    (tmp_path / "test.tsv").write_text(f"cell\tgene_id\tfinal\na\t{A}\t0.5\n")
    with pytest.raises(InputError) as error:
        read_with(path, tmp_path / "parsed.npz", "counts")
    assert str(error.value).startswith(f"{path}: ")
    assert not caught.exists() and not (tmp_path / "parsed.npz").exists()


# Warned about: identical rows, of which one is kept


@pytest.mark.parametrize(
    ("reader", "more", "says"),
    [
        ("gtf", TEXTS["gtf"][len(TEXTS["gtf"]) // 2 :], None),
        ("gff3", TEXTS["gff3"].splitlines()[2] + "\n", None),
        ("gene_info", f"{B}.7\t1\t70\t80\t-1\tprotein_coding\n", None),
        ("bed", f"chr1\t60\t80\t{B}\t5\t-\n", None),
        ("table", f"{B}\tchr1\t80\t-\n", None),
        ("deepchrome", DEEPCHROME[30:], None),
        ("deepdiff", DEEPDIFF[26:], None),
        ("deepchrome labels", DEEPCHROME[30:], None),
        (
            "counts",
            f"{B}\t2\t6\t7\n",
            "1 rows stand twice with identical values and are used once; the first is line 6.",
        ),
        ("sequence csv", "5,acgttttn\n", None),
        ("matrix", f"{B}\t3\t4\n", None),
        ("quantification", f"{B}.2\t950\t2.0\n", None),
        ("expression csv", f"{B},2\n", None),
    ],
)
def test_identical_rows_are_used_once(tmp_path, reader, more, says):
    _, expected = read(tmp_path, reader)
    warnings, found = read(tmp_path, reader, TEXTS[reader] + more)
    assert warnings == [says or f"1 genes stand twice with identical values and are used once: {B}."]
    check_equal(found, expected)


def check_equal(found, expected):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].dtype == values.dtype and np.array_equal(found[name], values), name


@pytest.mark.parametrize("reader", ["histone", "expression"])
def test_identical_rows_of_an_npz_file_are_used_once(tmp_path, reader):
    array = course(expression=[1, 2])
    _, expected = read_npz(tmp_path, reader, array)
    warnings, found = read_npz(tmp_path, reader, np.concatenate([array, array[1:]]))
    assert [sentence.removeprefix(f"{tmp_path}/input.npz (a): ") for sentence in warnings] == [
        f"1 genes stand twice with identical values and are used once: {B}."
    ]
    check_equal(found, expected)


# Warned about: genes of unknown strand


@pytest.mark.parametrize(
    ("reader", "old", "new"),
    [
        ("gtf", "80\t.\t-\t", "80\t.\t.\t"),
        ("gff3", "80\t.\t-\t", "80\t.\t?\t"),
        ("gene_info", "80\t-1\t", "80\t0\t"),
        ("bed", "\t0\t-", "\t0\t."),
        ("table", "80\t-", "80\t."),
        ("table", "80\t-", "80\t"),
    ],
)
def test_genes_of_unknown_strand_are_taken_as_on_the_plus_strand(tmp_path, reader, old, new):
    warnings, found = read(tmp_path, reader, TEXTS[reader].replace(old, new))
    assert warnings == [f"1 genes of unknown strand are taken as on the plus strand: {B}."]
    assert found["gene_id"].tolist() == [A, B] and found["strand"].tolist() == ["+", "."]
    # A table gives the TSS itself, the others the gene, whose start it then is.
    assert found["tss"].tolist() == [20, 79 if reader == "table" else 60]


def test_a_bed_file_without_strands(tmp_path):
    warnings, found = read(tmp_path, "bed", f"chr1\t20\t40\t{A}\nchr1\t60\t80\t{B}\n")
    assert warnings == [f"2 genes of unknown strand are taken as on the plus strand: {A}, {B}."]
    assert found["tss"].tolist() == [20, 60]


def test_files_that_know_no_strands(tmp_path):
    says = ["the strands of the genes are not known: no bins or bases are reversed."]
    for warnings, found in (read(tmp_path, "deepchrome genes"), read_npz(tmp_path, "genes", course())):
        assert warnings == says
        assert found["gene_id"].tolist() == [A, B] and found["strand"].tolist() == [".", "."]


# Warned about: genes without sequence, and sequences without genes


@pytest.mark.parametrize("kind", ["genome.fa", "genome.2bit"])
@pytest.mark.parametrize("tss", [30, -1])
def test_genes_without_sequence(tmp_path, kind, tss):
    genes = [(A, "chr1", 20, "+"), (B, "chr2" if tss > 0 else "chr1", tss, "-")]
    write_parsed_genes(tmp_path / "genes.npz", genes)
    of_assembly(kind, tmp_path / kind)(tmp_path / "genes.npz", tmp_path / "parsed.npz")
    warnings, found = said(tmp_path / "parsed.npz")
    assert warnings == [
        f"1 genes have no sequence, because the genome lacks their chromosome or their place is not known: {B}."
    ]
    assert found["gene_id"].tolist() == [A] and found["values"].shape == (1, WINDOW)


def test_genes_without_sequence_and_sequences_without_genes_in_the_store(tmp_path):
    paths, warnings = make_store(tmp_path, sequence="3,ACGTACGT\n7,ACGTTTTN\n9,ACGTTTTN\n")
    assert warnings == [
        f"1 genes are not among the sequences and are left out: {B}.",
        "2 of the sequences belong to no gene of `genes` and are not used: ENSG00000000007, ENSG00000000009.",
    ]
    store = Store(paths)
    assert store.genes.tolist() == [A]
    assert store.dna.tolist() == [[0, 1, 2, 3] * 2] and store.histone[0].tolist() == [[[0, 1], [2, 3]]]


# Warned about: windows with nothing but zeros


def test_windows_of_zeros(tmp_path):
    paths, warnings = make_store(tmp_path, marks=COUNTS.replace("\t4\t5", "\t0\t0").replace("\t6\t7", "\t0\t0"))
    assert warnings == ["in 2 of 2 cells some genes have only zeros in their window: 1 in a, 1 in b."]
    assert Store(paths).genes.tolist() == [A, B] and not Store(paths).histone[:, 1].any()


@pytest.mark.parametrize("kind", ["bed", "bam"])
def test_a_file_without_a_single_read(tmp_path, kind):
    path = tmp_path / "reads"
    if kind == "bed":
        path.write_text("track name=empty\n")
    else:
        pysam.AlignmentFile(path, "wb", header={"SQ": [{"SN": "chr1", "LN": 100}]}).close()
    read_files([("H3K4me3", path)], tmp_path / "parsed.npz")
    warnings, found = said(tmp_path / "parsed.npz")
    assert warnings == ["not a single read counts; its numbers are all zero."]
    assert found["gene_id"].tolist() == [A, B] and not found["values"].any()


# Warned about: a constant column of expression


def test_a_constant_column_of_expression(tmp_path):
    paths, warnings = make_store(tmp_path, expression=f"gene_id\ta\tb\n{A}\t1\t2\n{B}\t3\t2\n")
    assert warnings == ["the expression of cell b is 2 for all of its 2 genes."]
    assert Store(paths).expression.tolist() == [[1, 3], [2, 2]]


# Warned about: logarithms that are not ln(whole number + 1) within 1e-3


@pytest.mark.parametrize(("off", "odd"), [(0.0, False), (0.9e-3, False), (1.1e-3, True), (0.3, True)])
def test_values_of_an_npz_file_that_are_no_logarithms_of_counts(tmp_path, off, odd):
    array = course()
    array[:, :, 1:] = np.log1p(array[:, :, 1:])
    array[1, 1, 2] += off
    warnings, found = read_npz(tmp_path, "histone", array, "log1p")
    scale = read_parsed(tmp_path / "parsed.npz")[0]["scale"]
    if not odd:
        assert warnings == [] and scale == "counts"
        assert np.array_equal(found["values"], course()[:, :, 1:])
        return
    assert [sentence.removeprefix(f"{tmp_path}/input.npz (a): ") for sentence in warnings] == [
        "1 values are not ln(whole number + 1) within 0.001; the values are kept as they are, as logarithms."
    ]
    assert scale == "log1p" and np.array_equal(found["values"], array[:, :, 1:])


@pytest.mark.parametrize("off", [1.1e-3, 0.3])
def test_values_of_a_count_file_that_are_no_logarithms_of_counts(tmp_path, off):
    text = COUNTS.replace("\t6\t7", f"\t{np.log1p(6):.7g}\t{np.log1p(7) + off:.7g}")
    for count in (1, 2, 3, 4, 5):
        text = text.replace(f"\t2\t{count}\t", f"\t2\t{np.log1p(count):.7g}\t")
    warnings, found = read(tmp_path, "log1p", text)
    assert len(warnings) == 1 and "are not ln(whole number + 1) within 0.001" in warnings[0]
    assert found["values"][1, 1, 1] == pytest.approx(np.log1p(7) + off, rel=1e-6)
