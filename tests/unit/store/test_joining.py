"""Genes that all sources have are joined; what is left out is counted, and sources that do not fit are refused."""

import numpy as np
import pytest

from helpers.parsed_sources import WINDOW, build, warned, write_expression, write_genes, write_histone
from wakawaka.core.errors import InputError
from wakawaka.core.files import sha256
from wakawaka.genome.dna import decode, encode
from wakawaka.sources.expression.read_matrix import read_matrix
from wakawaka.sources.genes.read_gtf import read_gtf
from wakawaka.sources.histone.read_counts import read_counts
from wakawaka.sources.parsed import write_parsed
from wakawaka.sources.sequence.read_sequence_csv import read_sequence_csv
from wakawaka.store.joining import RowFinder, rows_of, start_checksums


def test_versioned_ids_meet_plain_ones(tmp_path):
    (tmp_path / "genes.gtf").write_text('1\tex\tgene\t5\t9\t.\t+\t.\tgene_id "ENSG00000000003.14";\n')
    (tmp_path / "a.tsv").write_text("gene_id\tbin\tm\nENSG00000000003\t1\t7\n")
    (tmp_path / "x.csv").write_text("3,ACGTACGT\n")
    (tmp_path / "expression.tsv").write_text("gene_id\ta\nENSG00000000003.9\t1.5\n")
    read_gtf(tmp_path / "genes.gtf", tmp_path / "genes.npz", tss="first", biotypes=None)
    read_counts(tmp_path / "a.tsv", tmp_path / "a.npz", marks=["m"], bins=1, scale="counts", order="genomic")
    read_sequence_csv(tmp_path / "x.csv", tmp_path / "sequence.npz", window=WINDOW, order="genomic")
    read_matrix(tmp_path / "expression.tsv", tmp_path / "expression.npz", cells=["a"])
    store = build(tmp_path, ["a"], ["a.npz"], tmp_path / "sequence.npz", marks=["m"], bins=1)
    assert store.genes.tolist() == ["ENSG00000000003"]
    assert store.histone.tolist() == [[[[7]]]] and store.expression.tolist() == [[1.5]]


def test_genes_that_some_source_lacks_are_left_out_and_counted(tmp_path):
    write_genes(tmp_path, ["A", "B", "C", "D", "E"])
    write_histone(tmp_path, "a.npz", ["F", "D", "C", "B", "E"], np.arange(1, 6, dtype=np.uint16).reshape(5, 1, 1))
    write_histone(tmp_path, "b.npz", ["B", "C", "D", "E"], np.arange(6, 10, dtype=np.uint16).reshape(4, 1, 1))
    codes = np.stack([encode(letter * 8) for letter in "ACGT"])
    write_parsed(
        tmp_path / "sequence.npz", [], about={"order": "genomic"}, gene_id=np.array(["C", "A", "G", "B"]), values=codes
    )
    write_expression(tmp_path, ["X", "C"], ["a", "b"], [[1, 2], [3, 4]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], tmp_path / "sequence.npz", marks=["m"], bins=1)
    assert store.genes.tolist() == ["B", "C"]
    assert store.histone[:, :, 0, 0].tolist() == [[4, 3], [6, 7]]
    assert [decode(row) for row in store.dna] == ["T" * 8, "A" * 8]
    assert np.array_equal(store.expression, [[np.nan, 2], [np.nan, 4]], equal_nan=True)
    assert warned(tmp_path) == [
        "1 genes lack histone marks in some cell and are left out: F (F lacks them in b).",
        "2 genes are not among the sequences and are left out: D, E.",
        "1 of the sequences belong to no gene of `genes` and are not used: G.",
        "1 genes are not among the histone marks and are left out: A.",
        "1 genes without expression are predicted, but neither trained on nor scored: B.",
    ]


@pytest.mark.parametrize(
    ("genes", "marked", "sequenced", "expressed", "says"),
    [
        ("A", "B", "A", "A", "no gene of `genes` (A) is among the histone marks (B): check that both files name genes by"),
        ("A", "A", "B", "A", "no gene of `genes` (A) is among the sequences (B): check that both files name genes by"),
        ("AB", "A", "B", "A", "no gene is in all of the sources at once (the genes, the sequences, the histone marks); check"),
        ("A", "A", "A", "B", "no gene of the store (A) has an expression value in any cell; the expression table names genes like B"),
    ],
)  # fmt: skip
def test_sources_without_a_common_gene_are_refused(tmp_path, genes, marked, sequenced, expressed, says):
    write_genes(tmp_path, list(genes))
    write_histone(tmp_path, "a.npz", list(marked), np.ones((1, 1, 1), np.uint16))
    write_parsed(
        tmp_path / "sequence.npz",
        [],
        about={"order": "genomic"},
        gene_id=np.array(list(sequenced)),
        values=encode("AC")[None],
    )
    write_expression(tmp_path, list(expressed), ["a"], [[1]])
    with pytest.raises(InputError) as caught:
        build(tmp_path, ["a"], ["a.npz"], tmp_path / "sequence.npz", marks=["m"], bins=1)
    assert str(caught.value).startswith(says)


def assemblies(folder, name, **entry):
    about = {"scale": "counts", "order": "genomic", "assemblies": [{"path": name, **entry}]}
    write_parsed(folder / name, [], about=about, gene_id=np.array(["A"]), values=np.ones((1, 1, 1), np.uint16))


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ({"lengths": {"1": 249250621}}, {"lengths": {"1": 248956422}}, "b.npz: 1 has 248,956,422 bp here, but 249,250,621 bp in a.npz"),
        ({"reach": {"1": 249000000}}, {"lengths": {"1": 248956422}}, "a.npz: this file goes on to 1:249,000,000, but 1 ends at"),
        ({"lengths": {"1": 9}}, {"lengths": {"2": 9}}, None),
        ({"reach": {"1": 9}}, {"lengths": {"1": 9}}, None),
    ],
)  # fmt: skip
def test_mixed_assemblies_are_refused(tmp_path, first, second, says):
    write_genes(tmp_path, ["A"])
    assemblies(tmp_path, "a.npz", **first)
    assemblies(tmp_path, "b.npz", **second)
    write_expression(tmp_path, ["A"], ["a", "b"], [[1], [2]])
    if says is None:
        build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
        return
    with pytest.raises(InputError) as caught:
        build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert str(caught.value).startswith(says)


def test_rows_are_found_by_id():
    wanted = np.array(["b", "a"])
    assert rows_of(wanted, np.array(["a", "c", "b"])).tolist() == [2, 0]
    finder = RowFinder(wanted)
    for ids, rows in ((["a", "b"], [1, 0]), (["a", "b"], [1, 0]), (["x", "b", "a"], [1, 2])):
        assert finder.rows(np.array(ids)).tolist() == rows


def test_every_source_file_is_named_once_with_its_checksum(tmp_path):
    for name in "xy":
        (tmp_path / name).write_text(name)
    x, y = (str(tmp_path / name) for name in "xy")
    abouts = [{"sources": [{"path": x}, {"path": y, "sha256": "known"}]}, {"sources": [{"path": x}]}]
    assert start_checksums(abouts)() == [{"path": x, "sha256": sha256(x)}, {"path": y, "sha256": "known"}]
    with pytest.raises(InputError, match="gone: the file does not exist"):
        start_checksums([{"sources": [{"path": str(tmp_path / "gone")}]}])()
