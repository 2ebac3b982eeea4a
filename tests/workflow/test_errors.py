"""What a mistake in the config or a missing file says, before anything has run."""

import shutil

import pytest

from helpers.project import SMALL, Project

# A configuration of one's own; of its files only README.md is there.
OWN = """
modules: [{modules}]
held_out_genes: []
genes: {{path: {genes}}}
histone: {{path: "resources/{{cell}}.tsv.gz"}}
sequence: {{path: README.md}}
expression: {{path: README.md}}
"""
MISTAKES = {
    "a misspelt key": ("training: {epoch: 3}", ["`epoch`", "`training`", "did you mean `epochs`?"]),
    "an unknown key": ("gpu: true", ["`gpu`"]),
    "a wrong type": ("training: {epochs: ten}", ["`training.epochs`", "a whole number", "'ten'"]),
    "a number that YAML takes for a text": (
        "training: {learning_rate: 5e-4}",
        ["`training.learning_rate`", "write 0.0005"],
    ),
    "a wrong choice": ("histone: {scale: log2}", ["`histone.scale`", "counts, log1p, signal", "'log2'"]),
    "a forgotten key": (
        "genes: {path: resources/genes.gtf}",
        ["`genes.path`", "built-in example", "set it to your own"],
    ),
    "a missing file": (
        OWN.format(modules="dna", genes="resources/genes.gtf"),
        ["`genes.path`", "resources/genes.gtf", "does not exist"],
    ),
    "a missing count file": (
        OWN.format(modules="histone", genes="README.md"),
        ["`histone.path`", "resources/C01.tsv.gz", "does not exist"],
    ),
    "a cell on both sides": ("cells: {held_out: [C01]}", ["`cells.train`", "`cells.held_out`", "C01"]),
    "random rows": (
        "folds: {hold_out: samples}",
        ["`folds.hold_out` is samples", "cells_and_genes or genes", "`allow_leakage: true`", "in red"],
    ),
    "an ablation that there is none of": ("ablations: [no_dna]", ["`ablations.0`", "histone_only", "'no_dna'"]),
    "a misspelt model to leave out": (
        "models: {wakawka: null}",
        ["`models.wakawka` is null", "there are wakawaka, wakawaka-plus"],
    ),
    "too few replicates": ("bootstrap: {replicates: 10}", ["`bootstrap.replicates`", "at least 40"]),
    "more folds than cells": ("folds: {number: 9}", ["`folds.number`", "8 training cells", "`folds.hold_out: genes`"]),
}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A fresh copy, in which nothing is ever made."""
    return Project.fresh(tmp_path_factory.mktemp("errors"))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(fresh, mistake):
    text, expected = MISTAKES[mistake]
    (fresh / "my.yaml").write_text(text)
    process = fresh.snakemake("-n", configfile="my.yaml", check=False)
    assert process.returncode == 1
    # Snakemake announces the config files it reads; what follows is the message.
    said = [line for line in process.stdout.splitlines() if line.strip() and "onfig" not in line.split("key")[0]]
    message = process.stdout
    for words in expected:
        assert words in message
    assert "Traceback" not in message
    assert len(said) <= 3, message


def test_a_bad_line_in_a_file_is_one_sentence_and_leaves_no_output(finished):
    annotation = finished / "results/example/genes.gtf"
    lines = annotation.read_text().splitlines()
    place = next(number for number, line in enumerate(lines) if "\tgene\t" in line)
    lines[place] = lines[place].replace("\t-\t", "\tx\t").replace("\t+\t", "\tx\t")
    annotation.write_text("\n".join(lines))
    process = finished.snakemake("results/read_gtf/genes.npz", configfile=SMALL, check=False)
    assert process.returncode == 1
    assert f"results/example/genes.gtf, line {place + 1}: the strand is 'x'" in process.stdout
    assert "Traceback" not in process.stdout
    assert not list((finished / "results/read_gtf").glob("*"))


def test_a_training_that_diverges_stops_in_one_sentence_and_leaves_no_model(finished):
    (finished / "my.yaml").write_text("training: {learning_rate: 1.0e+20}")
    target = "results/models/wakawaka/fold-1/model.keras"
    process = finished.snakemake(target, "--configfile", SMALL, "my.yaml", check=False)
    assert process.returncode == 1
    assert "the loss is no longer a finite number" in process.stdout
    assert "lower `training.learning_rate`" in process.stdout
    assert "Traceback" not in process.stdout
    assert not list((finished / "results/models/wakawaka/fold-1").glob("*"))


def test_a_misspelt_gene_to_draw_is_found_before_training(finished):
    for name in ("splits", "models"):
        shutil.rmtree(finished / "results" / name)
    (finished / "my.yaml").write_text("interpret: {genes: [best, NOSUCH]}")
    process = finished.snakemake("--configfile", SMALL, "my.yaml", check=False)
    assert process.returncode == 1
    assert "config key `interpret.genes` names NOSUCH" in process.stdout
    assert not list((finished / "results").glob("models/*/*/model.keras"))


def test_a_further_gene_to_draw_leaves_the_others_alone(example, tmp_path):
    (tmp_path / "more.yaml").write_text("interpret: {genes: [best, GENE0003]}")
    planned = example.planned("--configfile", SMALL, tmp_path / "more.yaml")
    # The provenance holds a checksum of all settings.
    assert planned.pop("provenance") == 1
    assert planned == {"check_genes": 1, "attribute": 1, "plot_dna_gene": 1, "plot_histone_gene": 1}
