"""One network in training: its steps and its state."""

from concurrent.futures import ThreadPoolExecutor

import keras
import tensorflow as tf

from wakawaka.network.build import INPUTS, before_sigmoid, build_model, copy_weights

# What a step trains: everything together, each module with an output of its own, or the joint module behind frozen ones.
WHOLE, MODULES, JOINT = "whole", "modules", "joint"


class Trainer:
    """Trains the fast form of a network with Adam on the mean squared error or, for a binary target, the mean cross-entropy.

    The first weights and what is dropped follow from Keras' global seed (`keras.utils.set_random_seed`).

    Args:
        spec, modules, sizes, words: of `build_model`; sizes has marks, bins and window.
        learning_rate, weight_decay: of AdamW, whose decay leaves biases alone; without decay it is Adam. Other settings are Keras'
            defaults.
        binary: whether the target is 0 or 1 and the network's output a probability.
        fixed: names of layers that are not trained.

    Attributes:
        network: the keras.Model that is trained. modules, words: what it was built with.
        stage: WHOLE, unless `begin` was called.
    """

    def __init__(self, spec, modules, sizes, words, learning_rate, binary=False, weight_decay=0, fixed=()):
        self._form = {"spec": spec, "modules": modules, "binary": binary, **sizes}
        self.modules, self.words = [module for module in INPUTS if module in modules], words
        self._rate, self._decay = learning_rate, weight_decay
        self._gpu = bool(tf.config.list_physical_devices("GPU"))
        self.network = build_model(**self._form, fast=not self._gpu, words=words)
        for name in fixed:
            self.network.get_layer(name).trainable = False
        # The cross-entropy of log odds does not suffer from probabilities that are rounded to 0 or 1.
        self._losses = _cross_entropies if binary else _squares
        self.begin(WHOLE)

    def begin(self, stage):
        """Go over to a stage, with a new optimiser and, in stage MODULES, new outputs.

        In stage JOINT the modules do what they do in prediction: neither dropout nor batch normalisation see the batch, and
        their weights stay as they are, to the byte.
        """
        self.stage = stage
        network, output = self.network, before_sigmoid(self.network)
        features = [network.get_layer(f"{module}_features").output for module in self.modules]
        self._frozen, self._live, self._heads = None, output, []
        if stage == MODULES:
            self._heads = [keras.layers.Dense(1, name=f"{module}_head") for module in self.modules]
            outputs = [head(tensor) for head, tensor in zip(self._heads, features, strict=True)]
            self._live = keras.Model(network.inputs, outputs)
        elif stage == JOINT:
            self._frozen, self._live = keras.Model(network.inputs, features), keras.Model(features, output.output)
        weights = self._live.trainable_variables
        self._weights = weights
        self._optimizer = keras.optimizers.Adam(self._rate)
        if self._decay:
            self._optimizer = keras.optimizers.AdamW(self._rate, weight_decay=self._decay)
            self._optimizer.exclude_from_weight_decay(var_names=["bias"])
        self._optimizer.build(weights)
        # XLA makes one pass over the memory of what are a dozen operations; the formulas are Keras' own.
        self._update = tf.function(
            lambda gradients: self._optimizer.apply(gradients, self._weights), jit_compile=not self._gpu
        )
        inputs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in network.inputs]
        self._step = tf.function(self._take_step, input_signature=[inputs, tf.TensorSpec((None, 1))])

    def slow_down(self, part):
        """Take steps of `part` times the learning rate from now on."""
        self._optimizer.learning_rate.assign(self._rate * part)

    def steps(self, batch, batches):
        """Take a step with each batch; yield its number of samples and its loss (of stage MODULES the mean over the modules).

        Args:
            batch: function from one of `batches` to (list of inputs, truth [sample, 1]). It is called for the next one, in another
                thread, while a step runs.
        """
        with ThreadPoolExecutor(1) as helper:
            waiting = helper.submit(_tensors, batch, batches[0])
            for following in [*batches[1:], None]:
                inputs, truth = waiting.result()
                waiting = following is not None and helper.submit(_tensors, batch, following)
                # A truth of shape [sample] against an output of [sample, 1] would be broadcast without a word.
                assert truth.shape == (len(inputs[0]), 1)
                yield len(truth), float(self._step(inputs, truth))

    def standard(self):
        """Return a network of standard Keras layers with the weights of the one in training."""
        network = build_model(**self._form)
        copy_weights(self.network, network)
        return network

    @property
    def state(self):
        """All that the next step depends on, beside its batch: weights, moments, random states, as a list of arrays."""
        return [variable.numpy() for variable in self._variables]

    @state.setter
    def state(self, arrays):
        for variable, array in zip(self._variables, arrays, strict=True):
            variable.assign(array)

    @property
    def _variables(self):
        heads = [variable for head in self._heads for variable in head.variables]
        return self.network.variables + heads + self._optimizer.variables

    def _take_step(self, inputs, truth):
        if self._frozen is not None:
            inputs = self._frozen(inputs, training=False)
        with tf.GradientTape() as tape:
            outputs = self._live(inputs, training=True)
            losses = [
                tf.reduce_mean(self._losses(output, truth))
                for output in (outputs if isinstance(outputs, list) else [outputs])
            ]
            # The weights of one output are not those of another: the sum trains each as if it were alone.
            loss = tf.add_n(losses)
        self._update(tape.gradient(loss, self._weights))
        return loss / len(losses)


def _squares(output, truth):
    return tf.square(output - truth)


def _cross_entropies(output, truth):
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=output)


def _tensors(batch, numbers):
    inputs, truth = batch(numbers)
    return [tf.constant(array) for array in inputs], tf.constant(truth)
