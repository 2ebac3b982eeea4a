"""Small files of the formats that tests write and read again and again, and what they hold."""

import hypothesis.strategies as st
import numpy as np
import pyBigWig
import pysam

from wakawaka.sources.histone.read_mark import read_mark
from wakawaka.sources.histone.stack_marks import stack_marks
from wakawaka.sources.parsed import write_parsed


def write_parsed_genes(path, genes):
    """Write the parsed genes of tuples (id, chromosome, 0-based TSS, strand); return its path."""
    gene_id, chrom, tss, strand = (np.array(column) for column in zip(*genes, strict=True))
    group = np.full(len(genes), "")
    write_parsed(path, [], gene_id=gene_id, chrom=chrom, tss=tss.astype(np.int64), strand=strand, group=group)
    return path


def read_cell(files, genes, parsed, *, marks=None, scale="counts", **options):
    """Read [(mark, path), ...] as the files of one cell of a sample sheet, mark by mark, into the parsed histone marks."""
    marks = marks or list(dict.fromkeys(mark for mark, _ in files))
    options = {"strand_aware": True, "counting": "overlap", "min_mapq": 0, "duplicates": "flagged", **options}
    parsed_files = [parsed.with_name(f"{mark}.npz") for mark in marks]
    for mark, path in zip(marks, parsed_files, strict=True):
        paths = [file for name, file in files if name == mark]
        read_mark(paths, genes, path, mark=mark, scale=scale, **options)
    stack_marks(parsed_files, parsed, marks=marks, scale=scale)


def gene_places(parsed):
    """Return a dict from gene id to [chromosome, 0-based TSS, strand] of the arrays of a parsed genes."""
    columns = (parsed[name].tolist() for name in ("gene_id", "chrom", "tss", "strand"))
    return {gene_id: place for gene_id, *place in zip(*columns, strict=True)}


@st.composite
def genomes(draw, letters):
    """Draw (dict of the records' letters, genes as tuples like those of `write_parsed_genes`)."""
    records = draw(st.lists(st.text(letters, min_size=1, max_size=40), min_size=1, max_size=3))
    records = dict(zip(["chr1", "2", "X"], records, strict=False))
    chroms = draw(st.lists(st.sampled_from(list(records)), min_size=1, max_size=6))
    tss = [draw(st.integers(0, len(records[chrom]) - 1)) for chrom in chroms]
    return records, [(f"G{row}", chrom, tss[row], draw(st.sampled_from("+-."))) for row, chrom in enumerate(chroms)]


def write_alignments(path, lengths, reads, form="b"):
    """Write a BAM, or with the form `c` a CRAM without reference; return its path.

    `lengths` is a dict of the chromosomes, `reads` are tuples (chromosome, start, end, mapping quality, strand).
    """
    header = {"SQ": [{"SN": name, "LN": length} for name, length in lengths.items()]}
    options = [b"no_ref=1"] if form == "c" else None
    with pysam.AlignmentFile(path, "w" + form, header=header, format_options=options) as file:
        for number, (chrom, start, end, quality, strand) in enumerate(reads):
            record = pysam.AlignedSegment(file.header)
            record.query_name, record.flag, record.mapping_quality = f"r{number}", 16 if strand == "-" else 0, quality
            record.reference_name, record.reference_start, record.cigarstring = chrom, start, f"{end - start}M"
            file.write(record)
    return path


def write_bigwig(path, lengths, entries):
    """Write (chromosome, start, end, value) in their order; return the path."""
    with pyBigWig.open(str(path), "w") as file:
        file.addHeader(list(lengths.items()))
        if entries:
            chrom, start, end, value = map(list, zip(*entries, strict=True))
            file.addEntries(chrom, start, ends=end, values=[float(number) for number in value])
    return path
