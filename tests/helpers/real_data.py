"""The real data next to the project; tests that need it are skipped without it."""

import gzip
from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "shared" / "data"


def real(name):
    """Return the path of a file or folder of the real data; the test is skipped where there is none."""
    if not DATA.is_dir():
        pytest.skip("the real data is not next to the project (../shared/data)")
    return DATA / name


def start_codons():
    """Genes (id, chromosome, 0-based TSS, strand) whose TSS is the first base of a start codon.

    It is in the first 1 Mb of chr1 and is not spliced.
    """
    genes = []
    gtf = gzip.decompress(real("dna/gencode_v29_hg38_chr1_0-1.5Mb.gtf.gz").read_bytes()).decode()
    for line in gtf.splitlines():
        fields = line.split("\t")
        if len(fields) == 9 and fields[2] == "start_codon":
            start, end, strand = int(fields[3]), int(fields[4]), fields[6]
            if end - start == 2 and end <= 1_000_000:
                genes.append((f"G{len(genes)}", fields[0], end - 1 if strand == "-" else start - 1, strand))
    return genes
