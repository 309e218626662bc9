"""A hand-written network of numpy_lenet as a network of this project."""

import importlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.config.devices import AUTO
from pipeline.data.batches import Batch
from pipeline.data.preprocessing import Preprocessing
from pipeline.errors import UserError
from pipeline.models.networks.architecture import architecture
from pipeline.models.networks.contract import EpochFit, Head, Network, NetworkSpec
from pipeline.numpy_lenet.network import Network as Layers
from pipeline.numpy_lenet.optimizers import SGD, Adam

if TYPE_CHECKING:
    import keras

MOMENTUM = 0.9
CHANNELS = 3

# input shape (height, width, channels), number of classes, hyperparameters and seed -> a chain that returns logits
Builder = Callable[..., Layers]


def numpy_model(
    *, recipe: dict[str, Any], search: dict[str, Any] | None = None
) -> Callable[[Builder], Callable[[NetworkSpec], Network]]:
    """Make a builder of hand-written networks an architecture of this project, as `keras_model` does with Keras's."""

    def decorate(builder: Builder) -> Callable[[NetworkSpec], Network]:
        def build(spec: NetworkSpec) -> Network:
            return NumpyNetwork(builder, spec)

        # Nothing here multiplies in bfloat16, whatever the machine can do.
        return architecture(build, builder, {"precision": "float32"} | recipe, search or {}, also_given=["seed"])

    return decorate


class NumpyNetwork:
    """A network over the layers that `builder` makes of `spec`.

    Raises UserError if they cannot be made, or if bfloat16 or several devices are asked for.
    """

    requirements: tuple[str, ...] = ()
    standardizes_in_file = False

    def __init__(self, builder: Builder, spec: NetworkSpec):
        if spec.weights != "none":
            raise UserError(f"--weights {spec.weights}: {builder.__name__} takes no initial weights")
        if spec.devices not in (1, AUTO):
            raise UserError(f"--devices {spec.devices}: {builder.__name__} computes on one processor only")
        if spec.precision != "float32":
            raise UserError(f"--precision {spec.precision}: {builder.__name__} computes in float32 only")
        self._preprocessing = spec.preprocessing
        size = self._preprocessing.seen_size
        shape = (size, size, CHANNELS)
        try:
            self._layers = builder(shape, spec.classes, seed=spec.seed, **spec.hyperparameters)
        except ValueError as error:
            raise UserError(f"{builder.__name__} cannot be built: {error}") from error
        self._builder = builder
        self._spec = spec
        self._optimizer = _optimizer(spec)

    # A training that diverges is recognised by its loss; NumPy's warnings on the way say less.
    @np.errstate(over="ignore", invalid="ignore")
    def fit_epoch(self, batches: Iterable[Batch], learning_rates: Sequence[float]) -> EpochFit:
        losses, correct, images = [], 0, 0
        for batch, learning_rate in zip(batches, learning_rates, strict=True):
            pixels = self._preprocessing.standardized(batch.images)
            loss, logits = self._layers.loss_and_gradients(pixels, batch.targets, batch.weights)
            self._optimizer.update(self._layers.parameters(), self._layers.gradients(), learning_rate)
            losses.append(loss)
            correct += int((logits.argmax(axis=1) == batch.targets.argmax(axis=1)).sum())
            images += len(batch.images)
        return EpochFit(np.array(losses), correct / images, images, compile_seconds=0.0)

    def predict(self, images: np.ndarray) -> np.ndarray:
        return self._layers.predict(self._preprocessing.standardized(images))

    def head(self) -> Head:
        raise self._has_no_weights()

    def train_body(self, part: float) -> None:
        raise self._has_no_weights()

    def forget_steps(self) -> None:
        raise self._has_no_weights()

    def _has_no_weights(self) -> UserError:
        return UserError(f"{self._builder.__name__} takes no initial weights, and is trained as a whole")

    def takes(self, image_size: int) -> bool:
        return image_size == self._preprocessing.seen_size

    def layers(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "name": row.name,
                "kind": row.kind,
                "output_shape": "x".join(str(size) for size in row.output_shape),
                "parameters": row.parameters,
                "trainable_parameters": row.parameters,
            }
            for row in self._layers.layers()
        )

    def heat_maps(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
        return None

    def state(self) -> dict[str, np.ndarray]:
        groups = {"model": self._layers.state(), "optimizer": self._optimizer.state()}
        return {f"{group}/{name}": value for group, values in groups.items() for name, value in values.items()}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        def of(group: str) -> dict[str, np.ndarray]:
            prefix = f"{group}/"
            return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}

        self._layers.load_state(of("model"))
        self._optimizer.load_state(of("optimizer"))

    def save(self, folder: Path) -> Path:
        path = folder / "network.npz"
        facts = {
            "architecture": self._builder.__name__,
            "image_size": self._preprocessing.seen_size,
            "classes": self._spec.classes,
            "mean": self._preprocessing.mean,
            "deviation": self._preprocessing.deviation,
            "hyperparameters": self._spec.hyperparameters,
        }
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, facts=np.array(json.dumps(facts)), **self._layers.state())
        return path

    def as_keras_model(self) -> "keras.Model":
        # Whoever only predicts with NumPy needs no Keras.
        from pipeline.models.networks.numpy_as_keras import keras_layers_of
        from pipeline.models.networks.quiet_keras import keras

        scale = 1 / np.array(self._preprocessing.deviation)
        standardize = keras.layers.Rescaling(scale.tolist(), (-np.array(self._preprocessing.mean) * scale).tolist())
        pixels = keras.Input(self._layers.input_shape, name="pixels")
        outputs = standardize(pixels)
        for layer in [*keras_layers_of(self._layers), keras.layers.Softmax(name="softmax")]:
            outputs = layer(outputs)
        return keras.Model(pixels, outputs, name="network")

    @classmethod
    def load(cls, path: Path) -> "NumpyNetwork":
        """The network in a file that `save` wrote. Nothing in it is unpickled."""
        with np.load(path, allow_pickle=False) as stored:
            facts = json.loads(str(stored["facts"]))
            state = {name: stored[name] for name in stored.files if name != "facts"}
        architecture = facts.pop("architecture")
        module = importlib.import_module(f"..architectures.{architecture}", __package__)
        size = facts["image_size"]
        spec = NetworkSpec(
            # How files became pixels of this size is not the network's to know.
            preprocessing=Preprocessing(size, size, "stretch", facts["mean"], facts["deviation"]),
            classes=facts["classes"],
            hyperparameters=facts["hyperparameters"],
            optimizer="sgd",
            weight_decay=0.0,
            precision="float32",
            seed=0,
            deterministic=True,
        )
        network = cls(getattr(module, architecture).builder, spec)
        network._layers.load_state(state)
        return network


def _optimizer(spec: NetworkSpec) -> SGD | Adam:
    if spec.optimizer == "sgd":
        return SGD(MOMENTUM, nesterov=True, weight_decay=spec.weight_decay)
    return Adam(weight_decay=spec.weight_decay if spec.optimizer == "adamw" else 0.0)
