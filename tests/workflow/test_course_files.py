"""The course's files give the store, the splits and the submission that raw files give."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.project import SMALL, Project


@pytest.fixture(scope="module")
def course(example, tmp_path_factory):
    """A copy with the example's data in the course's files (ln(count + 1), genomic order, Ensembl numbers), predicted and drawn."""
    project = Project.fresh(tmp_path_factory.mktemp("course"))
    genes = pd.read_csv(example / "results/store/genes.tsv", sep="\t")
    expression = pd.read_csv(example / "results/example/expression.tsv", sep="\t", index_col="gene_id")
    held_out = genes["gene_id"].isin((example / "results/example/held_out_genes.txt").read_text().split()).to_numpy()
    config = yaml.safe_load((example / SMALL).read_text())
    number = genes["gene_id"].str.removeprefix("GENE").astype(int)
    train, evaluation = {}, {}
    for cell in [*config["cells"]["train"], *config["cells"]["held_out"]]:
        with np.load(example / f"results/read_counts/{cell}.npz") as part:
            row = pd.Series(range(len(part["gene_id"])), index=part["gene_id"])[genes["gene_id"]].to_numpy()
            logs = np.log1p(part["values"][row].astype(np.float32))
        column = np.broadcast_to(number.to_numpy()[:, None, None], (*logs.shape[:2], 1))
        truth = np.broadcast_to(expression.loc[genes["gene_id"], cell].to_numpy()[:, None, None], column.shape)
        array = np.concatenate([column, logs, truth], axis=2).astype(np.float32)
        if cell in config["cells"]["held_out"]:
            evaluation[cell] = array[:, :, :-1]
        else:
            train[cell] = array[~held_out]
            # In eval.npz the genes of the training cells stand in another order than everywhere else.
            evaluation[cell] = np.random.default_rng(7).permutation(array[held_out])[:, :, :-1]
    np.savez(project / "resources/train.npz", **train)
    np.savez(project / "resources/eval.npz", **evaluation)
    with np.load(example / "results/read_fasta/sequence.npz") as part:
        sequence = {
            gene: "".join("ACGTN"[code] for code in codes)
            for gene, codes in zip(part["gene_id"], part["values"], strict=True)
        }
    with open(project / "resources/seq_data.csv", "w") as file:
        file.writelines(f"{int(gene.removeprefix('GENE'))},{letters}\n" for gene, letters in sequence.items())
    genes.assign(gene_id=[f"ENSG{n:011d}" for n in number]).to_csv(
        project / "resources/genes.tsv", sep="\t", index=False
    )
    config |= {
        "held_out_genes": [],
        "genes": {"reader": "table", "path": "resources/genes.tsv", "first_base": 0},
        "histone": {"reader": "npz", "path": ["resources/train.npz", "resources/eval.npz"], "scale": "log1p"},
        "sequence": {"reader": "csv", "path": "resources/seq_data.csv"},
        "expression": {"reader": "npz", "path": "resources/train.npz"},
        "submission": {"order": "resources/eval.npz"},
    }
    (project / "my.yaml").write_text(yaml.safe_dump(config))
    targets = ["results/predictions/wakawaka/submission.csv", "results/attributions/wakawaka/best.npz"]
    project.snakemake(*targets, configfile="my.yaml")
    return project


def test_the_store_is_the_same(course, example):
    for name in ("histone.npy", "dna.npy"):
        ours, raw = (np.load(where / "results/store" / name) for where in (course, example))
        assert ours.dtype == raw.dtype
        assert np.array_equal(ours, raw)
    ours, raw = (np.load(where / "results/store/expression.npy") for where in (course, example))
    known = np.isfinite(ours)
    assert np.array_equal(ours[known], raw[known])
    # What the course keeps to itself is not known: held-out genes and held-out cells.
    final = pd.read_csv(example / "results/splits/samples.tsv.gz", sep="\t")["final"].to_numpy(str)
    assert np.array_equal(known.ravel(), final == "train")
    assert np.array_equal(pd.read_csv(course / "results/splits/samples.tsv.gz", sep="\t")["final"].to_numpy(str), final)
    assert json.loads((course / "results/store/store.json").read_text())["scale"] == "counts"


def test_the_rows_of_the_submission_stand_in_the_order_of_the_file(course):
    submission = pd.read_csv(course / "results/predictions/wakawaka/submission.csv")
    assert list(submission.columns) == ["id", "expression"]
    with np.load(course / "resources/eval.npz") as file:
        expected = [f"{cell}_{int(gene)}" for cell in file.files for gene in file[cell][:, 0, 0]]
    assert submission["id"].tolist() == expected
    assert submission["expression"].notna().all()
    predictions = pd.read_csv(course / "results/predictions/wakawaka/final.tsv.gz", sep="\t")
    by_id = predictions.set_index(predictions["cell"] + "_" + predictions["gene_id"].str[4:].astype(int).astype(str))
    assert np.allclose(submission["expression"], by_id.loc[submission["id"], "prediction"], rtol=1e-5)


def test_where_the_truth_of_the_test_set_is_hidden_a_gene_is_drawn_by_the_fold_that_held_it_out(course):
    with np.load(course / "results/attributions/wakawaka/best.npz") as file:
        drawn = {name: file[name][()] for name in ("cell", "gene_id", "regime", "run", "prediction")}
    assert drawn["run"].startswith("fold-")
    table = pd.read_csv(course / "results/predictions/wakawaka/out_of_fold.tsv.gz", sep="\t")
    names = ["cell", "gene_id", "regime", "run"]
    row = table[(table[names] == [drawn[name] for name in names]).all(axis=1)]
    assert len(row) == 1
    assert drawn["prediction"] == pytest.approx(row["prediction"].item(), rel=1e-4)
