"""A network with its preprocessing in one graph: from prepared uint8 images to probabilities."""

import numpy as np

from pipeline.data.preprocessing import Preprocessing
from pipeline.models.networks.contract import Network
from pipeline.models.networks.quiet_keras import keras

# Of a pixel: OpenCV leaves out less at the ends of an average.
LEAST_PART = 1e-3


def end_to_end(network: Network, preprocessing: Preprocessing, mirrored: bool) -> keras.Model:
    """The network as a float32 model from `pixels`, (n, prepared_size, prepared_size, 3) uint8 RGB, to probabilities.

    Scaling to what the network sees, as preprocessing.seen does it, and standardisation are in it. mirrored: whether
    its answer is the mean of those to an image and to its mirror image.
    """
    size = preprocessing.prepared_size
    prepared = keras.Input((size, size, 3), dtype="float32", name="prepared")
    seen = _scaled(prepared, size, preprocessing.seen_size)
    answer = keras.Model(prepared, network.as_keras_model()(seen), name="answer")

    pixels = keras.Input((size, size, 3), dtype="uint8", name="pixels")
    images = keras.layers.Rescaling(1.0, dtype="float32", name="as_float")(pixels)
    outputs = answer(images)
    if mirrored:
        mirror_images = keras.ops.flip(images, axis=2)
        outputs = keras.layers.Average(name="mean_of_both")([outputs, answer(mirror_images)])
    return keras.Model(pixels, outputs, name="classifier")


def _scaled(images: keras.KerasTensor, size: int, goal: int) -> keras.KerasTensor:
    """What data.scaling does to whole pixels: the average over the area, along rows and then along columns, rounded."""
    if size == goal:
        return images
    weights = area_weights(size, goal)
    columns = keras.layers.EinsumDense("bhwc,wv->bhvc", (size, goal, 3), trainable=False, name="fewer_columns")
    rows = keras.layers.EinsumDense("bhwc,hv->bvwc", (goal, goal, 3), trainable=False, name="fewer_rows")
    scaled = rows(columns(images))
    for layer in (columns, rows):
        layer.set_weights([weights])
    # OpenCV rounds a half up where it averages 2 x 2 pixels, to the even number elsewhere.
    return keras.ops.floor(scaled + 0.5) if size == 2 * goal else keras.ops.round(scaled)


def area_weights(size: int, goal: int) -> np.ndarray:
    """(size, goal) float32: how much each of `size` pixels in a row counts in each of `goal`; columns sum to 1.

    As OpenCV's INTER_AREA has it: a pixel counts by how much of it the larger pixel covers.
    """
    side = size / goal
    starts, pixels = np.arange(goal) * side, np.arange(size)[:, None]
    covered = np.minimum(pixels + 1, starts + side) - np.maximum(pixels, starts)
    return (np.where(covered > LEAST_PART, covered, 0) / side).astype(np.float32)
