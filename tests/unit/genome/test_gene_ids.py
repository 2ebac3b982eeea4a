import pytest

from wakawaka.genome.gene_ids import id_of_number, number_of_id, plain_id


@pytest.mark.parametrize(
    ("gene_id", "plain"),
    [
        ("ENSG00000223972.5", "ENSG00000223972"),
        ("ENSG00000223972", "ENSG00000223972"),
        ("ENSMUSG00000051951.12", "ENSMUSG00000051951"),
        # The copy on the Y chromosome is another gene than the one on X.
        ("ENSG00000182378.14_PAR_Y", "ENSG00000182378_PAR_Y"),
        # GENCODE's versions of what is mapped back to GRCh37.
        ("ENSG00000223972.5_4", "ENSG00000223972"),
        ("ENSG00000227232.3_2", "ENSG00000227232"),
        ("ENSG00000169100.13_1_PAR_Y", "ENSG00000169100_PAR_Y"),
        ("ENSG00000223972.5_", "ENSG00000223972.5_"),
        # Not Ensembl: a dot may be part of the name.
        ("RP11-34P13.7", "RP11-34P13.7"),
        ("ENSG00000223972.5b", "ENSG00000223972.5b"),
        ("GENE0001", "GENE0001"),
        ("", ""),
    ],
)
def test_plain_id(gene_id, plain):
    assert plain_id(gene_id) == plain
    assert plain_id(plain) == plain


@pytest.mark.parametrize(
    ("number", "gene_id"), [(3, "ENSG00000000003"), (259752.0, "ENSG00000259752"), ("115459", "ENSG00000115459")]
)
def test_id_of_number_and_back(number, gene_id):
    assert id_of_number(number) == gene_id
    assert number_of_id(gene_id) == str(int(number))


@pytest.mark.parametrize("gene_id", ["GENE0001", "ENSMUSG00000051951", "ENSG00000182378_PAR_Y"])
def test_other_ids_have_no_number(gene_id):
    assert number_of_id(gene_id) == gene_id
