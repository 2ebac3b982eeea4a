"""The effects that the built-in example plants are found, each by the final model; and nothing is found where none is planted."""

import pandas as pd
import pytest

from helpers.project import table
from wakawaka.example.check_example import check_example

CONFIG = """
models: {{wakawaka-plus: null}}
modules: [histone]
cells: {{train: [C01, C02, C03, C04, C05, C06], held_out: [C07, C08]}}
folds: {{number: 2}}
training: {{epochs: 15, batch_size: 20}}
example: {{genes: 120, held_out_genes: 20, effect: {effect}}}
"""

# A smaller window than by default, so that it takes seconds.
ONE_COPY = """
models: {wakawaka: null}
modules: [dna]
cells: {train: [C01, C02, C03], held_out: [C04]}
window: 2000
bins: 20
folds: {number: 2, hold_out: genes}
example: {genes: 300, held_out_genes: 60, motif_copies: 1}
"""


def final_errors(project, model):
    """Train and predict the final run alone; return the MSEs on the test set as rows of a table of scores."""
    paths = [f"predictions/{model}/final.tsv.gz", "baselines/final.tsv.gz"]
    project.snakemake(*(f"results/{path}" for path in paths), configfile="my.yaml")
    keys = ["cell", "gene_id", "regime", "truth"]
    predicted, baselines = (table(project, path).set_index(keys) for path in paths)
    predicted = baselines.assign(**{model: predicted["prediction"]}).reset_index("truth")
    errors = predicted.drop(columns="truth").sub(predicted["truth"], axis=0) ** 2
    found = errors.groupby("regime").mean().drop(index="train").melt(var_name="predictor", ignore_index=False)
    return found.reset_index().assign(set="test", run="final", similarity="all", metric="mse")


@pytest.mark.parametrize(("effect", "beaten"), [(1.0, True), (0.0, False)])
def test_the_model_beats_the_training_mean_only_where_there_is_something_to_learn(project, tmp_path, effect, beaten):
    """The check of the example can fail."""
    (project / "my.yaml").write_text(CONFIG.format(effect=effect))
    final_errors(project, "wakawaka").to_csv(tmp_path / "scores.tsv", sep="\t", index=False)
    truth = project / "results/example/truth.json"
    check_example(tmp_path / "scores.tsv", truth, tmp_path / "check.tsv", models=["wakawaka"])
    check = pd.read_csv(tmp_path / "check.tsv", sep="\t")
    assert check["model"].tolist() == ["wakawaka"] * 3
    assert (check["model_beats_training_mean"] == "yes").all() == beaten, check.to_string()


def test_a_motif_that_is_there_once_is_learnt_from_dna_alone_by_wakawaka_plus(project):
    (project / "my.yaml").write_text(ONE_COPY)
    errors = final_errors(project, "wakawaka-plus").pivot(index="regime", columns="predictor", values="value")
    # The motif makes up a quarter of the variance: a predictor that knows it, and nothing else, has 0.73 of the training mean's error.
    unseen = errors.loc["unseen_gene"]
    assert unseen["wakawaka-plus"] < 0.85 * unseen["training_mean"], errors.to_string()
