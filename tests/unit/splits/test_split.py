import gzip
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import wakawaka.splits.split as split_module
from helpers.real_data import real
from wakawaka.core.errors import InputError
from wakawaka.core.files import save_array
from wakawaka.genome.dna import reverse_complement
from wakawaka.sources.parsed import write_part
from wakawaka.splits.split import connected, overlapping_windows, split
from wakawaka.store.build_store import build_store

WINDOW = 100
CELLS = [f"c{number}" for number in range(6)]
OUTPUTS = {"genes": "genes.tsv", "cells": "cells.tsv", "samples": "samples.tsv.gz", "audit": "audit.tsv"}
OUTPUTS |= {"similarity": "similarity.tsv", "warnings": "warnings.tsv"}
VALUE = {"kind": "value", "transform": "none"}


def make_store(folder, count=40, cells=CELLS, tss=None, chrom=None, group=None, dna=None, expression=None):
    """Write a store of genes G0, G1 ..., 1,000 bp apart unless `tss` says otherwise; return its paths."""
    ids = np.array([f"G{number}" for number in range(count)])
    columns = {
        "chrom": np.full(count, "1") if chrom is None else np.array(chrom),
        "tss": np.arange(count) * 1000 if tss is None else np.array(tss),
        "strand": np.full(count, "+"),
        "group": np.full(count, "") if group is None else np.array(group),
    }
    write_part(folder / "genes.npz", [], gene_id=ids, **columns)
    if expression is None:
        expression = np.random.default_rng(0).normal(size=(len(cells), count))
    values = np.array(expression, np.float32)
    write_part(folder / "expression.npz", [], gene_id=ids, cell=np.array(cells), values=values)
    names, parts = ["genes.tsv", "cells.tsv", "expression.npy", "store.json"], {"expression": folder / "expression.npz"}
    if dna is not None:
        write_part(folder / "sequence.npz", [], about={"order": "transcript"}, gene_id=ids, values=dna)
        names, parts = [*names, "dna.npy"], parts | {"sequence": folder / "sequence.npz"}
    paths = [folder / "store" / name for name in names]
    sizes = {"cells": cells, "marks": [], "window": WINDOW, "bins": 1, "oriented": True}
    build_store(paths, folder / "odd.tsv", folder / "genes.npz", **sizes, **parts)
    return paths


def make_split(folder, store, held_out_cells=(), held_out_genes=(), **options):
    """Split the store; return the genes, cells and audit as tables and the regimes as a dict from run to [cell, gene].

    Random rows leak, and are allowed to unless `options` says otherwise.
    """
    outputs = {key: folder / name for key, name in OUTPUTS.items()}
    genes = held_out_genes if isinstance(held_out_genes, str) else list(held_out_genes)
    options = {"folds": 3, "hold_out": "cells_and_genes", "target": VALUE, "seed": 1} | options
    options = {"allow_leakage": options["hold_out"] == "samples"} | options
    split(store, **outputs, held_out_cells=list(held_out_cells), held_out_genes=genes, **options)
    tables = [pd.read_csv(path, sep="\t", keep_default_na=False) for path in outputs.values()]
    genes, cells, samples, audit, _, _ = tables
    # A row for every cell and gene, in the order of the store.
    assert list(zip(samples["cell"], samples["gene_id"], strict=True)) == [
        *itertools.product(cells["cell"], genes["gene_id"])
    ]
    runs = ["final", *(f"fold-{number}" for number in range(1, options["folds"] + 1))]
    assert samples.columns.tolist() == ["cell", "gene_id", *runs]
    shape = len(cells), len(genes)
    return genes, cells, audit, {run: samples[run].to_numpy(str).reshape(shape) for run in runs}


def check_blocks(regime):
    """Check that every sample that is no other fold's business stands in the regime that it is said to stand in."""
    train_cells, train_genes = (regime == "train").any(axis=1), (regime == "train").any(axis=0)
    seen = {
        ("train", True, True),
        ("unseen_cell", False, True),
        ("unseen_gene", True, False),
        ("both_unseen", False, False),
    }
    for cell, gene in np.argwhere(regime != "test"):
        assert (regime[cell, gene], bool(train_cells[cell]), bool(train_genes[gene])) in seen


# What every split promises


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("store"))


def test_folds_hold_out_cells_and_genes_together(store, tmp_path):
    genes, cells, _, regimes = make_split(tmp_path, store, ["c1"], ["G3", "G7"])
    assert set(genes.loc[genes["set"] == "held_out", "gene_id"]) == {"G3", "G7"}
    assert set(cells.loc[cells["set"] == "held_out", "cell"]) == {"c1"}
    final = regimes["final"]
    check_blocks(final)
    assert (final == "train").sum() == 5 * 38
    assert (final[1] == "unseen_cell").sum() == 38 and (final[1] == "both_unseen").sum() == 2
    assert (final == "unseen_gene").sum() == 5 * 2
    for number in range(1, 4):
        fold = regimes[f"fold-{number}"]
        # The test set is left aside, all of it and nothing else.
        assert np.array_equal(fold == "test", final != "train")
        check_blocks(fold)
        assert set(np.unique(fold)) == {"train", "test", "unseen_cell", "unseen_gene", "both_unseen"}
        # The tables of cells and genes say the same.
        held_cells, held_genes = cells["fold"] == str(number), genes["fold"] == str(number)
        held = np.ix_(held_cells, held_genes)
        assert (fold[held] == "both_unseen").all() and (fold == "both_unseen").sum() == fold[held].size


