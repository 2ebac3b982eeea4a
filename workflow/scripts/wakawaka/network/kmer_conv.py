"""The first convolution of the DNA module as a Keras layer that looks k-mers up; kmer_kernels.py explains the method."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from wakawaka.network.kmer_kernels import LANES, Buffers, KmerIndex, Layout, gather_max, scatter_add


class KmerConv1D(keras.layers.Layer):
    """Convolution of one-hot DNA, activation, max pooling and, after a ReLU, dropout in one layer.

    Outputs and gradients are those of `Conv1D`, `MaxPooling1D` and `Dropout`, up to the rounding of float32; so are the weights.
    The layer is for CPUs, and no saved model holds it.

    Input shape: [sample, position] uint16, rows of `KmerIndex.index`. Output shape: [sample, window, filter] float32.

    Args:
        filters: number of filters.
        kernel_size: bases that a filter spans.
        pool_size: width and stride of the pooling.
        kmer_index: the k-mer index of the sequences, for this kernel size and the convolution's dilation and padding.
        activation: activation of `Conv1D`; it must not decrease anywhere.
        dropout: the dropped fraction; more than 0 only with `relu`, which alone commutes with dropout here.
        kwargs: further arguments of `keras.layers.Layer`.
    """

    # XLA cannot compile the loops.
    supports_jit = False

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        *,
        pool_size: int,
        kmer_index: KmerIndex,
        activation: Any,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.relu = self.activation is keras.activations.relu
        assert self.relu or not dropout
        self.filters, self.kernel_size, self.dropout = filters, kernel_size, dropout
        self.seeds = keras.random.SeedGenerator()
        kmers, self._length = kmer_index.kmers.shape
        self._one_hot = tf.constant(kmer_index.one_hot)
        self._layout = Layout(kmers, kmer_index.parts, kmer_index.step, pool_size, max(filters, LANES))
        self._buffers = Buffers()

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the weights, which are those of `Conv1D`."""
        self.kernel = self.add_weight(shape=(self.kernel_size, 4, self.filters), name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output."""
        batch, positions = input_shape
        assert positions is not None
        positions -= (self._layout.parts - 1) * self._layout.step
        return batch, positions // self._layout.pool_size, self.filters

    def call(self, index: Any, training: bool = False) -> Any:
        """Return the pooled responses of the filters."""
        dropout = self.dropout if training else 0.0
        seed = self.seeds.next() if dropout else tf.zeros(2, tf.uint32)
        pooled = self._pool(index, seed, dropout)(self._table())
        if self.filters < LANES:
            pooled = pooled[..., : self.filters]
        return pooled if self.relu else self.activation(pooled)

    def _table(self) -> Any:
        """Return the response of each part of the filters to each k-mer, [part x k-mer, column]; the bias is in the first part."""
        parts, columns, length = self._layout.parts, self._layout.columns, self._length
        unused = columns - self.filters
        kernel = tf.pad(self.kernel, [[0, parts * length - self.kernel_size], [0, 0], [0, unused]])
        responses = tf.matmul(self._one_hot, tf.reshape(kernel, (parts, 4 * length, columns)))
        first = np.eye(parts, 1, dtype=np.float32)[:, :, None]
        return tf.reshape(responses + first * tf.pad(self.bias, [[0, unused]]), (-1, columns))

    def _pool(self, index: Any, seed: Any, dropout: float) -> Callable[[Any], Any]:
        """Return the differentiable function from the table to the pooled responses."""
        layout, floor = self._layout, 0.0 if self.relu else -np.inf

        def gather(index: np.ndarray, table: np.ndarray, seed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            number = np.random.SeedSequence(seed.tolist()).generate_state(1).view(np.int32)[0]
            return gather_max(index, table, layout, floor=floor, dropout=dropout, seed=number, buffers=self._buffers)

        def scatter(index: np.ndarray, winners: np.ndarray, gradient: np.ndarray) -> np.ndarray:
            return scatter_add(index, winners, gradient, layout, dropout=dropout)

        @tf.custom_gradient
        def pooled(table: Any) -> Any:
            kinds = [tf.float32, tf.as_dtype(np.min_scalar_type(layout.pool_size))]
            result, winners = tf.numpy_function(gather, [index, table, seed], kinds)
            windows = self.compute_output_shape(index.shape)[1]
            result.set_shape((index.shape[0], windows, layout.filters))

            def gradient(upstream: Any) -> Any:
                return tf.ensure_shape(tf.numpy_function(scatter, [index, winners, upstream], tf.float32), table.shape)

            return result, gradient

        return pooled
