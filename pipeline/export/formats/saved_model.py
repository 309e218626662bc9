"""A folder with a SavedModel, which TensorFlow and TensorFlow Serving read."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.export.formats import Answer, Facts

if TYPE_CHECKING:
    import keras

ENDING = ".saved_model"
IS_FOLDER = True
QUANTIZES = False
PACKAGES = ("tensorflow",)
MODULES = ("tensorflow",)
SAMPLE_IMPORT = "import tensorflow as tf"
SAMPLE = """\
saved_model = tf.saved_model.load(model)
probabilities = saved_model.serve(images).numpy()[0]
"""


def write(model: "keras.Model", path: Path, facts: Facts, calibration: np.ndarray | None) -> None:
    """Write the model, with `facts` in assets.extra/, where TensorFlow leaves room for what others add."""
    model.export(path, format="tf_saved_model", verbose=False)
    extra = path / "assets.extra"
    extra.mkdir()
    (extra / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def load(path: Path, threads: int | None = None) -> Answer:
    """The folder in TensorFlow. threads: it takes them from its environment variables alone."""
    from pipeline.models.networks import quiet_keras  # noqa: F401  TensorFlow starts without its messages

    import tensorflow as tf  # isort: skip

    loaded = tf.saved_model.load(str(path))
    return lambda images: loaded.serve(images).numpy()
