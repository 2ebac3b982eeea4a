"""What held-out samples share with training samples is counted, refused or warned of."""

import numpy as np
import pandas as pd
import pytest

import wakawaka.splits.folds as folds_module
import wakawaka.splits.split as split_module
from helpers.splits import CELLS, NEIGHBOURS, check_blocks, check_groups, leaks, make_split, make_store, refusal
from wakawaka.genome.dna import reverse_complement
from wakawaka.splits.folds import deal


def test_the_audit_counts_what_regimes_share_with_training_samples(store, tmp_path):
    *_, audit, _ = make_split(tmp_path, store, ["c1"], ["G3", "G7"])
    columns = ["cells", "genes", "samples", "samples_with_truth", "cells_also_trained_on", "genes_also_trained_on"]
    final = audit[audit["run"] == "final"].set_index("regime")[[*columns, "gene_groups_also_trained_on"]]
    assert final.loc["train"].tolist() == [5, 38, 190, 190, 5, 38, 38]
    assert final.loc["unseen_cell"].tolist() == [1, 38, 38, 38, 0, 38, 38]
    assert final.loc["unseen_gene"].tolist() == [5, 2, 10, 10, 5, 0, 0]
    assert final.loc["both_unseen"].tolist() == [1, 2, 2, 2, 0, 0, 0]
    assert audit["run"].unique().tolist() == ["final", "fold-1", "fold-2", "fold-3"]
    assert (audit.loc[audit["regime"].isin(["unseen_gene", "both_unseen"]), "gene_groups_also_trained_on"] == 0).all()


def test_a_split_without_leaks_has_none_in_its_audit(store, tmp_path):
    *_, audit, _ = make_split(tmp_path, store, ["c1"], ["G3", "G7"])
    assert audit.columns[-1] == "leak" and leaks(audit) == {}
    assert "leaks" not in (tmp_path / "warnings.tsv").read_text()
    # Both genes of a pair held out: nothing leaks.
    make_split(tmp_path, make_store(tmp_path, 16, tss=NEIGHBOURS), ["c1"], ["G0", "G1"])


def test_held_out_genes_that_overlap_training_genes_are_refused(tmp_path):
    store = make_store(tmp_path, 16, tss=NEIGHBOURS)
    assert refusal(tmp_path, store, ["c1"], ["G1", "G2"]) == (
        "the split leaks: in final (unseen_gene), final (both_unseen), 1 genes share a group with training genes "
        "(G1 with G0: overlapping windows); put each group on one side: add G0 to `held_out_genes` (the log of split lists all), "
        "or remove G1 from it; or set `allow_leakage: true`; the report then names in red what leaks."
    )
    # The end of a chain of which the middle is held out too, and one that only the group column joins.
    says = "2 genes share a group with training genes (G3 with G5: through other genes, G4 with G5: overlapping windows); put"
    assert says in refusal(tmp_path, store, [], ["G3", "G4"])
    store = make_store(tmp_path, 12, group=["a", "", "a", *[""] * 9])
    assert "(G0 with G2: the group column); put" in refusal(tmp_path, store, [], ["G0"], hold_out="genes")


def test_either_cure_of_the_refusal_works(tmp_path, caplog):
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
    assert f"final (both_unseen), {leak}; `allow_leakage` is true" in (tmp_path / "warnings.tsv").read_text()
    check_blocks(regimes["final"])


def test_genes_that_are_held_out_without_being_listed_cannot_be_removed(tmp_path):
    expression = np.random.default_rng(0).normal(size=(6, 16))
    expression[:, 0] = np.nan
    # Known in the held-out cell, so that it is scored there.
    expression[1, 0] = 1.0
    store = make_store(tmp_path, 16, tss=NEIGHBOURS, expression=expression)
    says = refusal(tmp_path, store, ["c1"], ["G2"])
    assert "(G0 with G1: overlapping windows)" in says and "add G1 to `held_out_genes`" in says and "remove" not in says
    make_split(tmp_path, store, ["c1"], ["G2", "G1"])


def test_genes_that_are_not_scored_do_not_leak_but_are_warned_of(tmp_path):
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
    assert "in final (unseen_cell), final (both_unseen), 1 cells have the same marks as training cells (c1)" in says
    assert "leave one of each two copies out of `cells`, or correct its files; or set `allow_leakage: true`" in says
    *_, audit, _ = make_split(tmp_path, store, [CELLS[1]], ["G2"], allow_leakage=True)
    assert set(leaks(audit)) == {("final", "unseen_cell"), ("final", "both_unseen")}
    make_split(tmp_path, store, [CELLS[1], CELLS[4]], ["G2"])


def test_random_rows_are_refused(store, tmp_path):
    says = refusal(tmp_path, store, hold_out="samples", allow_leakage=False)
    assert says.startswith(
        "the split leaks: in fold-1 (leaking), 36 genes are trained on too (G0, G1, G2, G3, G4 and 31 more)"
    )
    assert (
        "; 1 more leaks are like these; set `folds.hold_out` to cells_and_genes or genes; or set `allow_leakage: true`"
        in says
    )
    assert "held_out_genes" not in says


@pytest.mark.parametrize(
    ("regime", "says"),
    [
        ("unseen_cell", "in fold-1 (unseen_cell), fold-1 (both_unseen), 1 cells are trained on too (c"),
        ("unseen_gene", "in fold-1 (unseen_gene), fold-1 (both_unseen), 1 genes are trained on too (G"),
    ],
)
def test_a_single_sample_on_the_wrong_side_is_found(store, tmp_path, monkeypatch, regime, says):

    def wrong(*args, **settings):
        folds = deal(*args, **settings)
        cell, gene = np.argwhere(folds.regimes["fold-1"] == regime)[-1]
        folds.regimes["fold-1"][cell, gene] = "train"
        return folds

    monkeypatch.setattr(split_module, "deal", wrong)
    assert says in refusal(tmp_path, store)


def test_a_group_in_two_folds_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(folds_module, "deal_groups", lambda group, *args: np.arange(len(group)) % 3)
    says = (
        "2 genes share a group with training genes (G0 with G1: overlapping windows, G3 with G4: overlapping windows)"
    )
    store = make_store(tmp_path, 16, tss=NEIGHBOURS)
    assert f"in fold-1 (unseen_gene), fold-1 (both_unseen), {says};" in refusal(tmp_path, store)


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


def test_windows_of_the_same_sequence_are_one_group_at_any_place(tmp_path):
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
    # Too little for a warning.
    assert rows.loc["G6", "similar_to"] == "G10" and 0 < float(rows.loc["G6", "similarity"]) < 0.2
    # Nor is G9 one of the fold that holds out G0.
    assert rows.loc["G0", "similar_to"] == "-"
    part = float(rows.loc["G8", "similarity"])
    assert (tmp_path / "warnings.tsv").read_text().splitlines()[1:] == [
        "1 of 12 held-out genes have a window of which more than 20% stands in that of one training gene too, as between paralogues; "
        f"their scores may be overstated: G8 and G3 ({part:.2f}, final); see similarity.tsv"
    ]


def test_without_sequences_or_held_out_genes_the_table_of_similarity_is_empty(store, tmp_path):
    make_split(tmp_path, store, ["c1"], ["G3"])
    assert (tmp_path / "similarity.tsv").read_text() == "run\tgene_id\tsimilar_to\tsimilarity\n"
    with_dna = make_store(tmp_path, 12, dna=family(np.random.default_rng(1)))
    make_split(tmp_path, with_dna, hold_out="samples")
    assert (tmp_path / "similarity.tsv").read_text() == "run\tgene_id\tsimilar_to\tsimilarity\n"
