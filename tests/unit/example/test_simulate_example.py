"""The built-in example, read back with independent readers; only its functions of random numbers are used here."""

import gzip
import itertools
import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from wakawaka.core.errors import InputError
from wakawaka.example.example_counts import draw_activity, share_in_pair
from wakawaka.example.example_expression import draw_expression, expected_mse
from wakawaka.example.example_genome import place_genes
from wakawaka.example.files import ExampleFiles
from wakawaka.example.simulate_example import ExampleSettings, simulate_example

# Not in the order of the module, because columns are known by name.
MARKS = ["H3K4me3", "H3K9me3", "H3K36me3", "H3K27me3", "H3K4me1"]
CELLS, HELD_OUT_CELLS = ["a", "b", "c", "d", "e", "f"], ["y", "z"]
SINGLE = ["genome", "annotation", "expression", "held_out_genes", "truth"]


def simulate(folder, prefix="", **changes):
    """Write an example of 8 cells x 80 genes, or with `changes`, into `folder`; return its paths and settings."""
    cells = {"cells": CELLS, "held_out_cells": HELD_OUT_CELLS}
    settings = {"seed": 1, "genes": 80, "held_out": 8, "effect": 1, "motif_copies": 24, "depth": 1}
    settings |= {"marks": MARKS, "window": 10000, "bins": 100}
    settings |= cells | changes
    paths = {name: folder / f"{prefix}{name}" for name in SINGLE}
    counts = {cell: folder / f"{prefix}{cell}.tsv.gz" for cell in settings["cells"] + settings["held_out_cells"]}
    files = ExampleFiles(counts=counts, **{name: path for name, path in paths.items() if name != "truth"})
    simulate_example(files, paths["truth"], ExampleSettings(**settings))
    return SimpleNamespace(**paths, counts=list(counts.values()), **settings)


def read_genome(path):
    chromosomes = {}
    for line in path.read_text().splitlines():
        if line.startswith(">"):
            name = line[1:]
            chromosomes[name] = []
        else:
            chromosomes[name].append(line)
    return {name: "".join(lines) for name, lines in chromosomes.items()}


def read_annotation(path):
    lines = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
    return [
        SimpleNamespace(
            gene_id=re.search('gene_id "([^"]+)";', attributes)[1],
            chromosome=chromosome,
            feature=feature,
            start=int(start),
            end=int(end),
            strand=strand,
            # 0-based
            tss=int(start) - 1 if strand == "+" else int(end) - 1,
        )
        for chromosome, _, feature, start, end, _, strand, _, attributes in lines
    ]


def read_counts(path):
    """Return {gene_id: [bin, mark]}, bins as they stand in the file."""
    header, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert header.split("\t") == ["gene_id", "bin", *MARKS]
    counts = {}
    for line in lines:
        gene_id, number, *values = line.split("\t")
        counts.setdefault(gene_id, []).append([int(value) for value in values])
        assert int(number) == len(counts[gene_id])
    return {gene_id: np.array(rows) for gene_id, rows in counts.items()}


def read_expression(path):
    header, *lines = [line.split("\t") for line in path.read_text().splitlines()]
    assert header == ["gene_id", *CELLS, *HELD_OUT_CELLS]
    return {gene_id: np.array(values, dtype=float) for gene_id, *values in lines}


def read(files):
    features = read_annotation(files.annotation)
    counts = [read_counts(path) for path in files.counts]
    genes = {feature.gene_id: feature for feature in features if feature.feature == "gene"}
    return SimpleNamespace(
        genome=read_genome(files.genome),
        features=features,
        genes=genes,
        # [cell, bin, mark] of each gene
        counts={gene_id: np.array([of_cell[gene_id] for of_cell in counts]) for gene_id in genes},
        counted=list(counts[0]),
        expression=read_expression(files.expression),
        held_out=files.held_out_genes.read_text().splitlines(),
        truth=json.loads(files.truth.read_text()),
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="module")
def example(files):
    return read(files)


