"""The network of the reference report."""

from pipeline.errors import UserError
from pipeline.models.networks.keras_network import keras_model
from pipeline.models.networks.normalization import batch_normalization
from pipeline.models.networks.quiet_keras import keras

REFERENCE_WIDTH = 6
REFERENCE_DEPTH = 8

# What stands around each 3x3 convolution: its channels, and what follows it. Beyond the eighth, plain ones follow.
CONVOLUTIONS = (
    (6, ()),
    (10, ("pool", "dropout")),
    (10, ()),
    (10, ("normalise",)),
    (16, ("pool", "normalise")),
    (16, ("pool", "dropout")),
    (16, ("pool", "normalise")),
    (16, ("dropout",)),
)
FURTHER_CONVOLUTION = (16, ())
LAST_CHANNELS = 50
DENSE = (1200, 840, 640, 200)


@keras_model(
    recipe=dict(
        image_size=112,
        epochs=12,
        batch_size=32,
        optimizer="adam",
        learning_rate=1e-3,
        schedule="linear",
        warmup=0.0,
        weight_decay=0.0,
        label_smoothing=0.0,
        augment="none",
    ),
    search=dict(epochs=6, depth=(4, 8), width=(6, 24)),
)
def lenet(
    input_shape: tuple[int, int, int], classes: int, *, depth: int = 8, width: int = 6, dropout: float = 0.4
) -> keras.Model:
    """The reference report's "LeNet": convolutions, global pooling and four wide dense layers.

    depth: convolutions of 3x3, 8 in the report; from 9 on, more of them come before the last one of 2x2.
    width: channels of the first convolution, 6 in the report; all other layers keep their proportion to it.
    dropout: rate at its four places. The image has to be large enough for the depth: 104 pixels for 8.
    """
    plan = _plan(depth)
    needed = smallest_input(depth)
    if min(input_shape[:2]) < needed:
        raise UserError(
            f"images of {min(input_shape[:2])} pixels are too small for lenet with --depth {depth}: "
            f"{needed} or more are needed (--image_size, or --input_scale of it)"
        )

    def scaled(channels: int) -> int:
        return max(1, round(channels * width / REFERENCE_WIDTH))

    after = {
        "pool": lambda: keras.layers.MaxPooling2D(2),
        "dropout": lambda: keras.layers.Dropout(dropout),
        "normalise": batch_normalization,
    }
    inputs = keras.Input(input_shape)
    outputs = inputs
    for number, (channels, followers) in enumerate(plan):
        initializer = "he_normal" if number == 0 else "glorot_uniform"
        outputs = keras.layers.Conv2D(scaled(channels), 3, activation="relu", kernel_initializer=initializer)(outputs)
        for follower in followers:
            outputs = after[follower]()(outputs)
    outputs = keras.layers.Conv2D(scaled(LAST_CHANNELS), 2, activation="relu")(outputs)
    outputs = keras.layers.Dropout(dropout)(outputs)
    outputs = keras.layers.GlobalAveragePooling2D()(outputs)
    for units in DENSE:
        outputs = keras.layers.Dense(scaled(units), activation="relu")(outputs)
    logits = keras.layers.Dense(classes, dtype="float32")(outputs)
    return keras.Model(inputs, logits, name="lenet")


def _plan(depth: int) -> tuple:
    return CONVOLUTIONS[:depth] + (FURTHER_CONVOLUTION,) * (depth - REFERENCE_DEPTH)


def smallest_input(depth: int) -> int:
    """The smallest side, in pixels, from which `depth` valid convolutions leave 2 pixels for the last one."""
    size = 2
    for _, followers in reversed(_plan(depth)):
        size = size * (2 if "pool" in followers else 1) + 2
    return size