def test_every_training_cell_and_gene_is_held_out_once(store, tmp_path):
    genes, cells, _, regimes = make_split(tmp_path, store, ["c1"], ["G3", "G7"])
    both = sum((regimes[f"fold-{number}"] == "both_unseen").astype(int) for number in (1, 2, 3))
    assert both.max() == 1
    assert cells["fold"].tolist().count("-") == 1 and genes["fold"].tolist().count("-") == 2
    assert sorted(cells["fold"].value_counts()[["1", "2", "3"]]) == [1, 2, 2]
    assert sorted(genes["fold"].value_counts()[["1", "2", "3"]]) == [12, 13, 13]


def test_folds_of_genes_hold_out_genes_in_all_cells(store, tmp_path):
    genes, cells, _, regimes = make_split(tmp_path, store, ["c1"], ["G3"], folds=5, hold_out="genes")
    assert cells["fold"].tolist() == ["-"] * 6
    check_blocks(regimes["final"])
    for number in range(1, 6):
        fold = regimes[f"fold-{number}"]
        check_blocks(fold)
        assert set(np.unique(fold)) == {"train", "test", "unseen_gene"}
        assert np.array_equal(fold == "test", regimes["final"] != "train")
    held = sum((regimes[f"fold-{number}"] == "unseen_gene").astype(int) for number in range(1, 6))
    assert np.array_equal(held, regimes["final"] == "train")


def test_folds_of_samples_are_random_and_called_leaking(store, tmp_path):
    genes, cells, audit, regimes = make_split(tmp_path, store, ["c1"], ["G3"], folds=4, hold_out="samples")
    assert set(genes["fold"]) == set(cells["fold"]) == {"-"}
    final = regimes["final"]
    check_blocks(final)
    held = np.zeros(final.shape, int)
    for number in range(1, 5):
        fold = regimes[f"fold-{number}"]
        assert set(np.unique(fold)) == {"train", "test", "leaking"}
        assert np.array_equal(fold == "test", final != "train")
        # About a quarter, and nearly every gene and cell of it is in the training samples, too.
        assert 0.15 < (fold == "leaking").mean() < 0.3
        held += fold == "leaking"
    assert np.array_equal(held, final == "train")
    leaking = audit[(audit["regime"] == "leaking") & (audit["run"] == "fold-1")].iloc[0]
    assert f"{leaking['genes_also_trained_on']} genes are trained on too (G0, " in leaking["leak"]
    assert leaking["leak"].endswith("; 5 cells are trained on too (c0, c2, c3, c4, c5)")
    assert audit.loc[audit["regime"] != "leaking", "leak"].unique().tolist() == ["-"]
    assert leaking["genes_also_trained_on"] > 0.9 * leaking["genes"] and leaking["cells_also_trained_on"] == 5


def test_without_held_out_cells_and_genes_all_is_trained_on(store, tmp_path):
    *_, regimes = make_split(tmp_path, store)
    assert (regimes["final"] == "train").all()


@pytest.mark.parametrize("hold_out", ["cells_and_genes", "genes", "samples"])
def test_the_seed_alone_decides(store, tmp_path, hold_out):
    written = {}
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        make_split(tmp_path, store, ["c1"], ["G3"], hold_out=hold_out, seed=seed)
        written[name] = [(tmp_path / output).read_bytes() for output in OUTPUTS.values()]
    assert written["first"] == written["again"]
    assert written["first"][2] != written["other"][2]


def test_audit_counts_what_blocks_share(store, tmp_path):
    *_, audit, _ = make_split(tmp_path, store, ["c1"], ["G3", "G7"])
    columns = ["cells", "genes", "samples", "samples_with_truth", "cells_also_trained_on", "genes_also_trained_on"]
    final = audit[audit["run"] == "final"].set_index("regime")[[*columns, "gene_groups_also_trained_on"]]
    assert final.loc["train"].tolist() == [5, 38, 190, 190, 5, 38, 38]
    assert final.loc["unseen_cell"].tolist() == [1, 38, 38, 38, 0, 38, 38]
    assert final.loc["unseen_gene"].tolist() == [5, 2, 10, 10, 5, 0, 0]
    assert final.loc["both_unseen"].tolist() == [1, 2, 2, 2, 0, 0, 0]
    assert audit["run"].unique().tolist() == ["final", "fold-1", "fold-2", "fold-3"]
    assert (audit.loc[audit["regime"].isin(["unseen_gene", "both_unseen"]), "gene_groups_also_trained_on"] == 0).all()


# Groups


