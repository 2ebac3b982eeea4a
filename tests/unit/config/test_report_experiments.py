"""The report's experiments, as they stand in config.yaml: every layer and every number of parameters."""

from pathlib import Path

import pytest
import yaml

from wakawaka.config.check import check_config
from wakawaka.figures.plot_architecture import describe_layers
from wakawaka.network.build import build_model

ROOT = Path(__file__).parents[3]
CONFIG = check_config(
    yaml.safe_load((ROOT / "config.yaml").read_text()),
    yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text()),
)

# The branches up to the dense layer of 82, layer by layer with the sizes that they leave.
THREE_CONVOLUTIONS = """
    Conv1D 50 filters × 10 -> 91 × 50, LeakyReLU slope 0.05 -> 91 × 50, MaxPooling1D pool 5 -> 18 × 50,
    Conv1D 50 filters × 5, dilation 2, padding same -> 18 × 50, LeakyReLU slope 0.05 -> 18 × 50, MaxPooling1D pool 3 -> 6 × 50,
    Conv1D 50 filters × 5, dilation 2, padding same -> 6 × 50, LeakyReLU slope 0.05 -> 6 × 50,
    Flatten -> 300, Dropout rate {} -> 300, Dense 82 units -> 82, LeakyReLU slope 0.05 -> 82"""
THREE_WITHOUT_DILATION = THREE_CONVOLUTIONS.replace(" dilation 2,", "")
TWO_CONVOLUTIONS = """
    Conv1D 50 filters × 10 -> 91 × 50, LeakyReLU slope 0.05 -> 91 × 50, MaxPooling1D pool 5 -> 18 × 50,
    Conv1D 50 filters × 5 -> 14 × 50, LeakyReLU slope 0.05 -> 14 × 50, MaxPooling1D pool 3 -> 4 × 50,
    Flatten -> 200, Dropout rate {} -> 200, Dense 82 units -> 82, LeakyReLU slope 0.05 -> 82"""
ONE_OF_DNA = """
    Conv1D 132 filters × 6, ReLU -> 9995 × 132, MaxPooling1D pool 32 -> 312 × 132,
    Flatten -> 41184, Dropout rate {} -> 41184, Dense 82 units -> 82, LeakyReLU slope 0.05 -> 82"""
TWO_OF_DNA = """
    Conv1D 132 filters × 6, ReLU -> 9995 × 132, MaxPooling1D pool 32 -> 312 × 132, Conv1D 132 filters × 6, ReLU -> 307 × 132,
    Flatten -> 40524, Dropout rate 0 -> 40524, Dense 82 units -> 82, LeakyReLU slope 0.05 -> 82"""
TWO_OF_CROPPED_DNA = """
    Cropping1D -> 4000 × 4,
    Conv1D 132 filters × 6, ReLU -> 3995 × 132, MaxPooling1D pool 32 -> 124 × 132, Conv1D 132 filters × 6, ReLU -> 119 × 132,
    Flatten -> 15708, Dropout rate 0 -> 15708, Dense 82 units -> 82, LeakyReLU slope 0.05 -> 82"""
JOIN_50_10 = """
    Dropout rate 0.5 -> 164, Dense 50 units -> 50, LeakyReLU slope 0.05 -> 50, Dense 10 units -> 10, LeakyReLU slope 0.05 -> 10,
    Dropout rate 0 -> 10, Dense 1 unit -> 1"""
JOIN_100_50_10 = """
    Dropout rate 0.5 -> 164, Dense 100 units -> 100, LeakyReLU slope 0.05 -> 100, Dense 50 units -> 50, LeakyReLU slope 0.05 -> 50,
    Dense 10 units -> 10, LeakyReLU slope 0.05 -> 10, Dropout rate 0 -> 10, Dense 1 unit -> 1"""
JOIN_100 = """
    Dense 100 units -> 100, LeakyReLU slope 0.05 -> 100, Dropout rate {} -> 100, Dense 1 unit -> 1"""

# Histone module, DNA module, joint module; parameters; the MSE that the report prints; the epochs of pre-training.
EXPECTED = {
    "experiment-1": ((THREE_CONVOLUTIONS.format("0"), ONE_OF_DNA.format("0"), JOIN_50_10), 3_441_573, 3.298, 0),
    "experiment-2": ((THREE_CONVOLUTIONS.format("0"), TWO_OF_DNA, JOIN_50_10), 3_492_129, 3.271, 0),
    "experiment-3": ((THREE_CONVOLUTIONS.format("0"), TWO_OF_CROPPED_DNA, JOIN_50_10), 1_457_217, 3.33, 0),
    "experiment-4": ((THREE_WITHOUT_DILATION.format("0"), ONE_OF_DNA.format("0"), JOIN_100_50_10), 3_454_873, 3.372, 0),
    "experiment-5": ((THREE_WITHOUT_DILATION.format("0"), ONE_OF_DNA.format("0"), JOIN_100_50_10), 3_454_873, 3.334, 10),
    "experiment-6": (
        (TWO_CONVOLUTIONS.format("0.5"), ONE_OF_DNA.format("0.5"), JOIN_100.format("0")), 3_428_653, 3.207, 0,
    ),
    "experiment-8": (
        (TWO_CONVOLUTIONS.format("0.5"), ONE_OF_DNA.format("0.5"), JOIN_100.format("0.1")), 3_428_653, 3.15, 0,
    ),
}  # fmt: skip


def layers_of(model):
    """Return the layers behind the inputs and the join, of each module in words."""
    table = describe_layers(model)
    table = table[~table["type"].isin(["Input", "Concatenate"])]
    words = (
        table["type"] + (" " + table["settings"]).where(table["settings"] != "", "") + " -> " + table["output_shape"]
    )
    modules = table["layer"].str.partition("_")[0].replace("expression", "joint")
    return tuple(", ".join(words[modules == module]) for module in ("histone", "dna", "joint"))


def test_they_are_those_of_the_report():
    assert list(CONFIG["experiments"]) == list(EXPECTED)
    assert {name: one["published_mse"] for name, one in CONFIG["experiments"].items()} == {
        name: printed for name, (_, _, printed, _) in EXPECTED.items()
    }


@pytest.mark.parametrize("name", EXPECTED)
def test_layers_and_parameters(name):
    layers, parameters, _, pretraining = EXPECTED[name]
    spec = CONFIG["experiments"][name]
    model = build_model(spec, modules=["histone", "dna"], marks=5, bins=100, window=10000)
    assert layers_of(model) == tuple(" ".join(text.split()) for text in layers)
    assert model.count_params() == parameters
    assert spec["training"] == CONFIG["training"] | {"pretraining_epochs": pretraining}


def test_the_last_is_the_model_itself_and_not_trained_twice():
    networks = {name: one["network"] for name, one in CONFIG["experiments"].items()}
    assert networks.pop("experiment-8") == "wakawaka"
    assert all(name == network for name, network in networks.items())
