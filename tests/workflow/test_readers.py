"""Every reader, reached by a config file: the example's data in other forms give the store that its own files give."""

import gzip
import json
import os
import re
import shutil
import struct
from typing import NamedTuple

import numpy as np
import pandas as pd
import pysam
import pytest
import yaml

from helpers.project import QUICK, Project, scores_of

RAW = "resources/raw_example.yaml"
COLUMNS = ["gene_id", "chrom", "start", "end", "strand"]
STORE = "results/store"
NO_WARNINGS = ["Nothing odd was met."]


class Truth(NamedTuple):
    """What the finished example holds, for some of its cells.

    Genes are called by Ensembl ids, of which DeepChrome's files have the number. Marks [cell, gene, bin, mark] and DNA [gene, base] are
    those of the store, so minus-strand genes are turned round; `expression` [gene, cell] are the texts of its file.
    """

    cells: list
    marks: list
    genes: pd.DataFrame
    histone: np.ndarray
    dna: np.ndarray
    expression: pd.DataFrame
    genome: dict

    def genomic(self, cell):
        """Return the marks [gene, bin, mark] of a cell with bin 0 leftmost on the chromosome for every gene."""
        values = self.histone[self.cells.index(cell)].copy()
        minus = self.genes["strand"] == "-"
        values[minus] = values[minus, ::-1]
        return values


@pytest.fixture
def truth(example):
    info = json.loads((example / STORE / "store.json").read_text())
    cells, marks = read(example / STORE / "cells.tsv")["cell"].tolist(), info["marks"]
    genes = gene_places(example)
    expression = read(example / "results/example/expression.tsv").set_index("gene_id").loc[genes["gene_id"]]
    genes["gene_id"] = expression.index = "ENSG0000000" + genes["gene_id"].str.removeprefix("GENE")
    histone, dna = (np.load(example / STORE / name) for name in ("histone.npy", "dna.npy"))
    genome = letters_of(example / "results/example/genome.fa")
    return Truth(cells, marks, genes, histone, dna, expression, genome)


def read(path, **options):
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, **options)


def gene_places(folder):
    """Return the genes of a store made of the example's annotation: gene_id, chrom, tss (0-based), strand."""
    genes = read(folder / STORE / "genes.tsv").astype({"tss": int})
    lines = read(folder / "results/example/genes.gtf", header=None, comment="#")
    lines = lines[lines[2] == "gene"]
    strand = dict(zip(lines[8].str.extract('gene_id "([^"]+)"')[0], lines[6], strict=True))
    return genes.assign(strand=genes["gene_id"].map(strand))


def letters_of(path):
    """Return the letters of every record of a FASTA file."""
    records = (record.split("\n", 1) for record in path.read_text().split(">")[1:])
    return {name: letters.replace("\n", "") for name, letters in records}


def run(project, cells, held_out=(), modules=("histone", "dna"), **sources):
    """Build the store of a configuration in which no file is the example's."""
    config = {
        "modules": list(modules),
        "cells": {"train": cells, "held_out": list(held_out)},
        "held_out_genes": [],
        "folds": {"hold_out": "genes", "number": 2},
        **sources,
    }
    (project / "my.yaml").write_text(yaml.safe_dump(config))
    project.snakemake("--until", "build_store", configfile="my.yaml")


def warned(project):
    return read(project / STORE / "warnings.tsv")["warning"].tolist()


def check_store(project, truth, dna=True, expression=True):
    """Compare a store with the truth to the bit, joined by cells, genes and marks."""
    stored = read(project / STORE / "genes.tsv")["gene_id"].tolist()
    assert sorted(stored) == sorted(truth.genes["gene_id"])
    genes = [truth.genes["gene_id"].tolist().index(gene) for gene in stored]
    cells = [truth.cells.index(cell) for cell in read(project / STORE / "cells.tsv")["cell"]]
    info = json.loads((project / STORE / "store.json").read_text())
    marks = [truth.marks.index(mark) for mark in info["marks"]]
    histone = np.load(project / STORE / "histone.npy")
    assert info["scale"] == "counts" and histone.dtype == truth.histone.dtype
    assert np.array_equal(histone, truth.histone[np.ix_(cells, genes, range(histone.shape[2]), marks)])
    if dna:
        found = np.load(project / STORE / "dna.npy")
        assert found.dtype == truth.dna.dtype and np.array_equal(found, truth.dna[genes])
    if expression:
        known = truth.expression.iloc[genes][[truth.cells[cell] for cell in cells]].to_numpy(np.float64).T
        assert np.array_equal(np.load(project / STORE / "expression.npy"), known.astype(np.float32), equal_nan=True)


