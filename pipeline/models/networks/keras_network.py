"""Any keras.Model as a network."""

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data.batches import Batch
from pipeline.errors import UserError
from pipeline.models.networks import given_weights, statistics
from pipeline.models.networks.architecture import FewImages, architecture
from pipeline.models.networks.contract import EpochFit, Head, Network, NetworkSpec
from pipeline.models.networks.keras_float32 import float32_clone
from pipeline.models.networks.published_weights import Published
from pipeline.models.networks.quiet_keras import keras
from pipeline.models.networks.whitening import Whitening
from pipeline.numpy_lenet.losses import softmax

# Images of up to 128 pixels a side.
PREDICTED_AT_ONCE = 250
PREDICTED_PIXELS = 128**2
MOMENTUM = 0.9
# Decay pulls weights towards zero; scales and offsets have no reason to be there (Goyal et al. 2017).
NOT_DECAYED = ["bias", "gamma", "beta"]

# input shape (height, width, channels), number of classes, hyperparameters by name -> a model that returns logits
Builder = Callable[..., keras.Model]


def keras_model(
    *,
    recipe: dict[str, Any] | None = None,
    search: dict[str, Any] | None = None,
    few_images: FewImages | None = None,
    standardizes: bool = False,
    imagenet: Published | None = None,
) -> Callable[[Builder], Callable[[NetworkSpec], Network]]:
    """Make a builder of Keras models an architecture of this project.

    recipe, search and few_images are those of `architecture`. standardizes: whether its model takes pixels from 0 to
    255 as they are. imagenet: what makes its body with published weights, if there are any.
    """

    def decorate(builder: Builder) -> Callable[[NetworkSpec], Network]:
        def build(spec: NetworkSpec) -> Network:
            return _build(builder, spec, standardizes, imagenet)

        build.published = imagenet  # type: ignore[attr-defined]
        return architecture(build, builder, recipe or {}, search or {}, few_images)

    return decorate


def _build(builder: Builder, spec: NetworkSpec, standardizes: bool, imagenet: Published | None) -> "KerasNetwork":
    # Layers are named anew from 1, so that equal networks have equal names whatever was built before.
    keras.utils.clear_session()
    keras.utils.set_random_seed(spec.seed)
    if spec.deterministic and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
    strategy = _strategy(spec.devices)
    # Not before the session is cleared, which ends it.
    with _scope(strategy):
        model = _model(builder, spec, standardizes, imagenet)
        network = KerasNetwork(model, strategy=strategy, sample=spec.sample)
        network.compile(_optimizer(spec))
    return network


def _strategy(devices: int | str) -> Any:
    """What mirrors a network on so many devices; None for one. Raises UserError if there are fewer."""
    if devices == 1:
        return None
    if keras.backend.backend() != "tensorflow":
        raise UserError(f"--devices {devices}: Keras runs on {keras.backend.backend()} here, and on one device only")
    from pipeline.models.networks.replicas import strategy_for

    return strategy_for(devices)


def _scope(strategy: Any) -> contextlib.AbstractContextManager:
    """Variables made inside are on all devices of the strategy."""
    return strategy.scope() if strategy else contextlib.nullcontext()


def _model(builder: Builder, spec: NetworkSpec, standardizes: bool, imagenet: Published | None) -> keras.Model:
    """The model from pixels to logits, with the weights that it begins with."""
    with _dtype_policy("mixed_bfloat16" if spec.precision == "bfloat16" else "float32"):
        size = spec.preprocessing.seen_size
        core = builder((size, size, 3), spec.classes, **spec.hyperparameters)
    if getattr(core.layers[-1], "activation", None) is keras.activations.softmax:
        raise UserError(f"the model {builder.__name__} ends in softmax; a builder returns logits")
    if spec.sample is not None and not standardizes:
        _whiten(core, spec.sample, spec)
    if spec.weights != given_weights.NONE:
        given_weights.give(core, spec.weights, imagenet)
    return _of_pixels(core, spec, standardizes)


