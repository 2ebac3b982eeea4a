"""The network: a histone module, a DNA module and a joint module, built from one specification."""

import zipfile

import keras
import tensorflow as tf

from . import kmers
from .dna import one_hot
from .errors import InputError
from .lookup import LookupConv1D

INPUTS = ("histone", "dna")
# The layer whose output is the prediction or, for a binary target, its log odds; and the layer of the probability that these make.
OUTPUT, PROBABILITY = "expression", "probability"


def build_model(spec, *, modules, marks, bins, window, binary=False, fast=False, words=None):
    """Return the uncompiled network.

    Each module is a chain of valid convolutions with max pooling, a dropout and dense layers with leaky ReLU; its
    result is the output of the layer `<module>_features`. The joint module concatenates them, and ends in one unit, the layer
    `expression`.

    Args:
        spec: dict as `models.<name>` in config.yaml.
        modules: the modules to use, of `histone` and `dna`.
        marks, bins, window: sizes of the inputs `histone` [sample, bin, mark] and `dna` [sample, position, 4].
        binary: whether the target is 0 or 1. A sigmoid, the layer `probability`, then follows the last unit.
        fast: with every convolution and its pooling fused into a `PooledConv1D`. The function is the same, and so are the layers
            that have weights, by name; `copy_weights` carries them over. For computing here, not for saving.
        words: with `fast`, the `Words` of the sequences for the first convolution of the DNA module (`find_words`), or None.
            With them that convolution is a `LookupConv1D`, and the input `dna` is `Words.index` [sample, position] uint16.

    Returns:
        keras.Model; its output is [sample, 1].
    """
    shapes = {"histone": (bins, marks), "dna": (window, 4)}
    slope = spec["leaky_slope"]
    inputs, features = [], []
    for module in (name for name in INPUTS if name in modules):
        tensor, dropout = _input(module, shapes[module], words), spec[module]["dropout"]
        inputs.append(tensor)
        for number, layer in enumerate(spec[module]["convolutions"], start=1):
            name = f"{module}_convolution_{number}"
            if number == 1 and module == "dna" and words:
                # The dropout is part of the lookup, unless something comes between.
                only = layer["activation"] == "relu" and len(spec[module]["convolutions"]) == 1
                tensor = _look_up(tensor, layer, slope, name, words, dropout if only else 0.0)
                dropout = 0.0 if only else dropout
            else:
                tensor = _convolve(tensor, layer, slope, name, fast)
        tensor = keras.layers.Flatten(name=f"{module}_flatten")(tensor)
        widths, last = spec[module]["dense"], f"{module}_features"
        name = f"{module}_dropout" if widths else last
        tensor = keras.layers.Dropout(dropout, name=name)(tensor)
        features.append(_dense(tensor, widths, slope, module, last))
    tensor = keras.layers.Concatenate(name="joint")(features) if len(features) > 1 else features[0]
    tensor = _dense(tensor, spec["joint"]["dense"], slope, "joint", "joint_features")
    tensor = keras.layers.Dropout(spec["joint"]["dropout"], name="joint_dropout")(tensor)
    tensor = keras.layers.Dense(1, name=OUTPUT)(tensor)
    if binary:
        tensor = keras.layers.Activation("sigmoid", name=PROBABILITY)(tensor)
    return keras.Model(inputs, tensor)


def is_binary(model):
    """Return whether a network of `build_model` predicts a probability."""
    return any(layer.name == PROBABILITY for layer in model.layers)


def before_sigmoid(model):
    """Return the network whose output, of the layer `expression`, no sigmoid has squashed; the weights are shared.

    That is what a binary network is trained on and what its gradients are taken of: where the probability is near 0 or 1, the
    slope of the sigmoid is near 0, whatever the inputs have to say.
    """
    return keras.Model(model.inputs, model.get_layer(OUTPUT).output) if is_binary(model) else model


def copy_weights(source, target):
    """Copy the weights of one network of `build_model` into another of the same specification, layer by layer by name.

    Keras lists layers by their distance from the output, which differs between a network and its fast form.
    """
    for layer in target.layers:
        if layer.weights:
            layer.set_weights(source.get_layer(layer.name).get_weights())


