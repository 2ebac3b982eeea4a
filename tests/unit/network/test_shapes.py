"""The arithmetic of layers agrees with the layers that Keras builds."""

import pytest

from helpers.configs import checked
from wakawaka.network.build import build_model
from wakawaka.network.shapes import convolution_shapes, input_length

WINDOW, BINS = 600, 60
LAYERS = [
    [{"filters": 2, "kernel_size": 5}],
    [{"filters": 2, "kernel_size": 5, "pool_size": 3}, {"filters": 3, "kernel_size": 4, "dilation": 2, "pool_size": 2}],
    [
        {"filters": 2, "kernel_size": 6, "padding": "same", "pool_size": 4},
        {"filters": 2, "kernel_size": 3, "dilation": 3},
    ],
    [],
]


def module(layers, **settings):
    """Return the complete settings of one model with these layers in both modules."""
    both = {"convolutions": layers}
    config = {
        "window": WINDOW,
        "bins": BINS,
        "models": {"m": {"histone": both | settings.get("histone", {}), "dna": both | settings.get("dna", {})}},
        "tuning": {"search_space": {"learning_rate": [0.1]}},
    }
    return checked(config)["models"]["m"]


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("settings", [{}, {"histone": {"bin_average": 2}, "dna": {"crop": 100}}])
def test_lengths_are_those_of_keras(layers, settings):
    spec = module(layers, **settings)
    model = build_model(spec, modules=["histone", "dna"], marks=2, bins=BINS, window=WINDOW)
    for name in ("histone", "dna"):
        length = input_length(name, spec[name], window=WINDOW, bins=BINS)
        shapes = convolution_shapes(length, spec[name]["convolutions"])
        assert len(shapes) == len(layers)
        for number, shape in enumerate(shapes, start=1):
            convolution = model.get_layer(f"{name}_convolution_{number}")
            assert convolution.input.shape[1] == shape.length
            assert convolution.output.shape[1] == shape.convolved
            pooled = shape.convolved
            if spec[name]["convolutions"][number - 1]["pool_size"] > 1:
                pooled = model.get_layer(f"{name}_convolution_{number}_pool").output.shape[1]
            assert pooled == shape.pooled
        flat = shapes[-1].pooled * layers[-1]["filters"] if layers else length * {"histone": 2, "dna": 4}[name]
        assert model.get_layer(f"{name}_flatten").output.shape[1] == flat


LAYER = {"kernel_size": 5, "dilation": 1, "padding": "valid", "pool_size": 2}


@pytest.mark.parametrize(
    ("length", "change", "convolved", "pooled"),
    [(5, {}, 1, 0), (4, {}, 0, 0), (3, {}, -1, 0), (9, {"dilation": 2}, 1, 0), (1, {"padding": "same"}, 1, 0)],
)
def test_shapes_end_with_the_layer_that_does_not_fit(length, change, convolved, pooled):
    (shape,) = convolution_shapes(length, [LAYER | change, LAYER])
    assert (shape.convolved, shape.pooled) == (convolved, pooled)
