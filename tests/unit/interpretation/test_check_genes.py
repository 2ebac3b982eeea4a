import pytest

from helpers.stores import write_store
from wakawaka.core.errors import InputError
from wakawaka.core.files import read_table
from wakawaka.interpretation.check_genes import check_genes


@pytest.fixture
def store(tmp_path):
    return write_store(tmp_path, genes=["ENSG00000000003", "ENSG00000000005"])


def test_named_genes_are_looked_up(store, tmp_path):
    check_genes(store, tmp_path / "found.tsv", genes=["best", "ENSG00000000003.15"])
    assert read_table(tmp_path / "found.tsv").values.tolist() == [["ENSG00000000003.15", "ENSG00000000003"]]


def test_best_alone_names_no_gene(store, tmp_path):
    check_genes(store, tmp_path / "found.tsv", genes=["best"])
    assert (tmp_path / "found.tsv").read_text() == "name\tgene_id\n"


def test_an_unknown_gene_is_refused(store, tmp_path):
    with pytest.raises(InputError, match="config key `interpret.genes` names NOSUCH, not among the genes of the store"):
        check_genes(store, tmp_path / "none.tsv", genes=["ENSG00000000003", "NOSUCH"])
    assert not (tmp_path / "none.tsv").exists()