def spans(truth, size=500):
    """Return start (0-based) and end [gene] of genes of a size, which begin at their TSSs."""
    minus, tss = truth.genes["strand"] == "-", truth.genes["tss"]
    return np.where(minus, tss + 1 - size, tss), np.where(minus, tss + 1, tss + size)


def write_gene_info(path, truth):
    """Roadmap's table: chromosomes without chr, positions from 1, and a gene of another biotype."""
    start, end = spans(truth)
    columns = {
        "id": truth.genes["gene_id"] + ".3",
        "chrom": truth.genes["chrom"].str.removeprefix("chr"),
        "start": start + 1,
        "end": end,
        "strand": np.where(truth.genes["strand"] == "-", -1, 1),
    }
    table = pd.DataFrame(columns).assign(biotype="protein_coding", symbol="X", description="a 'gene'; \"made up\"")
    table.loc[len(table)] = ["ENSG00000099999", "1", 5000, 6000, 1, "lincRNA", "X", ""]
    table.to_csv(path, sep="\t", header=False, index=False, quoting=3)


def write_bed(path, truth, extra):
    start, end = spans(truth)
    columns = [truth.genes["chrom"], start, end, truth.genes["gene_id"], 0, truth.genes["strand"]]
    table = pd.DataFrame(dict(enumerate(columns)))
    path.write_text(table.to_csv(sep="\t", header=False, index=False) + extra)


def write_gff3(path, truth):
    """Genes whose canonical and longest transcript starts 60 bp downstream of another: their TSS is only found by `tss: first`."""
    start, end = spans(truth)
    lines = ["##gff-version 3"]
    for gene, first, last in zip(truth.genes.itertuples(), start + 1, end, strict=True):
        inside = (first, last - 60) if gene.strand == "-" else (first + 60, last)
        place = "{0.chrom}\ttest\t{1}\t{2}\t{3}\t.\t{0.strand}\t.\t{4}"
        lines.append(place.format(gene, "gene", first, last, f"ID=gene:{gene.gene_id};biotype=protein_coding"))
        about = f"ID=transcript:T{gene.Index};Parent=gene:{gene.gene_id};tag=basic,Ensembl_canonical"
        lines.append(place.format(gene, "mRNA", *inside, about))
        lines.append(place.format(gene, "exon", *inside, f"Parent=transcript:T{gene.Index}"))
        short = (last - 80, last) if gene.strand == "-" else (first, first + 80)
        lines.append(place.format(gene, "mRNA", *short, f"ID=transcript:S{gene.Index};Parent=gene:{gene.gene_id}"))
    path.write_bytes(gzip.compress("\n".join(lines).encode()))


def write_deepchrome(folder, truth, cell, values, marks, labels=None):
    """Write train.csv, plain, and test.csv.gz with the genes' bins in `values` [gene, bin, mark]; DeepDiff's without labels."""
    folder.mkdir()
    values = values[:, :, [truth.marks.index(mark) for mark in marks]]
    lines = []
    for row, gene in enumerate(truth.genes["gene_id"]):
        number = f"{int(gene.removeprefix('ENSG')):06d}"
        for place, counts in enumerate(values[row].tolist(), start=1):
            counts = ",".join(map(str, counts))
            lines.append(
                f"{number}_{place},{counts}\n" if labels is None else f"{number},{place},{counts},{labels[row]}\n"
            )
    half = len(values) // 2 * values.shape[1]
    (folder / "train.csv").write_text("".join(lines[half:]))
    (folder / "test.csv.gz").write_bytes(gzip.compress("".join(lines[:half]).encode()))


