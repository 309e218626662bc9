"""Starting values for kernels. Biases start at zero.

Both rules choose the spread so that signals neither die out nor blow up from layer to layer. What matters is how many
inputs a unit sums (fan in) and how many units an input feeds (fan out); for a convolution both count the kernel's
area: fan in = height * width * channels in.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike

from pipeline.numpy_lenet.arrays import Array

Initializer = Callable[[np.random.Generator, tuple[int, ...], DTypeLike], Array]


def he_normal(rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Normal with variance 2 / fan in, for layers followed by a ReLU (He et al. 2015, eq. 10).

    shape: (..., in, out). Keras draws from a normal cut off at two standard deviations, with the same variance.
    """
    fan_in, _ = fans(shape)
    return rng.normal(scale=math.sqrt(2 / fan_in), size=shape).astype(dtype)


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Uniform with variance 2 / (fan in + fan out), for tanh and linear layers (Glorot and Bengio 2010, eq. 16).

    shape: (..., in, out).
    """
    limit = math.sqrt(6 / sum(fans(shape)))
    return rng.uniform(-limit, limit, size=shape).astype(dtype)


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Fan in and fan out of a kernel of shape (..., in, out); the leading axes are a convolution's area."""
    *area, inputs, outputs = shape
    return math.prod(area) * inputs, math.prod(area) * outputs
