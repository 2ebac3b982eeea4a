"""The network: a histone module, a DNA module and a joint module, built from one specification."""

import zipfile

import keras
import numpy as np
import tensorflow as tf

from wakawaka.core.errors import InputError
from wakawaka.genome.dna import one_hot
from wakawaka.network import gene_effects, kmer_kernels
from wakawaka.network.kmer_conv import LookupConv1D

INPUTS = ("histone", "dna")
# The layer whose output is the prediction or, for a binary target, its log odds; and the layer of the probability that these make.
OUTPUT, PROBABILITY = "expression", "probability"
# Of a spec, what is not said.
CONVOLUTION = {"pool": 1, "dilation": 1, "padding": "valid", "batch_norm": False}
MODULE = {"z_scores": False, "crop": None, "average": 1, "summary": "flatten"}


def build_model(spec, *, modules, marks, bins, window, binary=False, fast=False, words=None):
    """Return the uncompiled network.

    Each module is a chain of convolutions, each with its activation, max pooling and, where asked for, batch normalisation (after
    the pooling), then a dropout and dense layers with leaky ReLU; its result is the output of the layer `<module>_features`. The joint
    module concatenates them, and ends in one unit, the layer `expression`.

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
    spec = complete(spec)
    slope = spec["leaky_slope"]
    inputs = [_input(module, shapes[module], words) for module in INPUTS if module in modules]
    features = [
        _module(tensor.name, tensor, spec[tensor.name], slope, fast, words if tensor.name == "dna" else None)
        for tensor in inputs
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


def complete(spec):
    """Return a spec with every key: models of earlier versions have specs without those that came later."""
    modules = {}
    for module in (name for name in INPUTS if name in spec):
        layers = [CONVOLUTION | layer for layer in spec[module]["convolutions"]]
        modules[module] = MODULE | spec[module] | {"convolutions": layers}
    return spec | modules | {"joint": {"input_dropout": 0} | spec["joint"]}


def z_scores_of(spec):
    """Return whether a network of a spec is given z-scores of the histone marks, see `Store`."""
    return "histone" in spec and complete(spec)["histone"]["z_scores"]


def mean_of(networks, effects=None):
    """Return the network that predicts the mean of several (of binary ones of their log odds); of one alone that one.

    The networks become its layers `member_1`, ...; their weights are shared.

    Args:
        networks: of `build_model`, all of one specification.
        effects: `GeneEffects` that are added to the prediction of a value, see `fit_effects`, or None.
    """
    if len(networks) == 1 and effects is None:
        return networks[0]
    inputs = [keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name) for tensor in networks[0].inputs]
    members = [before_sigmoid(network) for network in networks]
    for number, member in enumerate(members, start=1):
        member.name = f"member_{number}"
    outputs = [member(inputs) for member in members]
    last = {} if effects else {"name": OUTPUT}
    tensor = keras.layers.Average(**last)(outputs) if len(outputs) > 1 else outputs[0]
    if effects:
        dna = next(tensor for tensor in inputs if tensor.name == "dna")
        tensor = keras.layers.Add(name=OUTPUT)([tensor, _gene_effects(dna, effects)])
    if is_binary(networks[0]):
        tensor = keras.layers.Activation("sigmoid", name=PROBABILITY)(tensor)
    return keras.Model(inputs, tensor)


def _gene_effects(dna, effects):
    """Return [sample, 1] from one-hot windows [sample, position, 4]: what `effects` returns of their codes.

    Where the bases are a gene's own, the likeness stands at its upper limit: gradients do not see it, nor does the mutation of a base.
    """
    start, length = gene_effects.centre(dna.shape[1])
    tensor = keras.layers.Cropping1D((start, dna.shape[1] - length - start), name="gene_bases")(dna)
    tensor = keras.layers.Flatten(name="gene_flatten")(tensor)
    scale = 1 / (gene_effects.SAME - gene_effects.OTHER)
    kernel = one_hot(effects.codes).reshape(len(effects.codes), -1).T * np.float32(scale / length)
    bias = np.full(len(effects.codes), -scale * gene_effects.OTHER, np.float32)
    like, sum_up = (
        keras.layers.Dense(len(bias), name="gene_likeness"),
        keras.layers.Dense(1, use_bias=False, name="gene_effects"),
    )
    tensor = sum_up(keras.layers.ReLU(max_value=1, name="gene_limit")(like(tensor)))
    like.set_weights([kernel, bias])
    sum_up.set_weights([effects.values[:, None]])
    return tensor


def effects_of(model):
    """Return the `GeneEffects` that a model of `mean_of` adds, or None."""
    if not any(layer.name == "gene_effects" for layer in model.layers):
        return None
    kernel = model.get_layer("gene_likeness").get_weights()[0]
    bases = kernel.T.reshape(kernel.shape[1], -1, 4)
    codes = np.where(bases.any(axis=2), bases.argmax(axis=2), 4).astype(np.uint8)
    return gene_effects.GeneEffects(codes, model.get_layer("gene_effects").get_weights()[0][:, 0])


def without_effects(model):
    """Return the network of a model of `mean_of` without the effects that it adds; the weights are shared."""
    return mean_of(members_of(model)) if effects_of(model) else model


def members_of(model):
    """Return the networks whose mean a model predicts, see `mean_of`; the model itself if it is one network."""
    return [layer for layer in model.layers if isinstance(layer, keras.Model)] or [model]


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
        Others: as for `keras.layers.Conv1D`.
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
    kmer_kernels.use_threads(threads)


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
    dna = complete(spec)["dna"] if "dna" in modules else {"convolutions": []}
    convolutions = dna["convolutions"]
    if (
        not convolutions
        or convolutions[0]["pool"] > kmer_kernels.LARGEST_POOL
        or tf.config.list_physical_devices("GPU")
    ):
        return None
    layer = convolutions[0]
    return kmer_kernels.find_words(seen_dna(store, spec), layer["width"], layer["dilation"], layer["padding"])


def seen_dna(store, spec):
    """Return the codes [gene, position] uint8 of the part of the windows that the DNA module sees."""
    length, crop = store.dna.shape[1], complete(spec)["dna"]["crop"]
    start = (length - crop) // 2 if crop else 0
    return store.dna[:, start : length - start]


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


def _module(module, tensor, spec, slope, fast, words):
    """Return the features of a module; `words` are those of its input, or None."""
    dropout = spec["dropout"]
    if spec["crop"] and not words:
        tensor = keras.layers.Cropping1D((tensor.shape[1] - spec["crop"]) // 2, name=f"{module}_crop")(tensor)
    if spec["average"] > 1:
        tensor = keras.layers.AveragePooling1D(spec["average"], name=f"{module}_average")(tensor)
    for number, layer in enumerate(spec["convolutions"], start=1):
        name = f"{module}_convolution_{number}"
        if number == 1 and words:
            inside = 0.0
            if _ends_in_relu(spec):
                # Here the dropout is a part of the lookup.
                inside, dropout = dropout, 0.0
            tensor = _look_up(tensor, layer, slope, name, words, inside)
        else:
            tensor = _convolve(tensor, layer, slope, name, fast)
        if layer["batch_norm"]:
            tensor = keras.layers.BatchNormalization(name=f"{name}_norm")(tensor)
    tensor = _summarise(tensor, spec["summary"], module)
    last = f"{module}_features"
    tensor = keras.layers.Dropout(dropout, name=f"{module}_dropout" if spec["dense"] else last)(tensor)
    return _dense(tensor, spec["dense"], slope, module, last)


def _ends_in_relu(spec):
    """Return whether nothing comes between the ReLU of the only convolution and the dropout."""
    layers = spec["convolutions"]
    return (
        len(layers) == 1
        and layers[0]["activation"] == "relu"
        and not layers[0]["batch_norm"]
        and spec["summary"] == "flatten"
    )


def _summarise(tensor, summary, module):
    """Return [sample, feature] of what the convolutions leave: all of it, or of each filter its maximum or mean over all positions."""
    if summary == "flatten":
        return keras.layers.Flatten(name=f"{module}_flatten")(tensor)
    layer = {"max": keras.layers.GlobalMaxPooling1D, "mean": keras.layers.GlobalAveragePooling1D}[summary]
    return layer(name=f"{module}_{summary}")(tensor)


def _look_up(tensor, layer, slope, name, words, dropout):
    settings = {"pool": layer["pool"], "words": words, "dropout": dropout, "name": name}
    return LookupConv1D(layer["filters"], layer["width"], activation=_activation(layer, slope), **settings)(tensor)


def _activation(layer, slope):
    leaky = layer["activation"] == "leaky_relu"
    return keras.layers.LeakyReLU(negative_slope=slope) if leaky else layer["activation"]


def _convolve(tensor, layer, slope, name, fast):
    pool, leaky = layer["pool"], layer["activation"] == "leaky_relu"
    settings = {"padding": layer["padding"], "dilation_rate": layer["dilation"], "name": name}
    if fast and pool > 1:
        activation = _activation(layer, slope)
        return PooledConv1D(layer["filters"], layer["width"], pool, activation=activation, **settings)(tensor)
    activation = None if leaky else layer["activation"]
    tensor = keras.layers.Conv1D(layer["filters"], layer["width"], activation=activation, **settings)(tensor)
    if leaky:
        tensor = keras.layers.LeakyReLU(negative_slope=slope, name=f"{name}_activation")(tensor)
    return keras.layers.MaxPooling1D(pool, name=f"{name}_pool")(tensor) if pool > 1 else tensor


def _dense(tensor, widths, slope, module, last):
    """Return the tensor after dense layers with leaky ReLU; the last activation is called `last`."""
    for number, units in enumerate(widths, start=1):
        name = f"{module}_dense_{number}"
        tensor = keras.layers.Dense(units, name=name)(tensor)
        name = last if number == len(widths) else f"{name}_activation"
        tensor = keras.layers.LeakyReLU(negative_slope=slope, name=name)(tensor)
    return tensor
