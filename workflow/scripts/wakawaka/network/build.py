"""The network: a histone module, a DNA module and a joint module, built from one specification."""

from collections.abc import Sequence
from typing import Any

import keras

from wakawaka.network.inputs import in_order
from wakawaka.network.kmer_conv import KmerConv1D
from wakawaka.network.kmer_kernels import KmerIndex
from wakawaka.network.pooled_conv import PooledConv1D
from wakawaka.network.spec import Spec, complete

# The layer whose output is the prediction, or the log odds for a binary target; and the layer of the probability.
OUTPUT, PROBABILITY = "expression", "probability"


def build_model(
    spec: Spec,
    *,
    modules: Sequence[str],
    marks: int,
    bins: int,
    window: int,
    binary: bool = False,
    fast: bool = False,
    kmer_index: KmerIndex | None = None,
) -> keras.Model:
    """Return the uncompiled network, whose output is [sample, 1].

    A module is a chain of convolutions, a dropout and dense layers with leaky ReLU; its output is that of the layer
    `<module>_features`. A convolution has an activation, max pooling and, if asked for, batch normalisation after the pooling.
    The joint module concatenates the features. Its last layer, `expression`, has one unit.

    Args:
        spec: specification, as `models.<name>` in config.yaml.
        modules: the modules to use, of `histone` and `dna`.
        marks, bins, window: sizes of the inputs `histone` [sample, bin, mark] and `dna` [sample, position, 4].
        binary: whether the target is 0 or 1. A sigmoid, the layer `probability`, then follows the last unit.
        fast: whether each convolution and its pooling become one `PooledConv1D`. The function and the names of the layers with
            weights are the same; `copy_weights` copies the weights. This form is not for saving.
        kmer_index: with `fast`, the k-mer index of the sequences for the first convolution of the DNA module, or None. With it,
            that convolution is a `KmerConv1D`, and the input `dna` is `kmer_index.index` [sample, position] uint16.
    """
    shapes = {"histone": (bins, marks), "dna": (window, 4)}
    spec = complete(spec)
    slope = spec["negative_slope"]
    indices = {"dna": kmer_index}
    inputs = [_input(module, shapes[module], indices.get(module)) for module in in_order(modules)]
    features = [
        _module(tensor.name, tensor, spec[tensor.name], slope, fast, indices.get(tensor.name)) for tensor in inputs
    ]
    tensor = keras.layers.Concatenate(name="joint")(features) if len(features) > 1 else features[0]
    if spec["joint"]["input_dropout"]:
        tensor = keras.layers.Dropout(spec["joint"]["input_dropout"], name="joint_input_dropout")(tensor)
    tensor = _dense(tensor, spec["joint"]["dense"], slope, "joint", "joint_features")
    tensor = keras.layers.Dropout(spec["joint"]["dropout"], name="joint_dropout")(tensor)
    tensor = keras.layers.Dense(1, name=OUTPUT)(tensor)
    if binary:
        tensor = keras.layers.Activation("sigmoid", name=PROBABILITY)(tensor)
    return keras.Model(inputs, tensor)


def is_binary(model: keras.Model) -> bool:
    """Return whether a network predicts a probability."""
    return any(layer.name == PROBABILITY for layer in model.layers)


