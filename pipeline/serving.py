"""What a logged model does with image bytes. It is stored with the model (tracking/stored_code.py)."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc import PythonModel
from mlflow.types.schema import Array, ColSpec, DataType, Object, Property, Schema

from pipeline.data.decoding import DecodeError
from pipeline.data.preprocessing import Preprocessing
from pipeline.errors import first_line, shown
from pipeline.models.networks.contract import Network, predict_prepared

TOP = 5

INPUTS = Schema([ColSpec(DataType.binary, "image")])
OUTPUTS = Schema(
    [
        ColSpec(DataType.string, "label"),
        ColSpec(DataType.double, "probability"),
        ColSpec(
            Array(Object([Property("label", DataType.string), Property("probability", DataType.double)])), f"top_{TOP}"
        ),
    ]
)


class ImageClassifier(PythonModel):
    """A network with what it needs to answer to the bytes of image files.

    class_names: label -> name. preprocessing: what happens to an image before the network.
    """

    class_names: list[str]
    preprocessing: Preprocessing
    network: Network

    def load_context(self, context) -> None:
        """Load the network, after checking that its file is the one that was logged. Nothing is unpickled."""
        self.load(Path(context.artifacts["network"]), Path(context.artifacts["classifier"]))

    def load(self, path: Path, classifier: Path) -> None:
        """Load the network file at `path`, and what `classifier` says of it.

        Raises MlflowException if one of them is damaged, or if they do not belong together.
        """
        from pipeline import models

        digest, self.class_names, self.preprocessing = _described(classifier)
        if file_digest(path) != digest:
            raise MlflowException(f"{path.name} is not the file that was logged: its SHA-256 differs")
        size = self.preprocessing.prepared_size
        try:
            self.network = models.load(path)
            answered = self.probabilities(np.zeros((1, size, size, 3), np.uint8)).shape
        except Exception as error:  # Keras and NumPy have many for a file that is none of theirs
            raise MlflowException(f"{path.name} cannot be loaded: {shown(first_line(error))}") from error
        if answered != (1, len(self.class_names)):
            raise MlflowException(f"{path.name} answers with {answered[1]} classes, not {len(self.class_names)}")

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Prepared images (n, prepared_size, prepared_size, 3) uint8 -> (n, classes) float32, rows sum to 1."""
        return predict_prepared(self.network, images, self.preprocessing)

    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        """A column `image` of image files' bytes -> columns label, probability and top_5.

        Raises MlflowException (a 400 when served) if a row holds no readable image.
        """
        if len(model_input) == 0:
            raise MlflowException("no image in the request", error_code=INVALID_PARAMETER_VALUE)
        images = np.stack([self._decoded(row, content) for row, content in enumerate(model_input["image"])])
        return self._answers(self.probabilities(images))

    def _decoded(self, row: int, content: bytes) -> np.ndarray:
        try:
            return self.preprocessing.decode(content)
        except DecodeError as error:
            raise MlflowException(
                f"row {row} of column image is no readable image: {error}", error_code=INVALID_PARAMETER_VALUE
            ) from error

    def _answers(self, probabilities: np.ndarray) -> pd.DataFrame:
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :TOP]
        ranked = [
            [{"label": self.class_names[label], "probability": float(row[label])} for label in labels]
            for row, labels in zip(probabilities, best, strict=True)
        ]
        return pd.DataFrame(
            {
                "label": [answer[0]["label"] for answer in ranked],
                "probability": [answer[0]["probability"] for answer in ranked],
                f"top_{TOP}": ranked,
            }
        )


def _described(classifier: Path) -> tuple[str, list[str], Preprocessing]:
    """The network file's digest, the class names and the preprocessing in classifier.json. Raises MlflowException."""
    try:
        facts = json.loads(classifier.read_text(encoding="utf-8"))
        digest, class_names, preprocessing = facts["network_sha256"], facts["class_names"], _preprocessing(facts)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MlflowException(f"{classifier.name} is damaged: {shown(repr(error))}") from error
    if not isinstance(class_names, list) or not all(isinstance(name, str) for name in class_names):
        raise MlflowException(f"{classifier.name} is damaged: class_names is no list of names")
    return digest, class_names, preprocessing


def _preprocessing(facts: dict) -> Preprocessing:
    if "preprocessing" in facts:
        return Preprocessing(**facts["preprocessing"])
    # A model of version 0.1 says no more than this; its network standardises pixels by itself.
    return Preprocessing(facts["image_size"], facts["input_size"], facts["resize"], mean=(), deviation=())


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
