"""The smallest network that bends: one hidden layer between the pixels and the classes."""

import numpy as np
from numpy.typing import DTypeLike

from pipeline.numpy_lenet.initializers import glorot_uniform, he_normal
from pipeline.numpy_lenet.layers import Dense, Dropout, Flatten, Layer, ReLU, Shape
from pipeline.numpy_lenet.network import Network

DEEPEST = 8


def two_layer(
    input_shape: Shape,
    classes: int,
    *,
    depth: int = 1,
    width: int = 128,
    dropout: float = 0.0,
    seed: int = 0,
    dtype: DTypeLike = np.float32,
) -> Network:
    """Hidden dense layers with ReLU, then a dense layer of classes; the weights are drawn from the seed.

    input_shape: (height, width, channels), any. depth: hidden layers, 1 to 8. width: units of each of them.
    dropout: rate before the last layer.
    Raises ValueError if one of these is out of its range.
    """
    if not 1 <= depth <= DEEPEST:
        raise ValueError(f"depth is {depth}; the network takes 1 to {DEEPEST} hidden layers")
    if width < 1:
        raise ValueError(f"width is {width}; a hidden layer needs at least 1 unit")

    rng = np.random.default_rng(seed)
    features = int(np.prod(input_shape))
    layers: dict[str, Layer] = {"flatten": Flatten()}
    for number in range(1, depth + 1):
        layers[f"dense{number}"] = Dense(features, width, rng=rng, initializer=he_normal, dtype=dtype)
        layers[f"activation{number}"] = ReLU()
        features = width
    if dropout:
        layers["dropout"] = Dropout(dropout, seed=seed)
    layers["logits"] = Dense(features, classes, rng=rng, initializer=glorot_uniform, dtype=dtype)
    return Network(layers, input_shape)
