"""A chain of layers that is trained and asked as one."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.numpy_lenet.arrays import Array
from pipeline.numpy_lenet.layers import Dropout, Layer, Shape
from pipeline.numpy_lenet.losses import softmax, softmax_cross_entropy

# Images that are predicted at a time: more are no faster, and the layers would keep larger arrays.
PREDICTED_AT_ONCE = 64


class LayerRow(NamedTuple):
    """A row of the table of layers; the shape is without the batch axis."""

    name: str
    kind: str
    output_shape: Shape
    parameters: int


class Network:
    """Layers in order, by name. Parameters and gradients are named `<layer>/<parameter>`, such as `conv1/kernel`.

    One step of training:

        loss, logits = network.loss_and_gradients(images, targets)
        optimizer.update(network.parameters(), network.gradients(), learning_rate)

    `step` counts them; Dropout's draws depend on it. `chain` holds the layers by name.
    """

    def __init__(self, layers: Mapping[str, Layer], input_shape: Shape) -> None:
        """input_shape: (height, width, channels).

        Raises ValueError if a layer cannot take what the one before it gives.
        """
        self.chain = dict(layers)
        self.input_shape = input_shape
        self.step = 0
        self._table = _table(self.chain, input_shape)
        _spare_gradients_of_images(self.chain)

    def layers(self) -> list[LayerRow]:
        """The table of layers."""
        return self._table

    def parameters(self) -> dict[str, Array]:
        """Name -> array: the network's own, not copies."""
        return {f"{name}/{key}": value for name, layer in self.chain.items() for key, value in layer.parameters.items()}

    def gradients(self) -> dict[str, Array]:
        """Name -> gradient of the loss, in the parameter's shape. The next backward pass overwrites the arrays."""
        return {f"{name}/{key}": value for name, layer in self.chain.items() for key, value in layer.gradients.items()}

    def forward(self, images: Array, training: bool = False) -> Array:
        """Images (n, height, width, channels) -> logits (n, classes)."""
        outputs = images
        for layer in self.chain.values():
            if isinstance(layer, Dropout):
                layer.step = self.step
            outputs = layer.forward(outputs, training)
        return outputs.copy()

    def backward(self, grad_logits: Array) -> None:
        """Set `gradients()` from the gradient of any loss by the logits, (n, classes), that `forward` gave last."""
        grads = grad_logits
        for layer in reversed(self.chain.values()):
            grads = layer.backward(grads)
            if not layer.needs_grad_inputs:
                return

    def loss_and_gradients(self, images: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
        """Mean softmax cross-entropy of a batch, and its logits, (n, classes). Sets `gradients()`, counts a step.

        images: (n, height, width, channels). targets: (n, classes), one-hot or soft. weights: (n,), a factor for the
        loss of each image.
        """
        logits = self.forward(images, training=True)
        loss, grad_logits = softmax_cross_entropy(logits, targets, weights)
        self.backward(grad_logits)
        self.step += 1
        return loss, logits

    def predict(self, images: Array) -> Array:
        """Images (n, height, width, channels) -> probabilities (n, classes)."""
        (classes,) = self._table[-1].output_shape
        probabilities = np.empty((len(images), classes), next(iter(self.parameters().values())).dtype)
        for start in range(0, len(images), PREDICTED_AT_ONCE):
            part = slice(start, start + PREDICTED_AT_ONCE)
            probabilities[part] = softmax(self.forward(images[part]))
        return probabilities

    def state(self) -> dict[str, Array]:
        """A copy of all that training changes: the parameters by name, and `step`."""
        return {name: value.copy() for name, value in self.parameters().items()} | {"step": np.array(self.step)}

    def load_state(self, state: Mapping[str, Array]) -> None:
        """Go on from where `state` was taken. Raises ValueError if that was another network."""
        parameters = self.parameters()
        _refuse_other_shapes(state, parameters | {"step": np.array(self.step)})
        for name, value in parameters.items():
            value[...] = state[name]
        self.step = int(state["step"])

    def save(self, path: Path) -> None:
        """Write `state()` as .npz; nothing in it is pickled."""
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, **self.state())

    def load(self, path: Path) -> None:
        """Read what `save` wrote. Raises ValueError if that was another network."""
        with np.load(path, allow_pickle=False) as state:
            self.load_state(dict(state))


def _spare_gradients_of_images(layers: Mapping[str, Layer]) -> None:
    """Let the backward pass end at the first layer that learns."""
    for layer in layers.values():
        layer.needs_grad_inputs = False
        if layer.parameters:
            return


def _table(layers: Mapping[str, Layer], input_shape: Shape) -> list[LayerRow]:
    rows, shape = [], input_shape
    for name, layer in layers.items():
        shape = layer.output_shape(shape)
        rows.append(LayerRow(name, type(layer).__name__, shape, sum(p.size for p in layer.parameters.values())))
    return rows


def _refuse_other_shapes(state: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
    for name in sorted(expected.keys() | state.keys()):
        given, wanted = (np.shape(arrays[name]) if name in arrays else None for arrays in (state, expected))
        if given != wanted:
            raise ValueError(f"the state is another network's: {name} has shape {given}, here {wanted}")
