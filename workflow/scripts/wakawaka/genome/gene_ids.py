"""Gene identifiers in one spelling for all sources, because the sources are joined by them."""

import re

import numpy as np

# ENSG00000182378.14_PAR_Y is the copy on the Y chromosome, another gene than the one on X. GENCODE's annotations that are mapped
# back to GRCh37 have a second version number: ENSG00000223972.5_4, ENSG00000169100.13_1_PAR_Y.
_VERSIONED = re.compile(r"(ENS[A-Z]*G\d{11})\.\d+(?:_\d+)?(_PAR_Y)?")


def plain_id(gene_id: str) -> str:
    """Return an Ensembl gene id without its version, and any other id unchanged.

    >>> plain_id("ENSG00000223972.5")
    'ENSG00000223972'
    """
    match = _VERSIONED.fullmatch(gene_id)
    return match[1] + (match[2] or "") if match else gene_id


def id_of_number(number: float | str) -> str:
    """Return the human Ensembl gene id with this integer part, by which the course's files name genes.

    >>> id_of_number(3)
    'ENSG00000000003'
    """
    return f"ENSG{int(number):011d}"


def ids_of_numbers(numbers: np.ndarray) -> np.ndarray:
    """Return the human Ensembl gene ids [gene] str with integer parts [gene] int64 below 10^11."""
    digits = numbers[:, None] // 10 ** np.arange(10, -1, -1) % 10
    letters = np.empty((len(numbers), 15), np.uint32)
    letters[:, :4] = [ord(letter) for letter in "ENSG"]
    letters[:, 4:] = digits + ord("0")
    return letters.view("U15")[:, 0]


def number_of_id(gene_id: str) -> str:
    """Return the integer part of a human Ensembl gene id as text, and any other id unchanged.

    >>> number_of_id("ENSG00000115459")
    '115459'
    """
    match = re.fullmatch(r"ENSG(\d{11})", gene_id)
    return str(int(match[1])) if match else gene_id


def gene_name(text: str) -> str:
    """Return the gene id for a field that holds an id or the integer part of a human Ensembl id, zero-padded or not.

    >>> gene_name("000003")
    'ENSG00000000003'
    """
    return id_of_number(text) if re.fullmatch(r"\d{1,11}", text, re.ASCII) else plain_id(text)
