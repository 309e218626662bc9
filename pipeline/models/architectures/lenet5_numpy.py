"""LeNet-5, written by hand."""

from pipeline.models.networks.numpy_network import numpy_model
from pipeline.numpy_lenet.lenet5 import lenet5
from pipeline.numpy_lenet.network import Network


@numpy_model(
    recipe=dict(
        image_size=32,
        epochs=25,
        batch_size=32,
        optimizer="sgd",
        learning_rate=0.01,
        schedule="cosine",
        warmup=0.0,
        weight_decay=1e-2,
        label_smoothing=0.0,
        augment="flip",
        flips="random",
    ),
    search=dict(epochs=8, depth=(1, 3), width=(4, 16)),
)
def lenet5_numpy(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    depth: int = 2,
    width: int = 6,
    dropout: float = 0.0,
    seed: int = 0,
) -> Network:
    """LeNet-5 in NumPy alone (LeCun et al. 1998, with ReLU and max pooling).

    depth: hidden dense layers, 1 to 4. width: maps of the first convolution; all other layers keep their proportion
    to it. dropout: rate before the last layer. It takes images from 16 pixels.
    """
    return lenet5(input_shape, classes, depth=depth, width=width, dropout=dropout, seed=seed)