def naive_groups(neighbours, count):
    """Number the genes' groups by spreading the lowest number to all neighbours until nothing changes."""
    group = list(range(count))
    while True:
        spread = [
            min([group[gene], *(group[other] for other in range(count) if neighbours(gene, other))])
            for gene in range(count)
        ]
        if spread == group:
            return np.array(group)
        group = spread


def check_groups(genes, regimes, expected):
    """Check that the groups are the expected ones, and that no fold trains on a gene of a held-out gene's group."""
    assert np.array_equal(pd.factorize(genes["group"])[0], pd.factorize(expected)[0])
    for run, regime in regimes.items():
        if run != "final":
            trained = expected[(regime == "train").any(axis=0)]
            unseen = expected[np.isin(regime, ["unseen_gene", "both_unseen"]).any(axis=0)]
            assert len(unseen) and not set(trained) & set(unseen)


@pytest.mark.parametrize("hold_out", ["cells_and_genes", "genes"])
def test_overlapping_windows_stay_together(tmp_path, hold_out):
    rng = np.random.default_rng(2)
    tss, chrom = rng.integers(0, 3000, 60), rng.choice(["1", "2", "X"], 60)
    store = make_store(tmp_path, 60, tss=tss, chrom=chrom)
    genes, _, _, regimes = make_split(tmp_path, store, hold_out=hold_out)
    expected = naive_groups(lambda a, b: chrom[a] == chrom[b] and abs(tss[a] - tss[b]) <= WINDOW, 60)
    assert 10 < len(set(expected)) < 50
    check_groups(genes, regimes, expected)


def test_overlapping_windows():
    chrom = np.array(["1", "1", "1", "2", "1", "1"])
    # In the order of places: row 2 at 10, row 0 at 110, row 4 at 211; row 3 on another chromosome, two of unknown place.
    assert overlapping_windows(chrom, np.array([110, -1, 10, 60, 211, -1]), 100) == [(2, 0)]
    assert overlapping_windows(chrom, np.array([110, -1, 10, 60, 211, -1]), 101) == [(2, 0), (0, 4)]
    assert overlapping_windows(chrom[:0], np.array([], int), 100) == []


def test_connected():
    assert connected(5, [(4, 1), (1, 3)]).tolist() == [0, 1, 2, 1, 1]
    assert connected(3, []).tolist() == [0, 1, 2]


@pytest.mark.parametrize("hold_out", ["cells_and_genes", "genes"])
def test_groups_of_the_user_stay_together(tmp_path, hold_out):
    group = [f"r{number % 7}" for number in range(28)] + ["", ""]
    store = make_store(tmp_path, 30, tss=[-1] * 30, chrom=[""] * 30, group=group)
    genes, _, _, regimes = make_split(tmp_path, store, hold_out=hold_out)
    check_groups(genes, regimes, np.array([number % 7 for number in range(28)] + [7, 8]))


def test_groups_of_the_user_and_of_windows_add_up(tmp_path):
    tss = np.arange(12) * 1000
    tss[1] = 50
    store = make_store(tmp_path, 12, tss=tss, group=["", "r", "r", *[""] * 9])
    genes, _, _, regimes = make_split(tmp_path, store, hold_out="genes")
    check_groups(genes, regimes, np.array([0, 0, 0, *range(3, 12)]))


def shared_dna():
    """Windows 0-1-2 overlap in a chain (2 reverse-complemented), 3-4 too; 5 to 11 hold a repeat and nothing else in common."""
    rng = np.random.default_rng(3)
    dna = rng.integers(0, 4, (12, WINDOW)).astype(np.uint8)
    dna[1, :60] = dna[0, 40:]
    dna[2, :50] = dna[1, 50:]
    dna[2] = reverse_complement(dna[2])
    dna[4, 30:] = dna[3, :70]
    dna[5:, 20:70] = dna[5, 20:70]
    return dna


def test_genes_with_shared_sequence_stay_together_where_no_places_are_known(tmp_path):
    expected = np.array([0, 0, 0, 3, 3, *range(5, 12)])
    store = make_store(tmp_path, 12, tss=[-1] * 12, chrom=[""] * 12, dna=shared_dna())
    genes, _, _, regimes = make_split(tmp_path, store)
    check_groups(genes, regimes, expected)


def test_known_places_outweigh_shared_sequence(tmp_path):
    store = make_store(tmp_path, 12, dna=shared_dna())
    genes, *_ = make_split(tmp_path, store, hold_out="genes")
    assert genes["group"].tolist() == list(range(1, 13))


def test_without_any_knowledge_a_warning_is_given(tmp_path, caplog):
    store = make_store(tmp_path, 12, tss=[-1] * 12, chrom=[""] * 12)
    make_split(tmp_path, store, hold_out="genes")
    assert "genes without coordinates, groups or sequences to compare: 12" in caplog.text


def test_large_groups_are_spread_over_the_folds(tmp_path):
    store = make_store(
        tmp_path, 30, tss=[-1] * 30, chrom=[""] * 30, group=["a"] * 10 + ["b"] * 8 + ["c"] * 7 + [""] * 5
    )
    genes, *_ = make_split(tmp_path, store, hold_out="genes")
    assert genes["fold"].value_counts().tolist() == [10, 10, 10]


