"""One network in training: its steps and its state."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from wakawaka.network.backend import has_gpu
from wakawaka.network.build import build_model, copy_weights, logits_model
from wakawaka.network.inputs import in_order
from wakawaka.network.kmer_kernels import KmerIndex
from wakawaka.network.spec import Spec
from wakawaka.training.schedule import JOINT, MODULES, WHOLE

# The inputs of a batch, and its truth [sample, 1].
Batch = tuple[list[np.ndarray], np.ndarray]


class Trainer:
    """Trains the fast form of a network with Adam on the mean squared error or, for a binary target, the mean cross-entropy.

    Initial weights and dropout follow from Keras' global seed (`keras.utils.set_random_seed`).

    Args:
        spec, modules: those of the network.
        sizes: marks, bins and window of its inputs.
        kmer_index: the k-mer index of the sequences, or None.
        learning_rate: the learning rate of Adam; its other settings are Keras' defaults.
        binary: whether the target is 0 or 1 and the network's output a probability.
        weight_decay: the weight decay of AdamW, which takes the place of Adam if this is not 0. Biases do not decay.
        fixed: names of layers that are not trained.

    Attributes:
        network: the keras.Model that is trained.
        modules: its modules, in the order of its inputs.
        kmer_index: as given.
        stage: WHOLE until `begin` is called.
    """

    def __init__(
        self,
        spec: Spec,
        modules: Sequence[str],
        sizes: Mapping[str, int],
        kmer_index: KmerIndex | None,
        learning_rate: float,
        binary: bool = False,
        weight_decay: float = 0,
        fixed: Sequence[str] = (),
    ) -> None:
        self._form: dict[str, Any] = {"spec": spec, "modules": modules, "binary": binary, **sizes}
        self.modules, self.kmer_index = in_order(modules), kmer_index
        self._rate, self._decay, self._gpu = learning_rate, weight_decay, has_gpu()
        self.network = build_model(**self._form, fast=not self._gpu, kmer_index=kmer_index)
        for name in fixed:
            self.network.get_layer(name).trainable = False
        # The cross-entropy of log odds does not suffer from probabilities that are rounded to 0 or 1.
        self._losses = _cross_entropies if binary else _squares
        self.begin(WHOLE)

    def begin(self, stage: str) -> None:
        """Begin a stage, with a new optimiser and, in stage MODULES, new outputs.

        In stage JOINT the modules compute what they compute in prediction: there is no dropout, batch normalisation uses its
        running averages, and their weights stay the same, bit for bit.
        """
        self.stage = stage
        network, output = self.network, logits_model(self.network)
        features = [network.get_layer(f"{module}_features").output for module in self.modules]
        self._frozen, self._live = None, output
        self._heads: list[keras.layers.Dense] = []
        if stage == MODULES:
            self._heads = [keras.layers.Dense(1, name=f"{module}_head") for module in self.modules]
            outputs = [head(tensor) for head, tensor in zip(self._heads, features, strict=True)]
            self._live = keras.Model(network.inputs, outputs)
        elif stage == JOINT:
            self._frozen, self._live = keras.Model(network.inputs, features), keras.Model(features, output.output)
        self._weights = self._live.trainable_variables
        self._optimizer = self._new_optimizer()
        # XLA fuses a dozen operations into one pass over the memory; the formulas are those of Keras.
        self._update = tf.function(
            lambda gradients: self._optimizer.apply(gradients, self._weights), jit_compile=not self._gpu
        )
        inputs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in network.inputs]
        self._step = tf.function(self._take_step, input_signature=[inputs, tf.TensorSpec((None, 1))])

    def scale_learning_rate(self, factor: float) -> None:
        """Use `factor` times the learning rate from now on."""
        self._optimizer.learning_rate.assign(self._rate * factor)

    def steps(self, batch: Callable[[Any], Batch], batches: Sequence[Any]) -> Iterator[tuple[int, float]]:
        """Take a step with each batch; yield its number of samples and its loss.

        In stage MODULES the loss is the mean over the modules.

        Args:
            batch: function from one of `batches` to the inputs and the truth. It is called for the next one, in another thread,
                while a step runs.
            batches: what `batch` is called with, one after the other.
        """
        with ThreadPoolExecutor(1) as helper:
            waiting = helper.submit(_tensors, batch, batches[0])
            for number in range(len(batches)):
                inputs, truth = waiting.result()
                if number + 1 < len(batches):
                    waiting = helper.submit(_tensors, batch, batches[number + 1])
                # A truth of shape [sample] would be broadcast against an output of [sample, 1] without an error.
                assert truth.shape == (len(inputs[0]), 1)
                yield len(truth), float(self._step(inputs, truth))

    def standard(self) -> keras.Model:
        """Return a network of standard Keras layers with the weights of the one in training."""
        network = build_model(**self._form)
        copy_weights(self.network, network)
        return network

    @property
    def state(self) -> list[np.ndarray]:
        """All that the next step depends on, apart from its batch: weights, moments and random states."""
        return [variable.numpy() for variable in self._variables]

    @state.setter
    def state(self, arrays: Sequence[np.ndarray]) -> None:
        for variable, array in zip(self._variables, arrays, strict=True):
            variable.assign(array)

    @property
    def _variables(self) -> list[Any]:
        heads = [variable for head in self._heads for variable in head.variables]
        return self.network.variables + heads + self._optimizer.variables

    def _new_optimizer(self) -> keras.optimizers.Optimizer:
        optimizer = keras.optimizers.Adam(self._rate)
        if self._decay:
            optimizer = keras.optimizers.AdamW(self._rate, weight_decay=self._decay)
            optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.build(self._weights)
        return optimizer

    def _take_step(self, inputs: list[Any], truth: Any) -> Any:
        if self._frozen is not None:
            inputs = self._frozen(inputs, training=False)
        with tf.GradientTape() as tape:
            outputs = self._live(inputs, training=True)
            outputs = outputs if isinstance(outputs, list) else [outputs]
            losses = [tf.reduce_mean(self._losses(output, truth)) for output in outputs]
            # Outputs have no weights in common, so that the sum trains each of them as if it were alone.
            loss = tf.add_n(losses)
        self._update(tape.gradient(loss, self._weights))
        return loss / len(losses)


def _squares(output: Any, truth: Any) -> Any:
    return tf.square(output - truth)


def _cross_entropies(output: Any, truth: Any) -> Any:
    return tf.nn.sigmoid_cross_entropy_with_logits(labels=truth, logits=output)


def _tensors(batch: Callable[[Any], Batch], numbers: Any) -> tuple[list[Any], Any]:
    inputs, truth = batch(numbers)
    return [tf.constant(array) for array in inputs], tf.constant(truth)
