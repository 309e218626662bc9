"""One hidden layer, written by hand."""

from pipeline.models.networks.numpy_network import numpy_model
from pipeline.numpy_lenet.network import Network
from pipeline.numpy_lenet.two_layer import two_layer


@numpy_model(
    recipe=dict(
        image_size=32,
        epochs=25,
        batch_size=32,
        optimizer="sgd",
        learning_rate=0.002,
        schedule="cosine",
        warmup=0.0,
        weight_decay=1e-2,
        label_smoothing=0.0,
        augment="flip",
        flips="random",
    ),
    search=dict(epochs=8, depth=(1, 3), width=(32, 512)),
)
def two_layer_numpy(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    depth: int = 1,
    width: int = 128,
    dropout: float = 0.0,
    seed: int = 0,
) -> Network:
    """A hidden dense layer with ReLU and a dense layer of classes, in NumPy alone.

    depth: hidden layers, 1 to 8. width: units of each. dropout: rate before the last layer.
    """
    return two_layer(input_shape, classes, depth=depth, width=width, dropout=dropout, seed=seed)