# Leaks

# G0 and G1 overlap, and G3, G4 and G5 in a chain: G3 and G5 do not overlap.
NEIGHBOURS = [0, 50, 1000, 3000, 3080, 3160, *(np.arange(6, 16) * 1000)]


def refusal(folder, store, *args, **options):
    """Return the sentence that a split is refused with; nothing may have been written."""
    with pytest.raises(InputError) as caught:
        make_split(folder, store, *args, **options)
    assert not any((folder / output).exists() for output in OUTPUTS.values())
    return str(caught.value)


def leaks(audit):
    """Return {(run, regime): leak} of an audit, without the blocks that leak nothing."""
    rows = audit[audit["leak"] != "-"]
    return dict(zip(zip(rows["run"], rows["regime"], strict=True), rows["leak"], strict=True))


def test_a_split_without_leaks_has_none_in_its_audit(store, tmp_path):
    *_, audit, _ = make_split(tmp_path, store, ["c1"], ["G3", "G7"])
    assert audit.columns[-1] == "leak" and leaks(audit) == {}
    assert "leaks" not in (tmp_path / "warnings.tsv").read_text()
    # Both genes of a pair held out: nothing leaks.
    make_split(tmp_path, make_store(tmp_path, 16, tss=NEIGHBOURS), ["c1"], ["G0", "G1"])


def test_held_out_genes_beside_training_genes_are_refused(tmp_path):
    store = make_store(tmp_path, 16, tss=NEIGHBOURS)
    assert refusal(tmp_path, store, ["c1"], ["G1", "G2"]) == (
        "the split leaks: of what final (unseen_gene), final (both_unseen) holds out, 1 genes share a group with training genes "
        "(G1 with G0: overlapping windows); put each group on one side: add G0 to `held_out_genes` (the log of split lists all), "
        "or remove G1 from it; or set `allow_leakage: true`, and the report says in red what leaks."
    )
    # The end of a chain of which the middle is held out too, and one that only the group column joins.
    says = (
        "2 genes share a group with training genes (G3 with G5: by way of others, G4 with G5: overlapping windows); put"
    )
    assert says in refusal(tmp_path, store, [], ["G3", "G4"])
    store = make_store(tmp_path, 12, group=["a", "", "a", *[""] * 9])
    assert "(G0 with G2: the group column); put" in refusal(tmp_path, store, [], ["G0"], hold_out="genes")


def test_either_cure_of_the_refusal_is_one(tmp_path, caplog):
    caplog.set_level("INFO")
    store = make_store(tmp_path, 16, tss=NEIGHBOURS)
    says = refusal(tmp_path, store, ["c1"], ["G1", "G2", "G4"])
    assert "add G0, G3, G5 to `held_out_genes`" in says and "or remove G1, G4 from it" in says
    assert "with these genes added, `held_out_genes` would not leak: G0 G3 G5" in caplog.text
    for genes in (["G1", "G2", "G4", "G0", "G3", "G5"], ["G2"]):
        *_, audit, _ = make_split(tmp_path, store, ["c1"], genes)
        assert leaks(audit) == {}


def test_an_allowed_leak_is_named_in_the_audit_and_warned_of(tmp_path):
    store = make_store(tmp_path, 16, tss=NEIGHBOURS)
    *_, audit, regimes = make_split(tmp_path, store, ["c1"], ["G1", "G2"], allow_leakage=True)
    leak = "1 genes share a group with training genes (G1 with G0: overlapping windows)"
    assert leaks(audit) == {("final", "unseen_gene"): leak, ("final", "both_unseen"): leak}
    shared = audit[(audit["run"] == "final") & (audit["regime"] == "unseen_gene")]
    assert shared["gene_groups_also_trained_on"].tolist() == [1]
    assert f"holds out, {leak}; `allow_leakage` is true" in (tmp_path / "warnings.tsv").read_text()
    check_blocks(regimes["final"])


def test_genes_that_are_held_out_for_want_of_expression_cannot_be_taken_off_the_list(tmp_path):
    expression = np.random.default_rng(0).normal(size=(6, 16))
    expression[:, 0] = np.nan
    # Known in the held-out cell, so that it is scored there.
    expression[1, 0] = 1.0
    store = make_store(tmp_path, 16, tss=NEIGHBOURS, expression=expression)
    says = refusal(tmp_path, store, ["c1"], ["G2"])
    assert "(G0 with G1: overlapping windows)" in says and "add G1 to `held_out_genes`" in says and "remove" not in says
    make_split(tmp_path, store, ["c1"], ["G2", "G1"])


def test_genes_that_are_not_scored_leak_nothing_but_are_told_of(tmp_path):
    expression = np.random.default_rng(0).normal(size=(6, 16))
    expression[:, 0] = np.nan
    *_, audit, _ = make_split(tmp_path, make_store(tmp_path, 16, tss=NEIGHBOURS, expression=expression), ["c1"], ["G2"])
    assert leaks(audit) == {}
    said = (tmp_path / "warnings.tsv").read_text()
    assert "1 held-out genes without expression share bins or sequence with training genes" in said and "G0" in said


