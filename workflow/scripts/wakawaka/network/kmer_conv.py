"""The first convolution of the DNA module as a Keras layer that looks k-mers up; see kmers.py for how and why."""

import keras
import numpy as np
import tensorflow as tf

from wakawaka.network.kmer_kernels import LANES, Buffers, add_to_words, pool_words


class LookupConv1D(keras.layers.Layer):
    """`Conv1D` on one-hot DNA, its activation, `MaxPooling1D(pool)` and, for a ReLU, `Dropout(dropout)`, in one.

    Outputs and gradients are those of these four layers, up to the rounding of float32, and so are the weights. The input is
    `Words.index` [sample, position] uint16 in place of one-hot DNA, the output [sample, window, filter] float32. For training
    on CPUs only; what is saved is a `Conv1D`.

    Args:
        filters, width, activation: as `Conv1D` has them; any activation that never decreases.
        pool: width and stride of the pooling.
        words: the `Words` that the input is an index of, found for this width and with the convolution's dilation and padding.
        dropout: only with activation `relu`, which alone commutes with it here.
    """

    # XLA knows nothing of our loops.
    supports_jit = False

    def __init__(self, filters, width, *, pool, words, activation, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.relu = self.activation is keras.activations.relu
        assert self.relu or not dropout
        self.filters, self.width, self.pool, self.dropout = filters, width, pool, dropout
        self.parts, (count, self._letters) = words.parts, words.letters.shape
        self.seeds = keras.random.SeedGenerator()
        self._one_hot = tf.constant(words.one_hot)
        self._columns = -(-filters // LANES) * LANES
        self._sizes = {"words": count, "step": words.step, "pool": pool, "filters": max(filters, LANES)}
        self._buffers = Buffers()

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(self.width, 4, self.filters), name="kernel")
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def compute_output_shape(self, input_shape):
        positions = input_shape[1] - (self.parts - 1) * self._sizes["step"]
        return input_shape[0], positions // self.pool, self.filters

    def call(self, index, training=False):
        dropout = self.dropout if training else 0.0
        seed = self.seeds.next() if dropout else tf.zeros(2, tf.uint32)
        pooled = self._pool(index, seed, dropout)(self._table())
        if self.filters < LANES:
            pooled = pooled[..., : self.filters]
        return pooled if self.relu else self.activation(pooled)

    def _table(self):
        """Return the answer of each part of the filters to each word, [part x word, column]; the first part has the bias."""
        letters = self._letters
        unused = self._columns - self.filters
        kernel = tf.pad(self.kernel, [[0, self.parts * letters - self.width], [0, 0], [0, unused]])
        answers = tf.matmul(self._one_hot, tf.reshape(kernel, (self.parts, 4 * letters, self._columns)))
        first = np.eye(self.parts, 1, dtype=np.float32)[:, :, None]
        return tf.reshape(answers + first * tf.pad(self.bias, [[0, unused]]), (-1, self._columns))

    def _pool(self, index, seed, dropout):
        """Return a differentiable function from the table to the pooled answers."""
        sizes, parts = self._sizes, self.parts

        def look_up(index, table, seed):
            number = np.random.SeedSequence(seed.tolist()).generate_state(1).view(np.int32)[0]
            settings = {
                "floor": 0.0 if self.relu else -np.inf,
                "dropout": dropout,
                "seed": number,
                "buffers": self._buffers,
            }
            return pool_words(index, table, **sizes, **settings)

        def add(index, winners, gradient):
            return add_to_words(index, winners, gradient, **sizes, parts=parts, columns=self._columns, dropout=dropout)

        @tf.custom_gradient
        def pooled(table):
            kinds = [tf.float32, tf.as_dtype(np.min_scalar_type(self.pool))]
            result, winners = tf.numpy_function(look_up, [index, table, seed], kinds)
            windows = self.compute_output_shape(index.shape)[1]
            result.set_shape((index.shape[0], windows, sizes["filters"]))

            def gradient(upstream):
                return tf.ensure_shape(tf.numpy_function(add, [index, winners, upstream], tf.float32), table.shape)

            return result, gradient

        return pooled
