"""Any class of keras.applications as an architecture of this project."""

import sys
import warnings
from collections.abc import Callable

from pipeline.errors import UserError
from pipeline.models.networks.contract import Network, NetworkSpec
from pipeline.models.networks.keras_network import keras_model
from pipeline.models.networks.normalization import MOMENTUM
from pipeline.models.networks.quiet_keras import keras


def keras_application(name: str) -> Callable[[NetworkSpec], Network]:
    """The architecture `name` of keras.applications, with a new last layer.

    dropout: rate before it. depth and width are the architecture's own.
    """
    application = getattr(keras.applications, name)
    # Each standardises pixels in the way that its ImageNet weights were trained with.
    preprocess_input = sys.modules[application.__module__].preprocess_input

    def body(input_shape: tuple[int, int, int], weights: str | None) -> keras.Model:
        pixels = preprocess_input(keras.Input(input_shape))
        # Some have weights for several sizes, and take those for 224 pixels where they are told none.
        shape = input_shape if weights else None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                return application(
                    include_top=False, weights=weights, input_tensor=pixels, input_shape=shape, pooling="avg"
                )
        except ValueError as error:
            raise UserError(f"{name} cannot be built for images of {input_shape[0]} pixels: {error}") from error

    @keras_model(
        recipe=dict(
            image_size=64,
            epochs=12,
            batch_size=64,
            optimizer="adamw",
            learning_rate=1e-3,
            schedule="cosine",
            warmup=0.1,
            weight_decay=0.05,
            label_smoothing=0.1,
            augment="crop",
        ),
        standardizes=True,
        imagenet=lambda input_shape: body(input_shape, "imagenet"),
    )
    def build(input_shape: tuple[int, int, int], classes: int, *, dropout: float = 0.2) -> keras.Model:
        pooled = body(input_shape, None)
        for layer in pooled.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = MOMENTUM
        outputs = keras.layers.Dropout(dropout)(pooled.output)
        logits = keras.layers.Dense(classes, dtype="float32", name="logits")(outputs)
        return keras.Model(pooled.input, logits, name=name)

    return build
