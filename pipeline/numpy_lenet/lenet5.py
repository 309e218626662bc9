"""LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition").

What differs from the paper: ReLU where it has a scaled tanh, and the largest pixel where it pools by a trained multiple
of the mean; the second convolution sees all maps of the first, where a table left some out to save arithmetic; softmax
and cross-entropy where it has radial basis functions; He's starting values.
`lenet5(..., activation=Tanh, pooling=AvgPool)` is nearer to it.
"""

import numpy as np
from numpy.typing import DTypeLike

from pipeline.numpy_lenet.initializers import glorot_uniform, he_normal
from pipeline.numpy_lenet.layers import Conv2D, Dense, Dropout, Flatten, Layer, MaxPool, Pool, ReLU, Shape
from pipeline.numpy_lenet.network import Network

KERNEL_SIZE = 5
SMALLEST_IMAGE = 16
HIDDEN_UNITS = (120, 84, 84, 84)


def lenet5(
    input_shape: Shape,
    classes: int,
    *,
    depth: int = 2,
    width: int = 6,
    dropout: float = 0.0,
    seed: int = 0,
    dtype: DTypeLike = np.float32,
    activation: type[Layer] = ReLU,
    pooling: type[Pool] = MaxPool,
) -> Network:
    """Two convolutions with pooling, then dense layers; the weights are drawn from the seed.

    input_shape: (height, width, channels), at least 16x16 pixels; 32x32 in the paper.
    depth: hidden dense layers, 1 to 4: the first has 120 units, the others 84.
    width: maps of the first convolution, 6 in the paper; the second's 16 and the units are in proportion to it.
    dropout: rate before the last layer.
    Raises ValueError if one of these is out of its range.
    """
    if min(input_shape[:2]) < SMALLEST_IMAGE:
        raise ValueError(
            f"the images are {input_shape[0]}x{input_shape[1]} pixels; LeNet-5 needs {SMALLEST_IMAGE} each way"
        )
    if not 1 <= depth <= len(HIDDEN_UNITS):
        raise ValueError(f"depth is {depth}; LeNet-5 takes 1 to {len(HIDDEN_UNITS)} hidden dense layers")
    if width < 1:
        raise ValueError(f"width is {width}; LeNet-5 needs at least 1 map in its first convolution")

    rng = np.random.default_rng(seed)
    initializer = he_normal if issubclass(activation, ReLU) else glorot_uniform
    layers: dict[str, Layer] = {}
    shape = input_shape

    def add(name: str, layer: Layer) -> None:
        nonlocal shape
        layers[name] = layer
        shape = layer.output_shape(shape)

    for number, maps in enumerate((width, _in_proportion(16, width)), start=1):
        add(f"conv{number}", Conv2D(shape[2], maps, KERNEL_SIZE, rng=rng, initializer=initializer, dtype=dtype))
        # A maximum and a rising function may change places; after pooling the function has a quarter of the work.
        add(f"pool{number}", pooling())
        add(f"conv{number}_activation", activation())
    add("flatten", Flatten())
    for number, units in enumerate(HIDDEN_UNITS[:depth], start=1):
        hidden = _in_proportion(units, width)
        add(f"dense{number}", Dense(shape[0], hidden, rng=rng, initializer=initializer, dtype=dtype))
        add(f"dense{number}_activation", activation())
    if dropout:
        add("dropout", Dropout(dropout, seed=seed))
    add("logits", Dense(shape[0], classes, rng=rng, initializer=glorot_uniform, dtype=dtype))
    return Network(layers, input_shape)


def _in_proportion(units: int, width: int) -> int:
    """How many of the paper's `units` there are if the first convolution has `width` maps and not 6."""
    return round(units * width / 6)
