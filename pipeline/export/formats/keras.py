"""A file (.keras) that `keras.saving.load_model` reads."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.export.formats import Answer, Facts

if TYPE_CHECKING:
    import keras

ENDING = ".keras"
IS_FOLDER = False
QUANTIZES = False
PACKAGES = ("keras", "tensorflow")
MODULES = ("keras", "tensorflow")
SAMPLE_IMPORT = "import keras"
SAMPLE = """\
probabilities = keras.saving.load_model(model).predict(images, verbose=0)[0]
"""


def write(model: "keras.Model", path: Path, facts: Facts, calibration: np.ndarray | None) -> None:
    """Write the model, with `facts` as facts.json in the file, which is a zip archive."""
    model.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("facts.json", json.dumps(facts, indent=1))


def load(path: Path, threads: int | None = None) -> Answer:
    """The file in Keras. threads: TensorFlow takes them from its environment variables alone."""
    from pipeline.models.networks.quiet_keras import keras

    return keras.saving.load_model(path, compile=False, safe_mode=True).predict_on_batch
