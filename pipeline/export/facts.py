"""What whoever runs an export has to know."""

import importlib.metadata
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.data.preprocessing import Preprocessing
from pipeline.export.formats import Facts

MADE_BY = "past-the-ceiling export"
SQUARE = {
    "stretch": "stretched to a square",
    "crop": "cut to the square in their middle",
    "pad": "padded with black to a square",
}


def facts_of(
    preprocessing: Preprocessing, class_names: Sequence[str], packages: Sequence[str], origin: Mapping[str, Any]
) -> Facts:
    """The facts of an export: its classes, what goes in and what comes out.

    packages: those whose versions are named. origin: where the model comes from.
    """
    size = preprocessing.prepared_size
    return {
        "made_by": MADE_BY,
        "class_names": list(class_names),
        "image_size": size,
        "resize": preprocessing.resize,
        "input": {"name": "pixels", "shape": ["batch", size, size, 3], "type": "uint8", "channels": "RGB"},
        "output": {"name": "probabilities", "shape": ["batch", len(class_names)], "type": "float32"},
        "prepare": (
            f"Turn images upright by their EXIF orientation, convert them to sRGB with transparency laid on white, "
            f"and scale them, {SQUARE[preprocessing.resize]}, to {size} x {size} pixels, bilinear with antialiasing. "
            f"Scaling to the network's own input and standardisation are in the graph."
        ),
        **origin,
        "versions": {package: importlib.metadata.version(package) for package in packages},
    }