def test_a_held_out_cell_that_is_a_copy_of_a_training_cell_is_refused(tmp_path):
    store = make_store(tmp_path, 16)
    marks = np.random.default_rng(0).integers(5, size=(len(CELLS), 16, 1, 1)).astype(np.uint16)
    marks[1] = marks[4]
    # Cells without reads are no copies.
    marks[2:4] = 0
    np.save(tmp_path / "store/histone.npy", marks)
    store = [*store, tmp_path / "store/histone.npy"]
    says = refusal(tmp_path, store, [CELLS[1]], ["G2"])
    assert (
        "of what final (unseen_cell), final (both_unseen) holds out, 1 cells have the very marks of training cells (c1)"
        in says
    )
    assert "leave one of each two copies out of `cells`, or correct its files; or set `allow_leakage: true`" in says
    *_, audit, _ = make_split(tmp_path, store, [CELLS[1]], ["G2"], allow_leakage=True)
    assert set(leaks(audit)) == {("final", "unseen_cell"), ("final", "both_unseen")}
    make_split(tmp_path, store, [CELLS[1], CELLS[4]], ["G2"])


def test_random_rows_are_refused(store, tmp_path):
    says = refusal(tmp_path, store, hold_out="samples", allow_leakage=False)
    assert says.startswith(
        "the split leaks: of what fold-1 (leaking) holds out, 36 genes are trained on too (G0, G1, G2, G3, G4 and 31 more)"
    )
    assert (
        "; 1 more leaks are like these; set `folds.hold_out` to cells_and_genes or genes; or set `allow_leakage: true`"
        in says
    )
    assert "held_out_genes" not in says


@pytest.mark.parametrize(
    ("regime", "says"),
    [
        ("unseen_cell", "of what fold-1 (unseen_cell), fold-1 (both_unseen) holds out, 1 cells are trained on too (c"),
        ("unseen_gene", "of what fold-1 (unseen_gene), fold-1 (both_unseen) holds out, 1 genes are trained on too (G"),
    ],
)
def test_a_single_sample_on_the_wrong_side_is_found(store, tmp_path, monkeypatch, regime, says):
    right = split_module._fold_regimes

    def wrong(fold, *args):
        regimes = right(fold, *args)
        if fold == 0:
            cell, gene = np.argwhere(regimes == regime)[-1]
            regimes[cell, gene] = "train"
        return regimes

    monkeypatch.setattr(split_module, "_fold_regimes", wrong)
    assert says in refusal(tmp_path, store)


def test_a_group_in_two_folds_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(split_module, "_deal_groups", lambda group, *args: np.arange(len(group)) % 3)
    says = (
        "2 genes share a group with training genes (G0 with G1: overlapping windows, G3 with G4: overlapping windows)"
    )
    store = make_store(tmp_path, 16, tss=NEIGHBOURS)
    assert f"of what fold-1 (unseen_gene), fold-1 (both_unseen) holds out, {says};" in refusal(tmp_path, store)


# Similar windows


LONG = 2000


def family(rng):
    """Windows of 2,000 bp: 0 and 9 are one but for two bases, on other strands; 3 holds 40% of 8, 10 a tenth of 6."""
    dna = rng.integers(0, 4, (12, LONG)).astype(np.uint8)
    dna[9] = dna[0]
    dna[9, [700, 1400]] ^= 1
    dna[9] = reverse_complement(dna[9])
    dna[3, 100:900] = dna[8, 1200:]
    dna[10, :200] = dna[6, :200]
    return dna


def similarities(folder):
    return pd.read_csv(folder / "similarity.tsv", sep="\t", keep_default_na=False, dtype={"similarity": str})


def test_windows_of_the_same_sequence_are_one_group_wherever_they_lie(tmp_path):
    chrom = [str(number) for number in range(12)]
    store = make_store(tmp_path, 12, chrom=chrom, dna=family(np.random.default_rng(1)))
    genes, _, _, regimes = make_split(tmp_path, store, hold_out="genes")
    check_groups(genes, regimes, np.array([*range(9), 0, 9, 10]))
    assert "(G0 with G9: near-identical sequence)" in refusal(tmp_path / "refused", store, [], ["G0"])
    *_, audit, _ = make_split(tmp_path, store, [], ["G0"], allow_leakage=True)
    assert set(leaks(audit)) == {("final", "unseen_gene")}
    table = similarities(tmp_path)
    assert table[["run", "gene_id", "similar_to"]].iloc[0].tolist() == ["final", "G0", "G9"]
    assert float(table["similarity"][0]) >= 0.9


