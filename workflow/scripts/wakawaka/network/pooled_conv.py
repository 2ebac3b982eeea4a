"""A convolution and its max pooling as one Keras layer."""

from typing import Any

import keras


class PooledConv1D(keras.layers.Conv1D):
    """Convolution, max pooling, bias and activation, in this order.

    Adding a constant and a non-decreasing activation never change which of two numbers is larger. Outputs and gradients are
    therefore those of `Conv1D(activation=...)` followed by `MaxPooling1D(pool_size)`, without their two passes over the long axis.
    The weights are those of `Conv1D`. No saved model holds this layer.

    Input shape: [sample, position, channel]. Output shape: [sample, window, filter].

    Args:
        filters: number of filters.
        kernel_size: positions that a filter spans.
        pool_size: width and stride of the pooling.
        kwargs: further arguments of `keras.layers.Conv1D`.
    """

    def __init__(self, filters: int, kernel_size: int, pool_size: int, **kwargs: Any) -> None:
        super().__init__(filters, kernel_size, **kwargs)
        self.pool_size = pool_size

    def call(self, inputs: Any) -> Any:
        """Return the pooled convolution of `inputs`."""
        pooled = keras.ops.max_pool(self.convolution_op(inputs, self.kernel), self.pool_size, self.pool_size)
        return self.activation(pooled + self.bias)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the output."""
        batch, length, filters = super().compute_output_shape(input_shape)
        return batch, length // self.pool_size, filters