def write_2bit(path, genome):
    """Write the genome's records by https://genome.ucsc.edu/FAQ/FAQformat.html#format7."""
    index, bodies, offset = b"", b"", 16 + sum(5 + len(name) for name in genome)
    for name, letters in genome.items():
        raw, upper = (np.frombuffer(text.encode(), np.uint8) for text in (letters, letters.upper()))
        head = [len(raw)]
        for flags in (upper == ord("N"), raw != upper):
            edges = np.flatnonzero(np.diff(flags.astype(int), prepend=0, append=0))
            head += [len(edges) // 2, *edges[::2], *(edges[1::2] - edges[::2])]
        codes = np.zeros(-(-len(raw) // 4) * 4, np.uint8)
        for code, base in enumerate(b"TCAG"):
            codes[: len(raw)][upper == base] = code
        packed = (codes.reshape(-1, 4) << np.array([6, 4, 2, 0], np.uint8)).sum(axis=1).astype(np.uint8)
        index += struct.pack("<B", len(name)) + name.encode() + struct.pack("<I", offset + len(bodies))
        bodies += struct.pack(f"<{len(head) + 1}I", *head, 0) + packed.tobytes()
    path.write_bytes(struct.pack("<4I", 0x1A412743, 0, len(genome), 0) + index + bodies)


def write_feature_counts(path, truth):
    """Write the expression in the columns of featureCounts, whose header names the BAM files; the cells in another order."""
    table = truth.expression[truth.cells[::-1]].rename(columns=lambda cell: f"bam/{cell}.bam")
    table.insert(0, "Length", "1000")
    table.index.name = "Geneid"
    head = '# Program:featureCounts v2.0.6; Command:"featureCounts" "-a" "genes.gtf" "-o" "counts.txt"\n'
    path.write_text(head + table.to_csv(sep="\t"))


def some_cells(truth, count):
    return truth._replace(cells=truth.cells[:count], histone=truth.histone[:count])


def test_deepchrome_counts_with_a_gene_info_a_2bit_genome_and_a_table_of_feature_counts(project, truth):
    truth = some_cells(truth, 2)
    mine = project / "mine"
    mine.mkdir()
    write_gene_info(mine / "gene_info", truth)
    for cell in truth.cells:
        label = np.arange(len(truth.genes)) % 2
        write_deepchrome(mine / cell, truth, cell, truth.genomic(cell), truth.marks, label)
    write_2bit(mine / "genome.2bit", truth.genome)
    write_feature_counts(mine / "counts.txt", truth)
    run(
        project,
        truth.cells,
        genes={"reader": "gene_info", "path": "mine/gene_info", "biotypes": ["protein_coding"]},
        histone={"reader": "deepchrome", "path": ["mine/{cell}/train.csv", "mine/{cell}/test.csv.gz"]},
        sequence={"reader": "2bit", "path": "mine/genome.2bit"},
        expression={
            "path": "mine/counts.txt",
            "columns": {"gene_id": "Geneid"},
            "names": {cell: f"bam/{cell}.bam" for cell in truth.cells},
        },
    )
    check_store(project, truth)
    assert warned(project) == NO_WARNINGS


def test_deepdiff_counts_with_a_bed_file_a_bgzipped_genome_and_its_own_expression_and_what_is_odd_in_them(
    project, truth
):
    truth = some_cells(truth, 3)
    mine = project / "mine"
    mine.mkdir()
    # A gene on a chromosome that the genome lacks.
    write_bed(mine / "genes.bed", truth, extra="chr9\t700\t900\tENSG00000099999\t0\t+\n")
    marks = ["H3K4me1", "H3K4me3", "H3K9me3", "H3K27me3", "H3K36me3"]
    for row, cell in enumerate(truth.cells):
        write_deepchrome(mine / cell, truth, cell, truth.histone[row], marks)
    (mine / "genome.fa").write_text("".join(f">{name}\n{letters}\n" for name, letters in truth.genome.items()))
    pysam.tabix_compress(str(mine / "genome.fa"), str(mine / "genome.fa.gz"))
    # The last cell has no expression; of the first one two genes stand there twice.
    for cell in truth.cells[:2]:
        values = truth.expression[cell]
        lines = [f"{gene.removeprefix('ENSG00000')},{value}\n" for gene, value in values.items()]
        (mine / cell / "expr.csv").write_text("".join(lines + (lines[:2] if cell == truth.cells[0] else [])))
    run(
        project,
        truth.cells[:2],
        truth.cells[2:],
        genes={"reader": "bed", "path": "mine/genes.bed"},
        histone={
            "reader": "deepchrome",
            "path": ["mine/{cell}/train.csv", "mine/{cell}/test.csv.gz"],
            "marks": marks,
            "bin_order": "transcript",
        },
        sequence={"path": "mine/genome.fa.gz"},
        expression={"reader": "csv", "path": "mine/{cell}/expr.csv", "missing": truth.cells[2:]},
    )
    truth.expression[truth.cells[2]] = "nan"
    check_store(project, truth)
    twice = ", ".join(truth.genes["gene_id"][:2])
    assert warned(project) == [
        "mine/genome.fa.gz: 1 genes have no sequence, because the genome lacks their chromosome or their place is not known: "
        "ENSG00000099999.",
        f"mine/{truth.cells[0]}/expr.csv: 2 genes stand twice with identical values and are used once: {twice}.",
        "1 genes are not among the sequences and are left out: ENSG00000099999.",
        "1 genes are not among the histone marks and are left out: ENSG00000099999.",
        f"1 cells without expression are predicted, but neither trained on nor scored: {truth.cells[2]}.",
    ]


def draw_reads(truth, cell, mark, rng):
    """Return reads whose 5' ends lie in the bins that they count in: chromosome, start, end (0-based, half open), reversed.

    They lie at the edges of their bins, so that most of a read is in the next one.
    """
    counts = truth.genomic(cell)[:, :, truth.marks.index(mark)].astype(int)
    size = truth.dna.shape[1] // counts.shape[1]
    minus = (truth.genes["strand"] == "-").to_numpy()
    first = truth.genes["tss"].to_numpy() - truth.dna.shape[1] // 2 + minus
    first = np.repeat((first[:, None] + size * np.arange(counts.shape[1])).ravel(), counts.ravel())
    chrom = np.repeat(truth.genes["chrom"].to_numpy(str), counts.sum(axis=1))
    length = np.array([len(truth.genome[name]) for name in chrom])
    reverse = rng.random(len(first)) < 0.5
    # Of a bin over the end of its chromosome there is a part to lie in, and reads end where the chromosome does.
    start = np.where(reverse, np.maximum(first, 0) - 35, np.minimum(first + size, length) - 1)
    end = np.minimum(start + 36, length)
    return pd.DataFrame({"chrom": chrom, "start": np.maximum(start, 0), "end": end, "reverse": reverse})


def write_tag_align(path, reads):
    strand = np.where(reads["reverse"], "-", "+")
    reads = reads[["chrom", "start", "end"]].assign(name="N", score=30, strand=strand)
    text = reads.to_csv(sep="\t", header=False, index=False)
    path.write_bytes(gzip.compress(text.encode(), 1) if path.suffix == ".gz" else text.encode())


def write_alignments(path, reads, genome):
    """Write reads as BAM, or CRAM by the suffix, with a few of low mapping quality and a few flagged duplicates among them."""
    header = {"SQ": [{"SN": name, "LN": len(letters)} for name, letters in genome.items()]}
    cram = path.suffix == ".cram"
    reads = reads.assign(flag=16 * reads["reverse"], quality=30)
    reads = pd.concat([reads, reads[:50].assign(quality=9), reads[50:100].assign(flag=1024)])
    reads = reads.sort_values(["chrom", "start"])
    with pysam.AlignmentFile(path, "wc" if cram else "wb", header=header, format_options=[b"no_ref=1"] * cram) as file:
        for number, read in enumerate(reads.itertuples()):
            line = pysam.AlignedSegment(file.header)
            line.query_name, line.flag, line.mapping_quality = f"r{number}", read.flag, read.quality
            line.reference_name, line.reference_start = read.chrom, read.start
            line.cigarstring = f"{read.end - read.start}M"
            file.write(line)


def write_reads(folder, truth):
    """Write every mark of every cell in another form; return the rows of a sample sheet."""
    forms = [["tagAlign.gz"], ["bam"], ["cram"], ["bed"], ["bam", "tagAlign.gz"]]
    rng, rows = np.random.default_rng(3), []
    for row, cell in enumerate(truth.cells):
        for column, mark in enumerate(truth.marks):
            reads = draw_reads(truth, cell, mark, rng)
            suffixes = forms[(row + column) % len(forms)]
            for number, suffix in enumerate(suffixes):
                path = folder / f"{cell}-{mark}-{number}.{suffix}"
                share = reads.sample(frac=1, random_state=1)[number :: len(suffixes)]
                if path.suffix in (".bam", ".cram"):
                    write_alignments(path, share, truth.genome)
                else:
                    write_tag_align(path, share)
                rows.append((mark, f"mine/{path.name}", cell, "another column"))
    return rows


def write_quantification(path, truth, cell):
    columns = {"Length": 1000, "EffectiveLength": 800.5, "TPM": truth.expression[cell], "NumReads": 5}
    pd.DataFrame(columns).rename_axis("Name").to_csv(path, sep="\t")


def genes_apart(truth):
    """Leave out the second gene of each pair with overlapping windows: in the example their counts are drawn each by itself."""
    genes = truth.genes.sort_values(["chrom", "tss"])
    near = (genes["chrom"] == genes["chrom"].shift()) & (genes["tss"].diff() <= truth.dna.shape[1])
    rows = np.setdiff1d(genes.index, genes.index[near])
    genes = truth.genes.iloc[rows].reset_index(drop=True)
    values = {"histone": truth.histone[:, rows], "dna": truth.dna[rows], "expression": truth.expression.iloc[rows]}
    return truth._replace(genes=genes, **values)


def test_reads_with_a_gff3_a_gzipped_genome_and_quantifications(project, truth):
    truth = genes_apart(some_cells(truth, 2))
    assert len(truth.genes) == 79
    mine = project / "mine"
    mine.mkdir()
    write_gff3(mine / "genes.gff3", truth)
    sheet = pd.DataFrame(write_reads(mine, truth), columns=["mark", "path", "cell", "remark"])
    sheet.to_csv(mine / "sheet.tsv", sep="\t", index=False)
    genome = "".join(f">{name} a chromosome\n{letters}\n" for name, letters in truth.genome.items())
    (mine / "genome.fa.gz").write_bytes(gzip.compress(genome.encode()))
    for cell in truth.cells:
        write_quantification(mine / f"{cell}.sf", truth, cell)
    run(
        project,
        truth.cells,
        genes={"reader": "gtf", "path": "mine/genes.gff3", "tss": "first"},
        histone={"reader": "sample_sheet", "path": "mine/sheet.tsv", "counting": "five_prime", "min_mapq": 10},
        sequence={"path": "mine/genome.fa.gz"},
        expression={
            "reader": "quantification",
            "path": "mine/{cell}.sf",
            "columns": {"gene_id": "Name", "value": "TPM"},
        },
    )
    check_store(project, truth)
    assert warned(project) == NO_WARNINGS
    info = json.loads((project / STORE / "store.json").read_text())
    assert info["counting"] == {"rule": "five_prime", "min_mapq": 10, "duplicates": "flagged"}
    sums = truth.histone.sum(axis=(1, 2))
    assert info["depth"] == {
        cell: dict(zip(truth.marks, sums[row].tolist(), strict=True)) for row, cell in enumerate(truth.cells)
    }


def test_genes_marks_and_labels_of_the_same_deepchrome_files(project, truth):
    truth = some_cells(truth, 2)
    (project / "mine").mkdir()
    values = truth.expression[truth.cells].astype(float)
    labels = (values > values.median()).astype(int)
    for row, cell in enumerate(truth.cells):
        write_deepchrome(project / "mine" / cell, truth, cell, truth.histone[row], truth.marks, labels[cell].tolist())
    source = {"reader": "deepchrome", "path": ["mine/{cell}/train.csv", "mine/{cell}/test.csv.gz"]}
    # Nobody knows the strands, so that nothing is turned round.
    run(
        project,
        truth.cells,
        modules=["histone"],
        genes=source,
        histone=source,
        expression=source | {"target": "label"},
    )
    check_store(project, truth._replace(expression=labels), dna=False)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """A copy in which the raw example has run from its alignments to the report."""
    project = Project.fresh(tmp_path_factory.mktemp("raw"))
    project.snakemake(configfile=[RAW, QUICK])
    project.snakemake("--report", "results/report.html", configfile=[RAW, QUICK])
    return project


def test_the_raw_example_gives_the_counts_that_its_reads_are_made_of(raw):
    assert warned(raw) == NO_WARNINGS
    genes, info = gene_places(raw), json.loads((raw / STORE / "store.json").read_text())
    assert set(genes["chrom"]) == {"chr1"} and set(genes["strand"]) == {"+", "-"}
    lines = read(raw / "results/example/genes.gtf", header=None, comment="#")
    assert len(genes) == ((lines[0] == "chr1") & (lines[2] == "gene")).sum() > 30
    cells = read(raw / STORE / "cells.tsv")["cell"].tolist()
    # Some of the marks are tracks, so that the numbers are floats.
    histone = np.load(raw / STORE / "histone.npy")
    assert info["scale"] == "counts" and histone.dtype == np.float32 and histone.shape[0] == len(cells) == 8
    for row, cell in enumerate(cells):
        table = read(raw / f"results/example/counts/{cell}.tsv.gz").astype({"bin": int}).set_index(["gene_id", "bin"])
        counts = table.sort_index()[info["marks"]].astype(int)
        for values, gene in zip(histone[row], genes.itertuples(), strict=True):
            expected = counts.loc[gene.gene_id].to_numpy()
            assert np.array_equal(values, expected[::-1] if gene.strand == "-" else expected), (cell, gene.gene_id)
    check_windows(np.load(raw / STORE / "dna.npy"), genes, letters_of(raw / "results/example/genome.fa")["chr1"])
    expression = read(raw / "results/example/expression.tsv").set_index("gene_id").loc[genes["gene_id"], cells]
    tpm = np.vectorize(lambda text: float(f"{2.0 ** float(text):.6g}"))(expression.to_numpy(str)).T
    assert np.array_equal(np.load(raw / STORE / "expression.npy"), tpm.astype(np.float32))


def test_the_raw_example_runs_from_alignments_to_the_report(raw):
    chosen = scores_of(raw, set="test", run="final", predictor="wakawaka", metric="pearson")
    assert set(chosen["regime"]) == {"unseen_cell", "unseen_gene", "both_unseen", "pool"}
    # Marks and a motif are planted: a model that reads them is far from a constant. Its r was 0.83 and more.
    assert (chosen["value"] > 0.5).all()
    report = (raw / "results/report.html").read_text()
    assert report.count(NO_WARNINGS[0]) >= 2


def test_every_mark_of_a_cell_is_a_job_of_its_own(raw):
    rows = read(raw / "resources/raw_example.tsv")
    jobs = {str(path.relative_to(raw / "results/read_mark")) for path in (raw / "results/read_mark").rglob("*.npz")}
    assert jobs == {f"{row.cell}/{row.mark}.npz" for row in rows.itertuples()} and len(jobs) > 5
    path = raw / rows["path"][0]
    content, time = path.read_bytes(), path.stat()
    path.write_bytes(content + b"\n")
    planned = raw.planned(f"results/stack_marks/{rows['cell'][0]}.npz", configfile=RAW)
    path.write_bytes(content)
    os.utime(path, ns=(time.st_atime_ns, time.st_mtime_ns))
    assert planned == {"read_mark": 1, "stack_marks": 1}


def assert_alike(some, others):
    """The last rows of a product of matrices are rounded otherwise than those within, on some processors."""
    assert some.astype(float).to_numpy() == pytest.approx(others.astype(float).to_numpy(), rel=1e-5, abs=1e-6)


def test_a_finished_model_predicts_new_cells_without_training(raw):
    """The reads of a held-out cell, under another name."""
    sheet = read(raw / "resources/raw_example.tsv")
    sheet = sheet[sheet["cell"] == "C07"].assign(cell="new")
    sheet.to_csv(raw / "new.tsv", sep="\t", index=False)
    # What the model was trained with has changed since, which would make Snakemake train it again.
    (raw / "new.yaml").write_text("predict_new: {samples: new.tsv}\ntraining: {epochs: 3}\n")
    files = (RAW, "new.yaml")
    jobs = {"read_new_mark": 5, "stack_new_marks": 1, "build_new_store": 1, "predict_new": 1}
    assert raw.planned(configfile=files) == jobs
    raw.snakemake(configfile=files)
    new = read(raw / "results/predict_new/predictions.tsv.gz")
    known = read(raw / "results/predictions/wakawaka/final.tsv.gz")
    known = known[known["cell"] == "C07"]
    assert list(new.columns) == ["cell", "gene_id", "prediction", "expression"] and set(new["cell"]) == {"new"}
    assert new["gene_id"].tolist() == known["gene_id"].tolist()
    assert_alike(new["prediction"], known["prediction"])
    assert np.allclose(
        new["expression"].astype(float), 2 ** known["prediction"].astype(float) - 1, rtol=1e-5, atol=1e-6
    )


def test_a_model_of_another_project_needs_no_expression_and_no_training_cells(raw, project):
    for name in ("model.keras", "preprocessing.json"):
        (project / "theirs").mkdir(exist_ok=True)
        shutil.copy(raw / f"results/models/wakawaka/final/{name}", project / "theirs" / name)
    for name in ("reads/genes.gff3.gz", "reads/genome.fa.gz"):
        shutil.copy(raw / "results/example" / name, project / "resources")
    rows = read(raw / "resources/raw_example.tsv")
    rows = rows[rows["cell"] == "C08"].assign(cell="new")
    rows["path"] = [str(raw / path) for path in rows["path"]]
    rows.to_csv(project / "resources/new.tsv", sep="\t", index=False)
    config = {
        "genes": {"path": "resources/genes.gff3.gz"},
        "histone": {"counting": "midpoint"},
        "sequence": {"path": "resources/genome.fa.gz"},
        "predict_new": {"samples": "resources/new.tsv", "model": "theirs/model.keras"},
    }
    (project / "new.yaml").write_text(yaml.safe_dump(config))
    project.snakemake(configfile="new.yaml")
    known = read(raw / "results/predictions/wakawaka/final.tsv.gz")
    new = read(project / "results/predict_new/predictions.tsv.gz")
    assert_alike(new["prediction"], known.loc[known["cell"] == "C08", "prediction"])
    project.snakemake("--report", "results/report.html", configfile="new.yaml")
    report = (project / "results/report.html").read_text()
    # The end of a line is one of the report's HTML, or the two letters of a text in its JavaScript.
    assert re.search(r"nothing was(\s|\\n)trained", report) and NO_WARNINGS[0] in report
    # Counted otherwise than what the model knows.
    config["histone"]["counting"] = "five_prime"
    (project / "new.yaml").write_text(yaml.safe_dump(config))
    said = project.snakemake(configfile="new.yaml", check=False)
    assert (
        said.returncode
        and "config key `histone.counting, histone.min_mapq, histone.duplicates`: the model in" in said.stdout
    )
    assert "Traceback" not in said.stdout


def check_windows(dna, genes, letters):
    """Look up every base of every window, downstream being into the gene."""
    half = dna.shape[1] // 2
    codes = dict(zip("ACGTN", range(5), strict=True))
    complement = dict(zip("ACGTN", "TGCAN", strict=True))
    letters = "N" * half + letters.upper() + "N" * half
    for values, gene in zip(dna, genes.itertuples(), strict=True):
        if gene.strand == "-":
            # The TSS is base `half` of the window, counted from the right.
            window = "".join(complement[letter] for letter in reversed(letters[gene.tss + 1 : gene.tss + 1 + 2 * half]))
        else:
            window = letters[gene.tss : gene.tss + 2 * half]
        assert values.tolist() == [codes[letter] for letter in window], gene.gene_id