def test_the_most_similar_training_window_of_every_held_out_gene(tmp_path):
    store = make_store(tmp_path, 12, dna=family(np.random.default_rng(1)))
    genes, *_ = make_split(tmp_path, store, ["c0"], ["G8"], hold_out="genes")
    table = similarities(tmp_path)
    assert table.columns.tolist() == ["run", "gene_id", "similar_to", "similarity"]
    runs = {"-": "final", "1": "fold-1", "2": "fold-2", "3": "fold-3"}
    expected = sorted((runs[fold], gene) for gene, fold in zip(genes["gene_id"], genes["fold"], strict=True))
    assert sorted(zip(table["run"], table["gene_id"], strict=True)) == expected
    rows = table.set_index("gene_id")
    # A held-out test gene is no training gene of any fold: G3 is like none.
    assert rows.loc["G8", "similar_to"] == "G3" and 0.2 < float(rows.loc["G8", "similarity"]) < 0.6
    assert rows.loc["G3", ["similar_to", "similarity"]].tolist() == ["-", "0"]
    # Too little to be told.
    assert rows.loc["G6", "similar_to"] == "G10" and 0 < float(rows.loc["G6", "similarity"]) < 0.2
    # Nor is G9 one of the fold that holds out G0.
    assert rows.loc["G0", "similar_to"] == "-"
    part = float(rows.loc["G8", "similarity"])
    assert (tmp_path / "warnings.tsv").read_text().splitlines()[1:] == [
        "1 of 12 held-out genes have a window of which more than 20% stands in that of one training gene too, as between paralogues; "
        f"their scores may flatter: G8 like G3 ({part:.2f}, final); see similarity.tsv"
    ]


def test_without_sequences_or_held_out_genes_no_similarity_is_told(store, tmp_path):
    make_split(tmp_path, store, ["c1"], ["G3"])
    assert (tmp_path / "similarity.tsv").read_text() == "run\tgene_id\tsimilar_to\tsimilarity\n"
    with_dna = make_store(tmp_path, 12, dna=family(np.random.default_rng(1)))
    make_split(tmp_path, with_dna, hold_out="samples")
    assert (tmp_path / "similarity.tsv").read_text() == "run\tgene_id\tsimilar_to\tsimilarity\n"


# The course's split


def test_the_regimes_of_the_course(tmp_path):
    """Of its 177,032 held-out rows 54.2% are of seen genes, 40.9% of seen cells, and 4.9% of neither."""
    folder = real("course_structure")
    table = pd.read_csv(folder / "genes.tsv", sep="\t")
    course = yaml.safe_load((Path(__file__).parents[3] / "resources/course.yaml").read_text())
    cells = course["cells"]
    assert sorted(cells["held_out"]) == (folder / "held_out_cells.txt").read_text().split()
    store = make_store(tmp_path, len(table), cells=cells["train"] + cells["held_out"], tss=[-1] * len(table))
    out = [f"G{row}" for row in np.flatnonzero(table["set"] == "eval")]
    *_, audit, _ = make_split(tmp_path, store, cells["held_out"], out, folds=2)
    final = audit[audit["run"] == "final"].set_index("regime")["samples"]
    assert final.to_dict() == {"train": 50 * 16_000, "unseen_cell": 96_000, "unseen_gene": 72_350, "both_unseen": 8_682}
    part = final.drop("train") / final.drop("train").sum()
    assert part.sum() == 1 and (100 * part).round(1).tolist() == [54.2, 40.9, 4.9]


# Held-out genes and missing expression


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_held_out_genes_from_a_file(store, tmp_path, pack):
    (tmp_path / "list.txt").write_bytes(pack(b"G7\r\n\nG3\n"))
    genes, *_ = make_split(tmp_path, store, held_out_genes=str(tmp_path / "list.txt"))
    assert set(genes.loc[genes["set"] == "held_out", "gene_id"]) == {"G3", "G7"}


def test_held_out_genes_may_have_versions(tmp_path):
    write_part(
        tmp_path / "genes.npz",
        [],
        gene_id=np.array(["ENSG00000000003", "ENSG00000000005", "x", "y"]),
        chrom=np.full(4, "1"),
        tss=np.arange(4) * 1000,
        strand=np.full(4, "+"),
        group=np.full(4, ""),
    )
    ids = np.load(tmp_path / "genes.npz")["gene_id"]
    write_part(tmp_path / "expression.npz", [], gene_id=ids, cell=np.array(["a"]), values=np.ones((1, 4), np.float32))
    paths = [tmp_path / "store" / name for name in ("genes.tsv", "cells.tsv", "expression.npy", "store.json")]
    sizes = {"cells": ["a"], "marks": [], "window": WINDOW, "bins": 1, "oriented": True}
    build_store(paths, tmp_path / "odd.tsv", tmp_path / "genes.npz", expression=tmp_path / "expression.npz", **sizes)
    genes, *_ = make_split(tmp_path, paths, held_out_genes=["ENSG00000000005.12"], hold_out="genes")
    assert genes["set"].tolist() == ["train", "held_out", "train", "train"]


