"""Rules that change parameters by their gradients. Definitions, defaults and order of operations are those of Keras 3.

    optimizer.update(parameters, gradients, learning_rate)      # in place; both: name -> array

Weight decay is decoupled from the gradient (Loshchilov and Hutter 2019): before the step each parameter shrinks by
weight_decay * learning_rate of itself. Biases do not.

A learning rate from a NumPy schedule is made a Python float first: NumPy's would turn float32 steps into float64.
"""

import math
from collections.abc import Mapping

import numpy as np

from pipeline.numpy_lenet.arrays import Array

Arrays = Mapping[str, Array]


class SGD:
    """Gradient descent with momentum m (Polyak 1964), or Nesterov's (Sutskever et al. 2013).

    v = m * v - learning_rate * gradient;  parameter += v, with Nesterov += m * v - learning_rate * gradient
    """

    def __init__(self, momentum: float = 0.0, nesterov: bool = False, weight_decay: float = 0.0) -> None:
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self._velocity: dict[str, Array] = {}

    def update(self, parameters: Arrays, gradients: Arrays, learning_rate: float) -> None:
        """One step, in place."""
        learning_rate = float(learning_rate)
        _decay(parameters, self.weight_decay * learning_rate)
        for name, parameter in parameters.items():
            step = learning_rate * gradients[name]
            if self.momentum:
                velocity = _slot(self._velocity, name, parameter)
                velocity *= self.momentum
                velocity -= step
                parameter[...] += self.momentum * velocity - step if self.nesterov else velocity
            else:
                parameter[...] -= step

    def state(self) -> dict[str, Array]:
        """What the next step depends on: `velocity/<name>` -> array."""
        return _flat(velocity=self._velocity)

    def load_state(self, state: Arrays) -> None:
        """Go on from where `state` was taken."""
        self._velocity = _nested(state, "velocity")


class Adam:
    """Steps of about the learning rate, by running means of the gradient and of its square (Kingma and Ba 2015).

    With weight decay it is AdamW (Loshchilov and Hutter 2019). At step t = 1, 2, ...:

        m += (1 - beta_1) * (gradient - m);  v += (1 - beta_2) * (gradient**2 - v)
        parameter -= learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)
    """

    def __init__(
        self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7, weight_decay: float = 0.0
    ) -> None:
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.weight_decay = weight_decay
        self._steps = 0
        self._mean: dict[str, Array] = {}
        self._mean_square: dict[str, Array] = {}

    def update(self, parameters: Arrays, gradients: Arrays, learning_rate: float) -> None:
        """One step, in place."""
        learning_rate = float(learning_rate)
        self._steps += 1
        unbiased = math.sqrt(1 - self.beta_2**self._steps) / (1 - self.beta_1**self._steps)
        _decay(parameters, self.weight_decay * learning_rate)
        for name, parameter in parameters.items():
            gradient = gradients[name]
            mean = _slot(self._mean, name, parameter)
            mean_square = _slot(self._mean_square, name, parameter)
            mean += (1 - self.beta_1) * (gradient - mean)
            mean_square += (1 - self.beta_2) * (gradient * gradient - mean_square)
            parameter[...] -= learning_rate * unbiased * mean / (np.sqrt(mean_square) + self.epsilon)

    def state(self) -> dict[str, Array]:
        """What the next step depends on: `mean/<name>`, `mean_square/<name>` and `steps` -> array."""
        return _flat(mean=self._mean, mean_square=self._mean_square) | {"steps": np.array(self._steps)}

    def load_state(self, state: Arrays) -> None:
        """Go on from where `state` was taken."""
        self._steps = int(state["steps"])
        self._mean = _nested(state, "mean")
        self._mean_square = _nested(state, "mean_square")


def _decay(parameters: Arrays, amount: float) -> None:
    if not amount:
        return
    for name, parameter in parameters.items():
        if not name.endswith("bias"):
            parameter[...] *= 1 - amount


def _slot(slots: dict[str, Array], name: str, parameter: Array) -> Array:
    if name not in slots:
        slots[name] = np.zeros_like(parameter)
    return slots[name]


def _flat(**slots: dict[str, Array]) -> dict[str, Array]:
    return {f"{slot}/{name}": value.copy() for slot, arrays in slots.items() for name, value in arrays.items()}


def _nested(state: Arrays, slot: str) -> dict[str, Array]:
    prefix = f"{slot}/"
    return {name.removeprefix(prefix): np.array(value) for name, value in state.items() if name.startswith(prefix)}
