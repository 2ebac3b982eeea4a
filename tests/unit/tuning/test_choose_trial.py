"""The best trial, as a specification and a schedule."""

import json

import pandas as pd

from helpers.configs import checked
from wakawaka.core.files import write_table
from wakawaka.tuning.choose_trial import choose_trial


def test_the_best_trial_becomes_a_model(tmp_path):
    model = checked({})["models"]["wakawaka"]
    space = {"learning_rate": [0.1, 0.2], "joint_dense": [[], [30, 20]], "lr_schedule": ["constant"]}
    best = {"rank": 1, "learning_rate": "0.2", "joint_dense": "30-20", "lr_schedule": "constant", "loss": 1, "sd": None}
    second = best | {"rank": 2, "joint_dense": "none", "loss": 2}
    write_table(pd.DataFrame([best, second]), tmp_path / "ranks.tsv")
    choose_trial(tmp_path / "ranks.tsv", tmp_path / "chosen.json", model=model, space=space, epochs=7)
    chosen = json.loads((tmp_path / "chosen.json").read_text())
    assert chosen["trial"] == {"learning_rate": 0.2, "joint_dense": [30, 20], "lr_schedule": "constant"}
    assert chosen["loss"] == 1
    assert chosen["schedule"] == model["training"] | {"epochs": 7, "learning_rate": 0.2}
    assert chosen["spec"] == {part: model[part] for part in ("histone", "dna", "negative_slope")} | {
        "joint": model["joint"] | {"dense": [30, 20]}
    }