def test_genes_and_cells_without_expression_are_held_out(tmp_path, caplog):
    expression = np.random.default_rng(0).normal(size=(6, 40))
    # G2 is known in the held-out cell alone, G4 nowhere; c5 is known for the held-out gene alone.
    expression[1:, 2] = np.nan
    expression[:, 4] = np.nan
    expression[5, :39] = np.nan
    store = make_store(tmp_path, expression=expression)
    genes, cells, _, regimes = make_split(tmp_path, store, ["c0"], ["G39"])
    assert set(genes.loc[genes["set"] == "held_out", "gene_id"]) == {"G2", "G4", "G39"}
    assert set(cells.loc[cells["set"] == "held_out", "cell"]) == {"c0", "c5"}
    assert "1 training cells without any expression are only predicted: c5" in caplog.text
    assert "2 training genes without any expression are only predicted: G2, G4" in caplog.text
    assert (tmp_path / "warnings.tsv").read_text().splitlines() == [
        "warning",
        "1 training cells without any expression are only predicted: c5",
        "2 training genes without any expression are only predicted: G2, G4",
    ]
    assert regimes["final"][0, 2] == "both_unseen" and regimes["final"][1, 2] == "unseen_gene"
    for regime in regimes.values():
        check_blocks(regime)


def test_single_unknown_values_stay_in_their_block(tmp_path):
    expression = np.random.default_rng(0).normal(size=(6, 40))
    expression[2, 3] = np.nan
    *_, audit, regimes = make_split(tmp_path, make_store(tmp_path, expression=expression))
    assert (regimes["final"] == "train").all()
    trained = audit[(audit["run"] == "final") & (audit["regime"] == "train")].iloc[0]
    assert trained["samples"] == 240 and trained["samples_with_truth"] == 239


# Refusals


@pytest.mark.parametrize(
    ("held_out_genes", "says"),
    [
        (
            ["G1", "nope", "G2", "neither"],
            "config key `held_out_genes`: 2 ids are not among the genes of the store: neither, nope; correct",
        ),
        (["G1", "G2", "G1"], "config key `held_out_genes`: the gene G1 is listed twice; remove one."),
        ([f"G{number}" for number in range(40)], "no sample is left to train on: check `cells.train` and `held_out_genes`"),
    ],
)  # fmt: skip
def test_lists_of_genes_that_do_not_fit_are_refused(store, tmp_path, held_out_genes, says):
    with pytest.raises(InputError) as caught:
        make_split(tmp_path, store, held_out_genes=held_out_genes)
    assert str(caught.value).startswith(says)
    assert not any((tmp_path / output).exists() for output in OUTPUTS.values())


def test_a_file_of_genes_is_named_in_the_refusal(store, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("G1\nnope\n")
    with pytest.raises(InputError) as caught:
        make_split(tmp_path, store, held_out_genes=str(path))
    assert str(caught.value).startswith(f"{path}: 1 ids are not among the genes of the store: nope; correct")
    path.write_bytes(gzip.compress(b"G1\n" * 100)[:-9])
    with pytest.raises(InputError, match="truncated"):
        make_split(tmp_path, store, held_out_genes=str(path))
    with pytest.raises(InputError, match="does not exist"):
        make_split(tmp_path, store, held_out_genes=str(tmp_path / "no.txt"))


def test_fewer_cells_than_folds_are_refused_and_genes_suggested(store, tmp_path):
    with pytest.raises(InputError) as caught:
        make_split(tmp_path, store, held_out_cells=CELLS[2:])
    assert str(caught.value) == (
        "config key `folds.number` is 3, but only 2 training cells have expression: "
        "set `folds.hold_out: genes`, which holds out genes in all cells, or lower `folds.number`."
    )
    for hold_out in ("genes", "samples"):
        make_split(tmp_path, store, held_out_cells=CELLS[2:], hold_out=hold_out)


def test_fewer_groups_than_folds_are_refused(tmp_path):
    store = make_store(tmp_path, 10, tss=[*range(0, 500, 100), *range(9000, 9500, 100)])
    with pytest.raises(InputError) as caught:
        make_split(tmp_path, store)
    assert str(caught.value).startswith(
        "config key `folds.number` is 3, but the training genes form only 2 groups that must stay together; lower it"
    )
    make_split(tmp_path, store, hold_out="samples")
    make_split(tmp_path, store, folds=2)


def test_genes_without_coordinates_are_compared_by_their_sequence(tmp_path):
    """Two chains of overlapping windows; in each, one gene has no coordinates."""
    genome = np.random.default_rng(8).integers(0, 4, 2000).astype(np.uint8)
    tss = [100, 150, 200, 700, 750, 1200, 1400, 1600]
    dna = np.stack([genome[place - 50 : place + 50] for place in tss])
    known = [place if row not in (1, 4) else -1 for row, place in enumerate(tss)]
    chrom = ["1" if place >= 0 else "" for place in known]
    store = make_store(tmp_path, 8, tss=known, chrom=chrom, dna=dna)
    genes, _, _, regimes = make_split(tmp_path, store, hold_out="genes")
    check_groups(genes, regimes, np.array([0, 0, 0, 1, 1, 2, 3, 4]))


def test_genes_with_nothing_to_group_them_by_are_warned_of(tmp_path, caplog):
    store = make_store(tmp_path, 8, tss=[-1, *range(0, 7000, 1000)], chrom=["", *["1"] * 7])
    make_split(tmp_path, store)
    assert "genes without coordinates, groups or sequences to compare: 1;" in caplog.text


def test_a_fold_without_anything_to_train_on_is_refused(tmp_path):
    """Two cells, of which one has a single known value: the fold that holds out the other cell may be left with nothing."""
    expression = np.full((2, 6), np.nan)
    expression[0] = np.arange(6)
    expression[1, 0] = 1.0
    store = make_store(tmp_path, 6, cells=["c0", "c1"], expression=expression)
    said = set()
    for seed in range(8):
        try:
            make_split(tmp_path, store, folds=2, seed=seed)
        except InputError as error:
            said.add(re.sub(r"fold-\d", "fold-n", str(error)))
    assert len(said) == 1
    assert "nothing with a known expression is left to train fold-n on" in said.pop()


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ({"kind": "value", "transform": "log2p1"}, "`expression.transform` is log2p1"),
        ({"kind": "label", "transform": "none"}, "`expression.target` is label"),
    ],
)
def test_values_that_the_target_cannot_be_made_of_are_found_before_training(store, tmp_path, target, says):
    with pytest.raises(InputError, match=says):
        make_split(tmp_path, store, target=target)
    assert not any((tmp_path / output).exists() for output in OUTPUTS.values())