def logits_model(model: keras.Model) -> keras.Model:
    """Return the network up to the layer `expression`, before any sigmoid; the weights are shared.

    A binary network is trained on this output, and gradients are taken of it: where a probability is near 0 or 1, the slope of the
    sigmoid is near 0 for all inputs.
    """
    return keras.Model(model.inputs, model.get_layer(OUTPUT).output) if is_binary(model) else model


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy the weights of one network of `build_model` into another of the same specification, by the names of layers.

    Keras lists layers by their distance from the output, which differs between a network and its fast form.
    """
    for layer in target.layers:
        if layer.weights:
            layer.set_weights(source.get_layer(layer.name).get_weights())


def _input(module: str, shape: tuple[int, ...], kmer_index: KmerIndex | None) -> Any:
    if kmer_index:
        return keras.Input(kmer_index.index.shape[1:], dtype="uint16", name=module)
    return keras.Input(shape, name=module)


def _module(module: str, tensor: Any, spec: Spec, slope: float, fast: bool, kmer_index: KmerIndex | None) -> Any:
    """Return the features of a module; `kmer_index` is that of its input, or None."""
    dropout = spec["dropout"]
    if spec["crop"] and not kmer_index:
        tensor = keras.layers.Cropping1D((tensor.shape[1] - spec["crop"]) // 2, name=f"{module}_crop")(tensor)
    if spec["bin_average"] > 1:
        tensor = keras.layers.AveragePooling1D(spec["bin_average"], name=f"{module}_average")(tensor)
    for number, layer in enumerate(spec["convolutions"], start=1):
        name = f"{module}_convolution_{number}"
        if number == 1 and kmer_index:
            inside = 0.0
            if _ends_in_relu(spec):
                # The lookup does the dropout too.
                inside, dropout = dropout, 0.0
            tensor = _look_up(tensor, layer, slope, name, kmer_index, inside)
        else:
            tensor = _convolve(tensor, layer, slope, name, fast)
        if layer["batch_norm"]:
            tensor = keras.layers.BatchNormalization(name=f"{name}_norm")(tensor)
    tensor = _pool_globally(tensor, spec["global_pooling"], module)
    last = f"{module}_features"
    tensor = keras.layers.Dropout(dropout, name=f"{module}_dropout" if spec["dense"] else last)(tensor)
    return _dense(tensor, spec["dense"], slope, module, last)


def _ends_in_relu(spec: Spec) -> bool:
    """Return whether a ReLU and the dropout of a module follow each other directly, behind its only convolution."""
    layers = spec["convolutions"]
    return (
        len(layers) == 1
        and layers[0]["activation"] == "relu"
        and not layers[0]["batch_norm"]
        and spec["global_pooling"] == "none"
    )


def _pool_globally(tensor: Any, pooling: str, module: str) -> Any:
    """Return the features [sample, feature] of the convolutions: all values, or the maximum or average of each filter."""
    if pooling == "none":
        return keras.layers.Flatten(name=f"{module}_flatten")(tensor)
    if pooling == "max":
        return keras.layers.GlobalMaxPooling1D(name=f"{module}_max")(tensor)
    # `<module>_average` is the layer that averages bins.
    return keras.layers.GlobalAveragePooling1D(name=f"{module}_mean")(tensor)


def _look_up(tensor: Any, layer: Spec, slope: float, name: str, kmer_index: KmerIndex, dropout: float) -> Any:
    settings = {"pool_size": layer["pool_size"], "kmer_index": kmer_index, "dropout": dropout, "name": name}
    return KmerConv1D(layer["filters"], layer["kernel_size"], activation=_activation(layer, slope), **settings)(tensor)


def _activation(layer: Spec, slope: float) -> Any:
    leaky = layer["activation"] == "leaky_relu"
    return keras.layers.LeakyReLU(negative_slope=slope) if leaky else layer["activation"]


def _convolve(tensor: Any, layer: Spec, slope: float, name: str, fast: bool) -> Any:
    """Return a convolution with its activation and max pooling."""
    pool_size, leaky = layer["pool_size"], layer["activation"] == "leaky_relu"
    settings = {"padding": layer["padding"], "dilation_rate": layer["dilation"], "name": name}
    if fast and pool_size > 1:
        activation = _activation(layer, slope)
        return PooledConv1D(layer["filters"], layer["kernel_size"], pool_size, activation=activation, **settings)(
            tensor
        )
    activation = None if leaky else layer["activation"]
    tensor = keras.layers.Conv1D(layer["filters"], layer["kernel_size"], activation=activation, **settings)(tensor)
    if leaky:
        tensor = keras.layers.LeakyReLU(negative_slope=slope, name=f"{name}_activation")(tensor)
    return keras.layers.MaxPooling1D(pool_size, name=f"{name}_pool")(tensor) if pool_size > 1 else tensor


def _dense(tensor: Any, widths: Sequence[int], slope: float, module: str, last: str) -> Any:
    """Return the tensor after dense layers with leaky ReLU; the last activation is named `last`."""
    for number, units in enumerate(widths, start=1):
        name = f"{module}_dense_{number}"
        tensor = keras.layers.Dense(units, name=name)(tensor)
        name = last if number == len(widths) else f"{name}_activation"
        tensor = keras.layers.LeakyReLU(negative_slope=slope, name=name)(tensor)
    return tensor