@contextlib.contextmanager
def _dtype_policy(name: str) -> Iterator[None]:
    """Layers made inside have this policy; what others make later has the one from before."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _whiten(core: keras.Model, images: np.ndarray, spec: NetworkSpec) -> None:
    for layer in core.layers:
        if isinstance(layer, Whitening):
            layer.adapt(spec.preprocessing.standardized(images))


def _of_pixels(core: keras.Model, spec: NetworkSpec, standardizes: bool) -> keras.Model:
    """`core` behind the standardisation of pixels, unless it does that; both stay reachable as layers of the result."""
    inputs = keras.Input(core.input_shape[1:], name="pixels")
    variance = [deviation**2 for deviation in spec.preprocessing.deviation]
    standardise = keras.layers.Normalization(
        mean=list(spec.preprocessing.mean), variance=variance, dtype="float32", name="standardize"
    )
    whole = keras.Model(inputs, core(inputs if standardizes else standardise(inputs)), name="classifier")
    # Images may change their size between epochs; whether the weights allow it, `takes` finds out.
    for model in (core, whole):
        model.input_spec = keras.layers.InputSpec(shape=(None, None, None, 3))
    return whole


def _optimizer(spec: NetworkSpec) -> keras.optimizers.Optimizer:
    if spec.optimizer == "adam":
        optimizer = keras.optimizers.Adam()
    elif spec.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(weight_decay=spec.weight_decay)
    else:
        optimizer = keras.optimizers.SGD(momentum=MOMENTUM, nesterov=True, weight_decay=spec.weight_decay or None)
    optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    _let_go_of_graphs(optimizer)
    return optimizer


def _let_go_of_graphs(optimizer: keras.optimizers.Optimizer) -> None:
    """Have it leave out what keeps every graph of a training step in memory for ever.

    Before a step Keras sums the gradients over all devices with a function that has a gradient of its own; TensorFlow
    registers that under a new name for each graph, and forgets none. With one device there is nothing to sum; those of
    several are summed before (replicas.py).
    """
    if hasattr(optimizer, "_distribution_strategy"):
        optimizer._all_reduce_sum_gradients = lambda gradients_and_variables: gradients_and_variables


class KerasNetwork:
    """A network over `model`, a keras.Model from pixels to logits (to probabilities once loaded from a file).

    sample: training images, (n, size, size, 3) uint8, for the statistics of batch normalisation where steps are few.
    dtype: of what it takes.
    """

    requirements: tuple[str, ...] = ("keras", "tensorflow")
    standardizes_in_file = True

    def __init__(
        self,
        model: keras.Model,
        *,
        returns_logits: bool = True,
        strategy: Any = None,
        sample: np.ndarray | None = None,
        dtype: str = "uint8",
    ):
        self.model = model
        self._strategy = strategy
        self._returns_logits = returns_logits
        self._sample = sample
        self._steps: dict[tuple[int, ...], Callable] = {}
        self._mirrored: Callable[[Batch], tuple[float, float]] | None = None
        self._outputs = outputs_function(model, dtype)
        self._at_once = _at_once(model.input_shape)
        self._learning: list[keras.layers.Layer] | None = None
        self._head: Head | None = None

    @property
    def core(self) -> keras.Model:
        """The builder's own model."""
        return next(layer for layer in self.model.layers if isinstance(layer, keras.Model))

    def compile(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Make the network trainable."""
        self.model.compile(
            optimizer,
            loss=keras.losses.CategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
            jit_compile="auto" if keras.backend.backend() == "jax" else False,
        )
        if not optimizer.built:
            optimizer.build(self.model.trainable_variables)
        if self._strategy:
            from pipeline.models.networks.replicas import MirroredSteps

            self._mirrored = MirroredSteps(self.model, self._strategy)

    def fit_epoch(self, batches: Iterable[Batch], learning_rates: Sequence[float]) -> EpochFit:
        losses, accuracies, sizes, seconds, compiling = [], [], [], [], []
        for batch, learning_rate in zip(batches, learning_rates, strict=True):
            start = time.perf_counter()
            self.model.optimizer.learning_rate = learning_rate
            compiling.append(batch.images.shape not in self._steps)
            loss, accuracy = self._mirrored(batch) if self._mirrored else self._step(batch)
            seconds.append(time.perf_counter() - start)
            losses.append(float(loss))
            accuracies.append(float(accuracy))
            sizes.append(len(batch.images))
        if self._sample is not None and len(losses) < statistics.FEW_STEPS:
            statistics.retake(self.model, self._sample)
        compile_seconds = _excess(np.array(seconds), np.array(compiling))
        accuracy = float(np.average(accuracies, weights=sizes))
        return EpochFit(np.array(losses), accuracy, sum(sizes), compile_seconds)

    def _step(self, batch: Batch) -> list[Any]:
        """Take one step, and return loss and accuracy before it.

        Keras makes one function for batches of all shapes, which traces a second shape with its sides left open, for
        whatever comes after. What is computed with open sides differs in the last digit, so that a step would depend
        on the shapes that this process met before, and a training that goes on would end with other weights. A function
        for each shape always traces that shape.
        """
        shape = batch.images.shape
        self.model.train_function = self._steps.get(shape)  # Keras makes one where there is none
        loss_and_accuracy = self.model.train_on_batch(batch.images, batch.targets, sample_weight=batch.weights)
        self._steps[shape] = self.model.train_function
        return loss_and_accuracy

    def predict(self, images: np.ndarray) -> np.ndarray:
        outputs = [
            keras.ops.convert_to_numpy(self._outputs(images[start : start + self._at_once]))
            for start in range(0, len(images), self._at_once)
        ]
        values = np.concatenate(outputs).astype(np.float32)
        return softmax(values) if self._returns_logits else values

    def head(self) -> Head:
        if self._head is None:
            # It needs this module.
            from pipeline.models.networks.keras_head import KerasHead

            with _scope(self._strategy):
                self._head = KerasHead(self, self._strategy)
        return self._head

    def train_body(self, part: float) -> None:
        if self._learning is None:
            # A layer that never learns stays out of it.
            self._learning = [layer for layer in self.core.layers[:-1] if layer.trainable_weights]
        first = len(self._learning) - math.ceil(part * len(self._learning))
        changed = [layer for number, layer in enumerate(self._learning) if layer.trainable != (number >= first)]
        for layer in changed:
            layer.trainable = not layer.trainable
        if changed:
            # Keras builds the step anew for what is now trainable; the optimiser keeps its state of all weights.
            with _scope(self._strategy):
                self.compile(self.model.optimizer)
            self._steps.clear()

    def forget_steps(self) -> None:
        for variable in self.model.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))

    def takes(self, image_size: int) -> bool:
        try:
            self.model(np.zeros((1, image_size, image_size, 3), np.float32))
        except Exception:  # each backend has its own for maps that have shrunk to nothing
            return False
        return True

    def layers(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "name": layer.name,
                "kind": type(layer).__name__.removeprefix("Fused"),
                "output_shape": "x".join(str(size) for size in layer.output.shape[1:]),
                "parameters": layer.count_params(),
                "trainable_parameters": sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights),
            }
            for layer in self.core.layers
        )

    def heat_maps(self, images: np.ndarray, classes: np.ndarray) -> np.ndarray | None:
        # Not stored with models: nothing that serves one asks for it.
        from pipeline.models.networks import grad_cam

        return grad_cam.heat_maps(self.model, images, classes)

    def state(self) -> dict[str, np.ndarray]:
        return {name: np.array(variable) for name, variable in self._variables().items()}

    def load_state(self, state: dict[str, np.ndarray]) -> None:
        for name, variable in self._variables().items():
            variable.assign(state[name])

    def _variables(self) -> dict[str, keras.Variable]:
        """All variables by name; a number makes equal paths differ."""
        groups = {"model": self.model.variables, "optimizer": self.model.optimizer.variables}
        return {
            f"{group}/{number:04d}/{variable.path}": variable
            for group, variables in groups.items()
            for number, variable in enumerate(variables)
        }

    def save(self, folder: Path) -> Path:
        plain = keras.models.clone_model(self.model, clone_function=_plain_layer)
        plain.set_weights(self.model.get_weights())
        softmax = keras.layers.Softmax(dtype="float32", name="probabilities")
        path = folder / "network.keras"
        keras.Model(plain.input, softmax(plain.output), name="classifier").save(path)
        return path

    def as_keras_model(self) -> keras.Model:
        model = float32_clone(self.model)
        outputs = keras.layers.Softmax(name="softmax")(model.output) if self._returns_logits else model.output
        return keras.Model(model.input, outputs, name="network")

    @classmethod
    def load(cls, path: Path) -> "KerasNetwork":
        """The network in a file that `save` wrote; it predicts, and is not made to be trained on."""
        return cls(keras.models.load_model(path, compile=False, safe_mode=True), returns_logits=False)


def _at_once(input_shape: tuple[int | None, ...]) -> int:
    """How many images are predicted at once: fewer where they are large, since all their maps are in memory."""
    pixels = math.prod(size for size in input_shape[1:3] if size)
    return max(1, min(PREDICTED_AT_ONCE, PREDICTED_AT_ONCE * PREDICTED_PIXELS // pixels))


def outputs_function(model: keras.Model, dtype: str) -> Callable[[np.ndarray], Any]:
    """What predicts any number of images, the same whatever was predicted before.

    On TensorFlow that is one graph for all numbers of images, from the first: `predict_on_batch` traces one for the
    first number, and one for all others when it meets a second.
    """
    if keras.backend.backend() != "tensorflow":
        return model.predict_on_batch
    import tensorflow as tf

    images = tf.TensorSpec((None, *model.input_shape[1:]), dtype)
    return tf.function(lambda images: model.predict_step((images,)), input_signature=[images])


def _excess(seconds: np.ndarray, compiling: np.ndarray) -> float:
    """What the compiling steps took longer than the others; 0 if there are no others to compare with."""
    if not compiling.any() or compiling.all():
        return 0.0
    return float(np.maximum(seconds[compiling] - np.median(seconds[~compiling]), 0).sum())


def _plain_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    """The layer as Keras itself has it, so that the saved model needs none of our classes."""
    if isinstance(layer, keras.Model):
        return keras.models.clone_model(layer, clone_function=_plain_layer)
    if hasattr(layer, "as_keras_layer"):
        return layer.as_keras_layer()
    if isinstance(layer, keras.layers.BatchNormalization):
        # Of several devices, which whoever loads the model need not have.
        return layer.__class__.from_config(layer.get_config() | {"synchronized": False})
    return layer.__class__.from_config(layer.get_config())