def around_tss(example, gene, upstream, downstream):
    """Return the sequence from `upstream` bp before to `downstream` bp after the TSS, in the gene's own direction."""
    chromosome = example.genome[gene.chromosome].upper()
    if gene.strand == "+":
        return chromosome[gene.tss - upstream : gene.tss + downstream]
    piece = chromosome[gene.tss - downstream + 1 : gene.tss + upstream + 1]
    return "".join({"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}[base] for base in reversed(piece))


def window_start(gene):
    return gene.tss - 5000 if gene.strand == "+" else gene.tss - 4999


def plain_genes(example):
    """The genes whose windows are whole and alone."""
    special = example.truth["bidirectional_pair"] + example.truth["windows_over_chromosome_end"]
    return [gene for gene in example.genes.values() if gene.gene_id not in special]


def test_equal_seeds_give_equal_bytes(files, tmp_path):
    # Other names for the files: a gzip header can hold the name.
    again = simulate(tmp_path, prefix="again-")
    for name in SINGLE:
        assert getattr(again, name).read_bytes() == getattr(files, name).read_bytes(), name
    for one, other in zip(again.counts, files.counts, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert one.read_bytes()[4:8] == b"\0\0\0\0"  # the time of writing


def test_another_seed_gives_other_files(files, tmp_path):
    other = simulate(tmp_path, seed=2)
    for name in SINGLE:
        assert getattr(other, name).read_bytes() != getattr(files, name).read_bytes(), name
    assert len({path.read_bytes() for path in other.counts + files.counts}) == 2 * len(files.counts)
    motifs = [json.loads(one.truth.read_text())["motif"]["sequence"] for one in (other, files)]
    assert motifs[0] != motifs[1]


def test_genome_looks_like_one(files, example):
    assert list(example.genome) == ["chr1", "chr2", "chr3", "chr4"]
    lines = files.genome.read_text().splitlines()
    inner = [line for line, following in itertools.pairwise(lines) if ">" not in line + following]
    assert {len(line) for line in inner} == {60}
    for letters in example.genome.values():
        assert set(letters) == set("ACGTNacgt") or set(letters) == set("ACGTacgt")
    upper = "".join(example.genome.values()).upper()
    assert 0.35 < (upper.count("G") + upper.count("C")) / len(upper) < 0.45
    windows = [around_tss(example, gene, 5000, 5000) for gene in plain_genes(example)]
    assert any(re.search("[ACGT]N{50,1000}[ACGT]", window) for window in windows)


def test_annotation_has_genes_transcripts_and_exons_on_both_strands(example):
    assert len(example.genes) == 80
    assert {gene.strand for gene in example.genes.values()} == {"+", "-"}
    for gene in example.genes.values():
        own = [feature for feature in example.features if feature.gene_id == gene.gene_id]
        assert [feature.feature for feature in own] == ["gene", "transcript", "exon", "exon"]
        assert {(feature.chromosome, feature.strand) for feature in own} == {(gene.chromosome, gene.strand)}
        assert (own[1].start, own[1].end) == (gene.start, gene.end)
        assert min(feature.start for feature in own[2:]) == gene.start
        assert max(feature.end for feature in own[2:]) == gene.end
        assert own[2].tss == gene.tss
        assert 1 <= gene.start < gene.end <= len(example.genome[gene.chromosome])


def test_only_the_pair_has_overlapping_windows(example):
    genes = sorted(example.genes.values(), key=lambda gene: (gene.chromosome, gene.tss))
    near = [
        (left, right)
        for left, right in itertools.pairwise(genes)
        if left.chromosome == right.chromosome and right.tss - left.tss <= 10001
    ]
    [(left, right)] = near
    assert sorted([left.gene_id, right.gene_id]) == example.truth["bidirectional_pair"]
    assert (left.strand, right.strand, right.tss - left.tss) == ("-", "+", 301)
    # Windows start 300 bp apart, so the reads of the shared 97 bins are the same reads.
    assert window_start(right) - window_start(left) == 300
    one, other = example.counts[left.gene_id], example.counts[right.gene_id]
    assert np.array_equal(one[:, 3:], other[:, :-3])
    assert not np.array_equal(one, other)
    # Both transcribe away from the middle.
    body = MARKS.index("H3K36me3")
    assert one[:, :40, body].mean() > 1.2 * one[:, 46:50, body].mean()
    assert other[:, 60:, body].mean() > 1.2 * other[:, 46:50, body].mean()


def test_pair_shares_what_is_planted(tmp_path):
    files = simulate(tmp_path, genes=16, held_out=2, effect=100)
    expression = read_expression(files.expression)
    one, other = (expression[gene_id] for gene_id in json.loads(files.truth.read_text())["bidirectional_pair"])
    # Gene effects and noise differ by N(0, 0.9), what is planted by hundreds from cell to cell.
    assert np.abs(one - other).max() < 5
    assert one.std() > 20 and not np.array_equal(one, other)


@pytest.mark.parametrize("seed", range(5))
def test_pair_is_never_split(tmp_path, seed):
    files = simulate(tmp_path, genes=8, held_out=6, seed=seed)
    truth = json.loads(files.truth.read_text())
    held_out = files.held_out_genes.read_text().splitlines()
    assert len(held_out) == 6 and len(truth["bidirectional_pair"]) == 2
    assert not set(held_out) & set(truth["bidirectional_pair"])


def test_motif_is_where_the_truth_says(example):
    motif = example.truth["motif"]["sequence"]
    carriers = set(example.truth["motif"]["genes"])
    assert len(motif) == 10 and len(carriers) == 40
    assert not carriers & set(example.truth["bidirectional_pair"])
    assert {example.genes[gene_id].strand for gene_id in carriers} == {"+", "-"}
    for gene in example.genes.values():
        found = len(re.findall(motif, around_tss(example, gene, 400, 400)))
        assert found == 24 if gene.gene_id in carriers else found <= 1


def test_ids_agree_and_orders_differ(example):
    assert set(example.genes) == set(example.expression) == set(example.counted)
    assert list(example.expression) == sorted(example.genes)
    assert list(example.genes) != sorted(example.genes)
    assert example.held_out == sorted(example.held_out) == example.truth["held_out_genes"]
    assert len(example.held_out) == 8 and set(example.held_out) < set(example.genes)
    assert example.truth["held_out_cells"] == HELD_OUT_CELLS


@pytest.mark.parametrize("strand", ["+", "-"])
def test_gene_bodies_lie_downstream(example, strand):
    genes = [gene.gene_id for gene in plain_genes(example) if gene.strand == strand]
    mean = np.mean([example.counts[gene_id] for gene_id in genes], axis=(0, 1))[:, MARKS.index("H3K36me3")]
    # In the file a minus-strand gene's transcript runs from the last bin to the first.
    downstream, upstream = (mean[56:], mean[:56]) if strand == "+" else (mean[:44], mean[44:])
    assert upstream.mean() == pytest.approx(1.5, abs=0.05)
    # E exp(0.8 A) = exp(0.32) for A ~ N(0, 1); about 40 genes draw the gene's share of A.
    assert downstream.mean() == pytest.approx(1.5 * np.exp(0.32), rel=0.15)
    assert np.abs(downstream - downstream.mean()).max() < 0.6


def test_bins_outside_the_chromosome_are_zero(example):
    cut = set()
    for gene in example.genes.values():
        start = window_start(gene) + 100 * np.arange(100)
        length = len(example.genome[gene.chromosome])
        outside = (start + 100 <= 0) | (start >= length)
        inside = (start >= 0) & (start + 100 <= length)
        # Of 8 cells and 5 marks, someone has a read in every bin of the chromosome.
        empty = (example.counts[gene.gene_id] == 0).all(axis=(0, 2))
        assert empty[outside].all() and not empty[inside].any()
        if outside.any():
            cut.add((gene.gene_id, "start" if start[0] < 0 else "end", gene.strand))
    assert {where[1:] for where in cut} == {("start", "-"), ("end", "+")}
    assert sorted(gene_id for gene_id, _, _ in cut) == example.truth["windows_over_chromosome_end"]


@pytest.mark.parametrize("copies", [1, 80])
def test_number_of_motif_copies(tmp_path, copies):
    example = read(simulate(tmp_path, motif_copies=copies))
    motif, carriers = (example.truth["motif"][name] for name in ("sequence", "genes"))
    assert len(carriers) == 40
    for gene in plain_genes(example):
        found = len(re.findall(motif, around_tss(example, gene, 400, 400)))
        assert found == copies * (gene.gene_id in carriers)


def test_depth_multiplies_the_reads(files, tmp_path):
    table, shallow = (
        pd.concat([pd.read_csv(path, sep="\t") for path in one.counts])
        for one in (files, simulate(tmp_path, depth=0.25))
    )
    # 320,000 numbers: the standard deviation of their sum is below a thousandth of it.
    assert shallow[MARKS].to_numpy().sum() / table[MARKS].to_numpy().sum() == pytest.approx(0.25, rel=0.01)


def test_counts_and_motif_explain_expression(example):
    genes = plain_genes(example)
    strand_aware = np.array([example.counts[gene.gene_id][:, :: 1 if gene.strand == "+" else -1] for gene in genes])
    y = np.array([example.expression[gene.gene_id] for gene in genes])
    carrier = np.array([gene.gene_id in example.truth["motif"]["genes"] for gene in genes])
    # Correlations of about 1.2 and -0.8 over sqrt(2.74), the standard deviation of y beside the motif.
    y_beside = (y - 2 * carrier[:, np.newaxis]).ravel()
    centre = np.log1p(strand_aware[:, :, 45:56].sum(axis=2))
    correlation = {mark: np.corrcoef(y_beside, centre[:, :, i].ravel())[0, 1] for i, mark in enumerate(MARKS)}
    assert correlation["H3K4me3"] > 0.55
    assert correlation["H3K27me3"] < -0.3
    assert abs(correlation["H3K9me3"]) < 0.1
    # The difference of two means of 38 genes, whose standard deviation is about 1.1.
    assert y[carrier].mean() - y[~carrier].mean() == pytest.approx(2, abs=0.75)


def test_truth_holds_the_expected_mse_of_this_example(example):
    of_this = expected_mse(1, len(CELLS), 72)
    for regime, values in example.truth["expected_mse"].items():
        assert values == pytest.approx(of_this[regime], abs=1e-6)


# The default size with the smallest windows, because the expression does not depend on the windows.
DEFAULT = {"genes": 800, "held_out": 80, "cells": list("abcdefgh"), "held_out_cells": ["y", "z"]}
DEFAULT |= {"window": 2000, "bins": 10}
SEEDS = range(20)


def errors_of_example(folder, seed):
    """Write an example of the default size; return its truth.json and the MSE {regime: {predictor: value}} on its files.

    The oracle gets A, R and the genes' effects by drawing them once more, and the motif's genes from truth.json. Two further ones
    lack the motif, of which they guess one half, or the interaction.
    """
    files = simulate(folder, prefix=f"{seed}-", seed=seed, **DEFAULT)
    truth, expression = json.loads(files.truth.read_text()), pd.read_csv(files.expression, sep="\t", index_col=0)
    names, genes = files.cells + files.held_out_cells, files.genes
    layout, _, activity, _, noise = np.random.default_rng(seed).spawn(5)
    table = place_genes(layout, genes, files.held_out, files.window, files.bins)
    a, r = (share_in_pair(draw_activity(activity, len(names), genes), table) for _ in range(2))
    gene_effect = noise.normal(scale=0.4, size=genes)
    y = expression.loc[table["gene_id"], names].to_numpy().T
    motif = table["gene_id"].isin(truth["motif"]["genes"]).to_numpy()
    unseen = table["gene_id"].isin(files.held_out_genes.read_text().split()).to_numpy()
    cell = np.isin(names, files.held_out_cells)

    trained = y[~cell][:, ~unseen]
    gene_mean = np.full(genes, trained.mean())
    gene_mean[~unseen] = trained.mean(axis=0)
    oracle = 1.2 * a - 0.8 * r - 0.5 * a * r + 2.0 * motif + np.where(unseen, 0, gene_effect)
    predictions = {"oracle": oracle, "training_mean": np.full(y.shape, trained.mean())}
    predictions["gene_mean"] = np.broadcast_to(gene_mean, y.shape)
    predictions |= {"no motif": oracle + 2.0 * (0.5 - motif), "no interaction": oracle + 0.5 * a * r}
    regimes = {"unseen_cell": (cell, ~unseen), "unseen_gene": (~cell, unseen), "both_unseen": (cell, unseen)}
    return truth, {
        regime: {name: np.mean((y - values)[np.ix_(*of_regime)] ** 2) for name, values in predictions.items()}
        for regime, of_regime in regimes.items()
    }


@pytest.fixture(scope="module")
def default_examples(tmp_path_factory):
    """(truth.json, MSE) of examples of the default size, one for each seed."""
    folder = tmp_path_factory.mktemp("default")
    return [errors_of_example(folder, seed) for seed in SEEDS]


def check_mean(found, expected, most):
    """Check that the mean of values, one for each seed, is within four standard errors of what is expected.

    The standard error is the seeds' standard deviation / sqrt(seeds), about what one knows from so few. Four of them are to be no
    more than the part `most` of what is expected, or the agreement would mean little.
    """
    standard_error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert 4 * standard_error < most * expected
    assert np.mean(found) == pytest.approx(expected, abs=4 * standard_error)


@pytest.mark.parametrize("predictor", ["oracle", "training_mean", "gene_mean"])
@pytest.mark.parametrize(("regime", "most"), [("unseen_cell", 0.1), ("unseen_gene", 0.2), ("both_unseen", 0.2)])
def test_expected_mse_is_that_of_the_files(default_examples, regime, most, predictor):
    # The same 80 genes, or 2 cells, err together, so that the MSE of one seed is 3 to 13% off, and their mean 1 to 3%.
    found = [errors[regime][predictor] for _, errors in default_examples]
    [expected] = {truth["expected_mse"][regime][predictor] for truth, _ in default_examples}
    check_mean(found, expected, most)


@pytest.mark.parametrize("lacking", ["motif", "interaction"])
@pytest.mark.parametrize(("regime", "most"), [("unseen_cell", 0.2), ("unseen_gene", 0.4), ("both_unseen", 0.4)])
def test_expected_loss_is_that_of_the_files(default_examples, regime, most, lacking):
    found = [errors[regime][f"no {lacking}"] - errors[regime]["oracle"] for _, errors in default_examples]
    [expected] = {truth["expected_loss"][lacking] for truth, _ in default_examples}
    check_mean(found, expected, most)


def test_without_effect_only_gene_effect_and_noise_remain(files, tmp_path):
    none = simulate(tmp_path, effect=0)
    for name in ("genome", "annotation", "held_out_genes"):
        assert getattr(none, name).read_bytes() == getattr(files, name).read_bytes(), name
    for one, other in zip(none.counts, files.counts, strict=True):
        assert one.read_bytes() == other.read_bytes()
    y = np.array(list(read_expression(none.expression).values()))
    # 80 genes and 8 cells: relative standard errors of sqrt(2 / 560) and about sqrt(2 / 80).
    assert y.var(axis=1, ddof=1).mean() == pytest.approx(0.25, rel=0.25)
    assert y.mean(axis=1).var(ddof=1) == pytest.approx(0.16 + 0.25 / 8, rel=0.6)
    many = draw_expression(np.random.default_rng(0), np.ones((2, 200_000)), np.ones(200_000), np.ones(200_000), 0)
    assert many.var() == pytest.approx(0.16 + 0.25, rel=0.02)
    assert np.cov(many)[0, 1] == pytest.approx(0.16, rel=0.05)


@pytest.mark.parametrize(("cells", "genes", "held_out"), [(4, 40, 4), (4, 8, 0), (2, 9, 1)])
def test_small_sizes(tmp_path, cells, genes, held_out):
    # As many files as ever, but `cells` of them for training.
    names = CELLS + HELD_OUT_CELLS
    split = {"cells": names[:cells], "held_out_cells": names[cells:]}
    small = read(simulate(tmp_path, genes=genes, held_out=held_out, **split))
    assert len(small.genes) == genes and len(small.held_out) == held_out
    assert len(small.truth["motif"]["genes"]) == genes // 2
    assert {gene.chromosome for gene in small.genes.values()} == {"chr1", "chr2", "chr3", "chr4"}


def test_further_marks_are_background(tmp_path):
    marks = ["H2A.Z", *MARKS]
    files = simulate(tmp_path, marks=marks, genes=16, held_out=2)
    lines = [line.split("\t") for line in gzip.decompress(files.counts[0].read_bytes()).decode().splitlines()]
    assert lines[0] == ["gene_id", "bin", *marks]
    # 16 genes x 100 bins, 40 of them outside: a standard error of sqrt(1.5 / 1560) = 0.03.
    assert np.mean([int(line[2]) for line in lines[1:]]) == pytest.approx(1.5 * 1560 / 1600, abs=0.15)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"genes": 7}, "at least 8 genes"),
        ({"held_out": 80}, "`example.held_out_genes` is 80; set it to a number from 0 to 78"),
        ({"held_out": 79}, "`example.held_out_genes` is 79"),
        ({"held_out": -1}, "`example.held_out_genes` is -1"),
        ({"marks": MARKS[:-1]}, "`histone.marks` lacks H3K4me1"),
        ({"cells": []}, "at least one training cell"),
        ({"held_out_cells": ["a"]}, "every cell once"),
        ({"window": 10001, "bins": 73}, "even `window`"),
        ({"window": 10000, "bins": 99}, "multiple of `bins`"),
        ({"window": 1000}, "at least 2000 bp"),
        ({"motif_copies": 81}, "set `example.motif_copies` to 80 or less"),
    ],
)
def test_impossible_settings_are_refused_in_a_sentence(tmp_path, changes, words):
    with pytest.raises(InputError, match=re.escape(words)) as error:
        simulate(tmp_path, **changes)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())
