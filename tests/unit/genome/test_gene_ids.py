"""Gene identifiers in one spelling."""

import numpy as np
import pytest

from wakawaka.genome.gene_ids import gene_name, id_of_number, ids_of_numbers, number_of_id, plain_id


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


def test_ids_of_numbers_are_those_of_each():
    numbers = np.array([0, 3, 115459, 99_999_999_999])
    assert ids_of_numbers(numbers).tolist() == [id_of_number(number) for number in numbers]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("000003", "ENSG00000000003"), ("3", "ENSG00000000003"), ("00000000003", "ENSG00000000003"),
        ("ENSG00000000003.15", "ENSG00000000003"), ("000000000003", "000000000003"), ("TP53", "TP53"), ("3.0", "3.0"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "\N{ARABIC-INDIC DIGIT ONE}"),
    ],
)  # fmt: skip
def test_gene_name(text, name):
    assert gene_name(text) == name
