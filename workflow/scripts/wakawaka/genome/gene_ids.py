"""Gene identifiers: one spelling for all sources, because they are joined by it."""

import re

import numpy as np

# ENSG00000182378.14_PAR_Y: the copy on the Y chromosome is another gene than the one on X. GENCODE's annotations that are
# mapped back to GRCh37 count their versions behind that: ENSG00000223972.5_4, ENSG00000169100.13_1_PAR_Y.
_VERSIONED = re.compile(r"(ENS[A-Z]*G\d{11})\.\d+(?:_\d+)?(_PAR_Y)?")


def plain_id(gene_id):
    """Return an Ensembl gene id without its version; any other id as it is.

    >>> plain_id("ENSG00000223972.5")
    'ENSG00000223972'
    """
    match = _VERSIONED.fullmatch(gene_id)
    return match[1] + (match[2] or "") if match else gene_id


def id_of_number(number):
    """Return the human Ensembl gene id of its integer part, by which the course's files name genes.

    >>> id_of_number(3)
    'ENSG00000000003'
    """
    return f"ENSG{int(number):011d}"


def ids_of_numbers(numbers):
    """Return the ids [gene] str that `id_of_number` gives of integer parts [gene] int64 below 10^11, of many at once."""
    digits = numbers[:, None] // 10 ** np.arange(10, -1, -1) % 10
    letters = np.empty((len(numbers), 15), np.uint32)
    letters[:, :4] = [ord(letter) for letter in "ENSG"]
    letters[:, 4:] = digits + ord("0")
    return letters.view("U15")[:, 0]


def number_of_id(gene_id):
    """Return the integer part of a human Ensembl gene id as a text, and any other id as it is.

    >>> number_of_id("ENSG00000115459")
    '115459'
    """
    match = re.fullmatch(r"ENSG(\d{11})", gene_id)
    return str(int(match[1])) if match else gene_id


def gene_name(text):
    """Return a gene id of a file that may name genes by the integer part of their human Ensembl id, zero-padded or not.

    >>> gene_name("000003")
    'ENSG00000000003'
    """
    return id_of_number(text) if re.fullmatch(r"\d{1,11}", text, re.ASCII) else plain_id(text)
