"""The architecture of models; it needs Keras."""

import pandas as pd
import pytest

from helpers.figures import draw


@pytest.fixture
def architecture():
    pytest.importorskip("keras")
    from wakawaka.figures import plot_architecture

    return plot_architecture


def report_model():
    """Return the model of the report, 3,428,653 parameters."""
    from keras import Input, Model
    from keras.layers import Concatenate, Conv1D, Dense, Dropout, Flatten, LeakyReLU, MaxPooling1D

    histone, dna = Input((100, 5), name="histone"), Input((10000, 4), name="dna")
    left = MaxPooling1D(5)(Conv1D(50, 10, activation=LeakyReLU(negative_slope=0.05))(histone))
    left = MaxPooling1D(3)(Conv1D(50, 5, activation=LeakyReLU(negative_slope=0.05))(left))
    left = Dense(82, activation=LeakyReLU(negative_slope=0.05))(Dropout(0.5)(Flatten()(left)))
    right = MaxPooling1D(32)(Conv1D(132, 6, activation="relu")(dna))
    right = Dense(82, activation=LeakyReLU(negative_slope=0.05))(Dropout(0.5)(Flatten()(right)))
    joint = Dense(100, activation=LeakyReLU(negative_slope=0.05))(Concatenate()([left, right]))
    return Model([histone, dna], Dense(1)(Dropout(0.1)(joint)))


def test_architecture_of_the_report(tmp_path, architecture):
    report_model().save(tmp_path / "model.keras")
    draw(architecture.plot_architecture, tmp_path, tmp_path / "model.keras")
    layers = pd.read_csv(tmp_path / "once.tsv", sep="\t", keep_default_na=False)
    assert layers["parameters"].sum() == 3428653
    inputs = layers.set_index("layer")["inputs"]
    assert list(inputs[["histone", "dna"]]) == ["", ""]
    assert len(inputs[layers.loc[layers["type"] == "Concatenate", "layer"].item()].split(",")) == 2


def small_model():
    from keras import Input, Model
    from keras.layers import Add, Conv1D, Dense, Flatten, LeakyReLU, MaxPooling1D

    histone = Input((8, 2), name="histone")
    first = Conv1D(3, 5, dilation_rate=2, padding="same", activation="relu", name="first")(histone)
    second = Conv1D(3, 1, activation=LeakyReLU(negative_slope=0.05), name="second")(first)
    pooled = MaxPooling1D(4, strides=2, name="pool")(Add(name="add")([first, second]))
    bent = LeakyReLU(negative_slope=0.1, name="bent")(Flatten(name="flat")(pooled))
    return Model(histone, Dense(1, name="out")(bent))


def test_architecture_with_one_module_and_a_skip(tmp_path, architecture):
    small_model().save(tmp_path / "model.keras")
    lines, picture = draw(architecture.plot_architecture, tmp_path, tmp_path / "model.keras")
    assert lines == [
        "layer\ttype\tsettings\toutput_shape\tparameters\tinputs",
        "histone\tInput\t\t8 × 2\t0\t",
        "first\tConv1D\t3 filters × 5, dilation 2, padding same, ReLU\t8 × 3\t33\thistone",
        "second\tConv1D\t3 filters × 1, LeakyReLU(0.05)\t8 × 3\t12\tfirst",
        "add\tAdd\t\t8 × 3\t0\tfirst,second",
        "pool\tMaxPooling1D\tpool 4, stride 2\t3 × 3\t0\tadd",
        "flat\tFlatten\t\t9\t0\tpool",
        "bent\tLeakyReLU\tslope 0.1\t9\t0\tflat",
        "out\tDense\t1 unit\t1\t10\tbent",
    ]
    assert picture.shape == (998, 800, 4)


def test_architecture_of_a_binary_network_ends_in_its_sigmoid(tmp_path, architecture):
    from keras import Input, Model
    from keras.layers import Activation, Dense

    histone = Input((3,), name="histone")
    odds = Dense(1, name="expression")(histone)
    Model([histone], Activation("sigmoid", name="probability")(odds)).save(tmp_path / "model.keras")
    lines, _ = draw(architecture.plot_architecture, tmp_path, tmp_path / "model.keras")
    assert lines[2:] == [
        "expression\tDense\t1 unit\t1\t4\thistone",
        "probability\tActivation\tsigmoid\t1\t0\texpression",
    ]


def test_layers_are_placed_below_their_inputs_and_never_on_each_other(architecture):
    layers = pd.DataFrame(
        {
            "layer": ["a", "b", "a1", "a2", "b1", "join", "twin", "out"],
            "inputs": ["", "", "a", "a1", "b", "a2,b1", "a2,b1", "join,twin"],
        }
    )
    assert architecture.place_layers(layers) == {
        "a": (0, 0),
        "b": (1, 0),
        "a1": (0, 1),
        "a2": (0, 2),
        "b1": (1, 1),
        "join": (0.5, 3),
        "twin": (1.5, 3),
        "out": (1, 4),
    }
