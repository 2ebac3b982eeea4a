"""The check of the example can fail: without planted effects no model beats the training mean everywhere."""

import pandas as pd
import pytest

CONFIG = """
modules: [histone]
cells: {{train: [C01, C02, C03, C04, C05, C06], held_out: [C07, C08]}}
folds: {{number: 2}}
training: {{epochs: 15, batch_size: 20}}
example: {{genes: 120, held_out_genes: 20, effect: {effect}}}
"""


@pytest.mark.parametrize(("effect", "beaten"), [(1.0, True), (0.0, False)])
def test_the_model_beats_the_training_mean_only_where_there_is_something_to_learn(project, effect, beaten):
    (project / "my.yaml").write_text(CONFIG.format(effect=effect))
    project.snakemake("results/scores/wakawaka/example.tsv", configfile="my.yaml")
    check = pd.read_csv(project / "results/scores/wakawaka/example.tsv", sep="\t")
    assert len(check) == 3
    assert (check["model_beats_training_mean"] == "yes").all() == beaten, check.to_string()
