"""One network in training: its steps and its state."""

from concurrent.futures import ThreadPoolExecutor

import keras
import tensorflow as tf

from .model import before_sigmoid, build_model, copy_weights


class Trainer:
    """Trains the fast form of a network with Adam on the mean squared error or, for a binary target, the mean cross-entropy.

    The first weights and what is dropped follow from Keras' global seed (`keras.utils.set_random_seed`).

    Args:
        spec, modules, sizes, words: of `build_model`; sizes has marks, bins and window.
        learning_rate: of Adam; its other settings are Keras' defaults.
        binary: whether the target is 0 or 1 and the network's output a probability.

    Attributes:
        network: the keras.Model that is trained.
    """

    def __init__(self, spec, modules, sizes, words, learning_rate, binary=False):
        self._form = {"spec": spec, "modules": modules, "binary": binary, **sizes}
        gpu = bool(tf.config.list_physical_devices("GPU"))
        self.network = build_model(**self._form, fast=not gpu, words=words)
        # The cross-entropy of log odds does not suffer from probabilities that are rounded to 0 or 1.
        self._output, self._losses = before_sigmoid(self.network), _cross_entropies if binary else _squares
        self._weights = self.network.trainable_variables
        self._optimizer = keras.optimizers.Adam(learning_rate)
        self._optimizer.build(self._weights)
        # XLA makes one pass over the memory of what are a dozen operations; the formulas are Keras' own.
        self._update = tf.function(
            lambda gradients: self._optimizer.apply(gradients, self._weights), jit_compile=not gpu
        )
        inputs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in self.network.inputs]
        self._step = tf.function(self._step, input_signature=[inputs, tf.TensorSpec((None, 1))])

    def steps(self, batch, batches):
        """Take a step with each batch; yield its number of samples and its loss.

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
        return self.network.variables + self._optimizer.variables

    def _step(self, inputs, truth):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self._losses(self._output(inputs, training=True), truth))
        self._update(tape.gradient(loss, self._weights))
        return loss


def _squares(output, truth):
    return tf.square(output - truth)


def _cross_entropies(output, truth):
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=output)


def _tensors(batch, numbers):
    inputs, truth = batch(numbers)
    return [tf.constant(array) for array in inputs], tf.constant(truth)
