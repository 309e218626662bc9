"""The default model."""

import math
from typing import Any

from pipeline.errors import UserError
from pipeline.models.networks.keras_network import keras_model
from pipeline.models.networks.normalization import MOMENTUM, batch_normalization
from pipeline.models.networks.quiet_keras import keras
from pipeline.models.networks.whitening import Whitening

STAGES = 3
# Every direction of 3 x 3 pixels of three colours, with both signs.
WHITENED = 2 * 3 * 3 * 3
SMALLEST_INPUT = 2 ** (STAGES + 1)

# Training images from which the recipe holds as it stands; fewer make too few steps of it. Of fewer than the second
# number no more is made than of so many.
MANY, FEWEST = 10_000, 100


def few_images(images: int, epochs: int, batch_size: int = 32) -> dict[str, Any]:
    """Below 10,000 training images: batch_size 32, learning_rate 0.1, min_crop_area 0.25, and sqrt(10,000 / images)
    times the epochs, at most 10 times.

    Half as many images then get seven tenths of the steps: each is seen more often, and an epoch costs less. With 20
    epochs for many that makes 200 for 100 images, 112 for 320 and 45 for 2,000; a training never sees more images than
    20 epochs of 10,000 have. It is the learning rate of the recipe for many, in proportion to the batch (Goyal et al.
    2017), also where the batch size is given, and never above it. Smaller crops keep what is seen so often from being
    learned by heart.
    """
    if images >= MANY:
        return {}
    return {
        "batch_size": batch_size,
        "learning_rate": min(0.4, round(0.1 * batch_size / 32, 6)),
        "min_crop_area": 0.25,
        "epochs": round(epochs * math.sqrt(MANY / max(images, FEWEST))),
    }


# On imagenet50 (20,000 photographs of 50 classes) and two cores the recipe has 57.2, 56.3 and 56.6 % of the validation
# images right with three seeds, 58.6 % of the test images (56.7 to 60.5 %) with the first, in 250 seconds of training.
# docs/results.md has the machines, and what led to it.
@keras_model(
    recipe=dict(
        image_size=64,
        input_scale=0.75,
        initial_scale=0.5,
        epochs=20,
        batch_size=128,
        optimizer="sgd",
        learning_rate=0.4,
        schedule="linear",
        warmup=0.25,
        # Keras keeps decay out of the momentum: 5e-3 shrinks weights as 5e-4 does where it is part of the gradient.
        weight_decay=5e-3,
        label_smoothing=0.1,
        augment="crop",
        min_crop_area=0.5,
    ),
    search=dict(epochs=6, image_size=32, depth=(1, 3), width=(16, 64)),
    few_images=few_images,
)
def resnet(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    depth: int = 1,
    width: int = 32,
    dropout: float = 0.0,
    whiten: bool = True,
) -> keras.Model:
    """Residual network for small images (He et al. 2016, with the pooled shortcut of He et al. 2019).

    depth: residual blocks in each of the three stages. width: channels before the first stage, doubled in each.
    dropout: rate before the classifier. whiten: whether it begins with a fixed convolution that decorrelates pixels.
    It takes images from 16 pixels.
    """
    if min(input_shape[:2]) < SMALLEST_INPUT:
        raise UserError(
            f"images of {min(input_shape[:2])} pixels are too small for resnet, which halves its input {STAGES + 1} "
            f"times: {SMALLEST_INPUT} or more are needed (--image_size, or --input_scale of it)"
        )
    inputs = keras.Input(input_shape)
    # At half the size from the first layer on, and at a quarter from the first block on: blocks at half the size took a
    # quarter of a step, and more epochs without them are worth more.
    if whiten:
        outputs = Whitening(WHITENED, 3, strides=2)(inputs)
        outputs = keras.layers.ReLU()(outputs)
        outputs = _normalised(_convolution(outputs, width, 1))
    else:
        outputs = _normalised(_convolution(inputs, width, 3, strides=2))
    outputs = keras.layers.ReLU()(outputs)
    for stage in range(1, STAGES + 1):
        for block in range(depth):
            outputs = _residual_block(outputs, width * 2**stage, strides=2 if block == 0 else 1)
    outputs = keras.layers.GlobalAveragePooling2D()(outputs)
    outputs = keras.layers.Dropout(dropout)(outputs)
    logits = keras.layers.Dense(classes, dtype="float32")(outputs)
    return keras.Model(inputs, logits, name="resnet")


def _residual_block(inputs: keras.KerasTensor, channels: int, strides: int) -> keras.KerasTensor:
    outputs = _normalised(_convolution(inputs, channels, 3, strides))
    outputs = keras.layers.ReLU()(outputs)
    outputs = _normalised(_convolution(outputs, channels, 3))
    outputs = keras.layers.Add()([_shortcut(inputs, channels, strides), outputs])
    return keras.layers.ReLU()(outputs)


def _shortcut(inputs: keras.KerasTensor, channels: int, strides: int) -> keras.KerasTensor:
    """The inputs themselves, or their average over the stride, brought to `channels`."""
    if strides > 1:
        inputs = keras.layers.AveragePooling2D(strides, padding="same")(inputs)
    if inputs.shape[-1] != channels:
        inputs = _normalised(_convolution(inputs, channels, 1))
    return inputs


def _convolution(inputs: keras.KerasTensor, channels: int, size: int, strides: int = 1) -> keras.KerasTensor:
    return keras.layers.Conv2D(channels, size, strides, padding="same", use_bias=False, kernel_initializer="he_normal")(
        inputs
    )


def _normalised(inputs: keras.KerasTensor) -> keras.KerasTensor:
    return batch_normalization(momentum=MOMENTUM)(inputs)