class PooledConv1D(keras.layers.Conv1D):
    """Convolution, bias, activation and max pooling in another order: the bias and the activation come after pooling.

    Because adding a constant and a non-decreasing activation never change which of two numbers is larger, the outputs
    and gradients are those of `Conv1D(activation=...)` followed by `MaxPool1D(pool)`, but the two passes over the
    long axis that they cost are saved. The weights are those of `Conv1D`. No saved model holds this layer.

    Args:
        pool: width and stride of the pooling.
        Others: as for `keras.layers.Conv1D`; the padding is valid.
    """

    def __init__(self, filters, kernel_size, pool, **kwargs):
        super().__init__(filters, kernel_size, **kwargs)
        self.pool = pool

    def call(self, inputs):
        pooled = keras.ops.max_pool(self.convolution_op(inputs, self.kernel), self.pool, self.pool)
        return self.activation(pooled + self.bias)

    def compute_output_shape(self, input_shape):
        batch, length, filters = super().compute_output_shape(input_shape)
        return batch, length // self.pool, filters


def use_threads(threads):
    """Let TensorFlow and our loops use `threads` threads, and TensorFlow only operations that give the same bits every time.

    Must be called before TensorFlow computes anything.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    # The operations of one step depend on each other: a second pool would only get in the way of the first.
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    kmers.use_threads(threads)


def device():
    """Return in words what TensorFlow computes on: the name of the first GPU, or CPU."""
    gpus = tf.config.list_physical_devices("GPU")
    return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU") if gpus else "CPU"


def load_model(path):
    """Return a model saved as `.keras`, without ever running code from the file.

    Raises:
        InputError: if the file is damaged, or holds code.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{path}: the model cannot be read: the file is damaged or of another kind. Fetch it again; if it was trained here, remove "
            f"it, and it is trained again. Keras says: {reason}"
        ) from error


def words_of(store, spec, modules):
    """Return the `Words` of the store's sequences with which `build_model` makes a `LookupConv1D`; None where it is of no use.

    That is on a GPU, which is made for convolutions, and for a network that does not convolve DNA first.
    """
    convolutions = spec["dna"]["convolutions"] if "dna" in modules else []
    if not convolutions or convolutions[0]["pool"] > kmers.LARGEST_POOL or tf.config.list_physical_devices("GPU"):
        return None
    return kmers.find_words(store.dna, convolutions[0]["width"])


def model_inputs(store, modules, cells, genes, words=None):
    """Return the list of a model's inputs for paired index arrays [sample]: histone float32, then DNA.

    DNA is one-hot float32, or rows of `words.index` for a network that was built with `words`.
    """
    inputs = {
        "histone": lambda: store.histone_input(cells, genes),
        "dna": lambda: words.index[genes] if words else one_hot(store.dna[genes]),
    }
    return [inputs[module]() for module in INPUTS if module in modules]


def _input(module, shape, words):
    if module == "dna" and words:
        return keras.Input(words.index.shape[1:], dtype="uint16", name=module)
    return keras.Input(shape, name=module)


def _look_up(tensor, layer, slope, name, words, dropout):
    activation = "relu" if layer["activation"] == "relu" else keras.layers.LeakyReLU(negative_slope=slope)
    settings = {"pool": layer["pool"], "words": words, "dropout": dropout, "activation": activation, "name": name}
    return LookupConv1D(layer["filters"], layer["width"], **settings)(tensor)


def _convolve(tensor, layer, slope, name, fast):
    pool, relu = layer["pool"], layer["activation"] == "relu"
    leaky = keras.layers.LeakyReLU(negative_slope=slope, name=f"{name}_activation")
    if fast and pool > 1:
        activation = "relu" if relu else leaky
        return PooledConv1D(layer["filters"], layer["width"], pool, activation=activation, name=name)(tensor)
    activation = "relu" if relu else None
    tensor = keras.layers.Conv1D(layer["filters"], layer["width"], activation=activation, name=name)(tensor)
    tensor = tensor if relu else leaky(tensor)
    return keras.layers.MaxPooling1D(pool, name=f"{name}_pool")(tensor) if pool > 1 else tensor


def _dense(tensor, widths, slope, module, last):
    """Return the tensor after dense layers with leaky ReLU; the last activation is called `last`."""
    for number, units in enumerate(widths, start=1):
        name = f"{module}_dense_{number}"
        tensor = keras.layers.Dense(units, name=name)(tensor)
        name = last if number == len(widths) else f"{name}_activation"
        tensor = keras.layers.LeakyReLU(negative_slope=slope, name=name)(tensor)
    return tensor