def test_genes_without_a_reference_have_nothing_to_be_trained_on(tmp_path, caplog):
    store = make_store(tmp_path, expression=np.ones((6, 40)))
    reference = np.ones(40, np.float32)
    reference[3] = np.nan
    save_array(reference, tmp_path / "store/reference.npy")
    store = [*store, tmp_path / "store/reference.npy"]
    genes, _, audit, _ = make_split(tmp_path, store, target={"kind": "value", "transform": "log2ratio:E000"})
    assert genes.loc[genes["set"] == "held_out", "gene_id"].tolist() == ["G3"]
    assert "1 training genes without any expression and reference are only predicted: G3" in caplog.text
    unseen = audit[(audit["run"] == "final") & (audit["regime"] == "unseen_gene")].iloc[0]
    assert unseen["samples"] == 6 and unseen["samples_with_truth"] == 0


MEDIAN = {"kind": "above_median", "transform": "none"}
NONE_BELOW = "where the lowest value of a cell, mostly 0, is that of half of its genes or more, it is the median too"


def test_labels_that_are_all_the_same_are_refused_and_in_a_cell_warned_of(tmp_path, caplog):
    expression = np.zeros((6, 40))
    expression[:, :15] = np.arange(1, 16)
    store = make_store(tmp_path, expression=expression)
    with pytest.raises(InputError) as caught:
        make_split(tmp_path, store, target=MEDIAN)
    assert str(caught.value).startswith(
        "config key `expression.target` is above_median, but all labels are the same, so there is nothing to learn: "
        + NONE_BELOW
    )
    # In one cell all but a few are expressed.
    expression[2, :35] = np.arange(1, 36)
    make_split(tmp_path, make_store(tmp_path, expression=expression), target=MEDIAN)
    assert f"all genes of 5 cells have the same label: c0, c1, c3, c4, c5; {NONE_BELOW}" in caplog.text


def test_nothing_odd_is_said_so(store, tmp_path):
    make_split(tmp_path, store)
    assert (tmp_path / "warnings.tsv").read_text() == "warning\nNothing odd was met.\n"


ZSCORE = {"kind": "value", "transform": "zscore_per_gene"}


def test_a_run_without_any_z_score_is_refused(tmp_path):
    """Three training cells; where two folds hold out one and two of them, one run is left with a single value per gene."""
    store = make_store(tmp_path, cells=CELLS[:3])
    with pytest.raises(InputError) as caught:
        make_split(tmp_path, store, folds=2, target=ZSCORE)
    assert re.fullmatch(
        "config key `expression.transform` is zscore_per_gene, but no gene has two different values among the training samples of "
        "fold-[12]: name more training cells in `cells.train`, or take another transform.",
        str(caught.value),
    )
    *_, regimes = make_split(tmp_path, store, folds=3, target=ZSCORE)
    check_blocks(regimes["fold-1"])


def test_a_group_is_no_place_where_other_genes_have_coordinates(tmp_path):
    """Gene 1 has a group of its own and no coordinates; its window overlaps that of gene 0."""
    genome = np.random.default_rng(9).integers(0, 4, 2000).astype(np.uint8)
    tss = [100, 120, 700, 1200, 1600]
    dna = np.stack([genome[place - 50 : place + 50] for place in tss])
    known, chrom, group = [100, -1, 700, 1200, 1600], ["1", "", "1", "1", "1"], ["", "x", "", "", ""]
    store = make_store(tmp_path, 5, tss=known, chrom=chrom, group=group, dna=dna)
    genes, _, _, regimes = make_split(tmp_path, store, hold_out="genes")
    check_groups(genes, regimes, np.array([0, 0, 1, 2, 3]))
