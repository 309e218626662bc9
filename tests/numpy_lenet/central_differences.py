"""Gradients by central differences, to hold a backward pass against."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def central_differences(function: Callable[[], float], array: Array, step: float = 1e-4) -> Array:
    """Gradient of `function()` by each element of `array`, which it reads; in the same shape."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + step
        above = function()
        array[index] = value - step
        below = function()
        array[index] = value
        gradient[index] = (above - below) / (2 * step)
    return gradient


def assert_same_gradient(actual: Array, expected: Array, tolerance: float = 1e-7) -> None:
    """Every element within `tolerance` of the tensor's largest (of 0.01, if terms cancelled to less)."""
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * max(np.abs(expected).max(initial=0), 1e-2))


def without_ties(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Values in (-1, 1) in random order, no two of them, and none and zero, closer than 1 / size."""
    size = int(np.prod(shape))
    return ((rng.permutation(size) * 2 + 1 - size + (size % 2) * 0.5) / (size + 1)).reshape(shape)
