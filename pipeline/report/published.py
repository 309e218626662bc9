"""What the reference report published: docs/reference-report.md says what it was."""

from typing import NamedTuple


class Layer(NamedTuple):
    """A row of the report's layer table."""

    layers: str
    output: str
    parameters: str


CLASSES = 50
IMAGES = {"train": 20_000, "val": 450, "test": 450}
PARAMETERS = 1_760_902
LAYERS = [
    Layer("Conv2D 6, 3 × 3, ReLU, HeNormal", "254 × 254 × 6", "168"),
    Layer("Conv2D 10, 3 × 3, ReLU", "252 × 252 × 10", "550"),
    Layer("MaxPool 2 × 2, Dropout 0.4", "126 × 126 × 10", "0"),
    Layer("Conv2D 10, 3 × 3, ReLU", "124 × 124 × 10", "910"),
    Layer("Conv2D 10, 3 × 3, ReLU, BatchNorm", "122 × 122 × 10", "910 + 40"),
    Layer("Conv2D 16, 3 × 3, ReLU, MaxPool 2 × 2, BatchNorm", "60 × 60 × 16", "1,456 + 64"),
    Layer("Conv2D 16, 3 × 3, ReLU, MaxPool 2 × 2, Dropout 0.4", "29 × 29 × 16", "2,320"),
    Layer("Conv2D 16, 3 × 3, ReLU, MaxPool 2 × 2, BatchNorm", "13 × 13 × 16", "2,320 + 64"),
    Layer("Conv2D 16, 3 × 3, ReLU, Dropout 0.4", "11 × 11 × 16", "2,320"),
    Layer("Conv2D 50, 2 × 2, ReLU, Dropout 0.4, GlobalAveragePooling2D", "50", "3,250"),
    Layer("Dense 1200, 840, 640, 200, ReLU", "200", "61,200 + 1,008,840 + 538,240 + 128,200"),
    Layer("Dense 50, softmax", "50", "10,050"),
]
# By the names of our options.
HYPERPARAMETERS = {
    "image_size": "256",
    "resize": "stretch",
    "batch_size": "8",
    "optimizer": "adam",
    "learning_rate": "0.001",
    "schedule": "constant",
    "dropout": "0.4",
    "augment": "none",
    "epochs": "300",
}
BEST_ACCURACY = "32 %, training and validation"
ACCURACY = {"val": 0.2644, "test": 0.2667}
LOSS = {"val": 2.6859, "test": 2.6118}
# Epoch -> validation accuracy on the way.
ON_THE_WAY = {10: 0.13, 20: 0.15, 30: 0.23}
HAND_WRITTEN = "at most 3 %, where chance is 2 %"
