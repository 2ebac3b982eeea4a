"""The lists of held-out cells and genes, missing expression, and targets that cannot be made."""

import gzip
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.real_data import real
from helpers.splits import CELLS, OUTPUTS, check_blocks, make_split, make_store
from wakawaka.core.errors import InputError
from wakawaka.core.files import save_array


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


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_held_out_genes_from_a_file(store, tmp_path, pack):
    (tmp_path / "list.txt").write_bytes(pack(b"G7\r\n\nG3\n"))
    genes, *_ = make_split(tmp_path, store, held_out_genes=str(tmp_path / "list.txt"))
    assert set(genes.loc[genes["set"] == "held_out", "gene_id"]) == {"G3", "G7"}


def test_held_out_genes_may_have_versions(tmp_path):
    store = make_store(tmp_path, ids=["ENSG00000000003", "ENSG00000000005", "x", "y"])
    genes, *_ = make_split(tmp_path, store, held_out_genes=["ENSG00000000005.12"], hold_out="genes")
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


def test_single_unknown_values_stay_in_their_regime(tmp_path):
    expression = np.random.default_rng(0).normal(size=(6, 40))
    expression[2, 3] = np.nan
    *_, audit, regimes = make_split(tmp_path, make_store(tmp_path, expression=expression))
    assert (regimes["final"] == "train").all()
    trained = audit[(audit["run"] == "final") & (audit["regime"] == "train")].iloc[0]
    assert trained["samples"] == 240 and trained["samples_with_truth"] == 239


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


def test_a_fold_without_anything_to_train_on_is_refused(tmp_path):
    """One of two cells has a single known value. The fold that holds out the other cell may be left with nothing."""
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
def test_values_that_the_target_cannot_be_made_of_are_refused(store, tmp_path, target, says):
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
NONE_BELOW = "no gene is below the median of a cell where half of its genes or more have its lowest value, mostly 0"


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


def test_without_warnings_the_table_says_so(store, tmp_path):
    make_split(tmp_path, store)
    assert (tmp_path / "warnings.tsv").read_text() == "warning\nNothing odd was met.\n"


ZSCORE = {"kind": "value", "transform": "zscore_per_gene"}


def test_a_run_without_any_z_score_is_refused(tmp_path):
    """Two folds hold out one and two of three training cells, so that one run has a single value per gene."""
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


def test_genes_without_two_different_training_values_have_no_z_score_and_are_warned_of(tmp_path):
    expression = np.random.default_rng(0).normal(size=(6, 40))
    expression[:, [3, 7]] = 1
    store = make_store(tmp_path, expression=expression)
    _, _, audit, _ = make_split(tmp_path, store, held_out_genes=["G3"], hold_out="genes", target=ZSCORE)
    # G3 is held out, so that nothing is fitted for it; no held-out gene has a z-score.
    assert "have expression but not two different training values, which a z-score needs" in warnings_of(tmp_path)
    trained = audit[(audit["run"] == "final") & (audit["regime"] == "train")].iloc[0]
    assert trained["samples"] == 39 * 6 and trained["samples_with_truth"] == 38 * 6


@pytest.mark.parametrize("value", [0, 1])
def test_labels_that_are_all_the_same_are_refused(tmp_path, value):
    store = make_store(tmp_path, expression=np.full((6, 40), value))
    with pytest.raises(
        InputError, match="`expression.target` is label, but all labels are the same.*check the expression file"
    ):
        make_split(tmp_path, store, target={"kind": "label", "transform": "none"})


def warnings_of(folder):
    return (folder / "warnings.tsv").read_text()
