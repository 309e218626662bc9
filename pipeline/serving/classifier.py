"""A logged model: a network with what it needs to answer to images."""

import dataclasses
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel

from pipeline.data.decoding import DecodeError
from pipeline.data.preprocessing import Preprocessing
from pipeline.errors import first_line, shown
from pipeline.evaluation.calibration import threshold_for
from pipeline.models.networks.contract import Network, predict_prepared
from pipeline.serving.answers import answers
from pipeline.serving.inputs import items_of, picture_of
from pipeline.serving.memory import give_back
from pipeline.serving.refusal import Refusal
from pipeline.serving.settings import AUTO, Settings, is_served, settings_of

PREPARED_AT_ONCE = 250


class ImageClassifier(PythonModel):
    """A network with what it needs to answer to images of any form.

    class_names: label -> name. preprocessing: what happens to an image before the network. mirrorable: whether a
    mirrored image keeps its class; None where that was not logged. certainty: rows (threshold, accuracy on val, share
    answered). settings: what whoever loads it may set.
    """

    class_names: list[str]
    preprocessing: Preprocessing
    network: Network
    mirrorable: bool | None
    certainty: list[list[float]]
    settings = Settings()

    def load_context(self, context) -> None:
        """Load the network, after checking that its file is the one that was logged. Nothing is unpickled."""
        self.load(Path(context.artifacts["network"]), Path(context.artifacts["classifier"]))
        self.settings = settings_of(context.model_config)
        if self.settings.mirror_predict and not self.mirrorable:
            raise MlflowException(f"model_config: mirror_predict is not for this model: {self.why_no_mirror()}")
        if self.settings.unsure_below == AUTO:
            self.settings = dataclasses.replace(self.settings, unsure_below=self._threshold())

    def load(self, path: Path, classifier: Path) -> None:
        """Load the network file at `path`, and what `classifier` says of it.

        Raises MlflowException if one of them is damaged, or if they do not belong together.
        """
        from pipeline import models

        facts, self.preprocessing = _described(classifier)
        self.class_names = facts["class_names"]
        self.mirrorable, self.certainty = facts.get("mirrorable"), facts.get("certainty", [])
        if file_digest(path) != facts["network_sha256"]:
            raise MlflowException(f"{path.name} is not the file that was logged: its SHA-256 differs")
        size = self.preprocessing.prepared_size
        try:
            self.network = models.load(path)
            answered = self.probabilities(np.zeros((1, size, size, 3), np.uint8)).shape
        except Exception as error:  # Keras and NumPy have many for a file that is none of theirs
            raise MlflowException(f"{path.name} cannot be loaded: {shown(first_line(error))}") from error
        if answered != (1, len(self.class_names)):
            raise MlflowException(f"{path.name} answers with {answered[1]} classes, not {len(self.class_names)}")
        # Requests to a server are decoded by as many threads as there are cores: each may take memory for max_pixels.
        self._cores = threading.BoundedSemaphore(os.cpu_count() or 1)

    def _threshold(self) -> float:
        """The probability at which answers to the validation images had the wanted accuracy."""
        wanted = self.settings.wanted_accuracy
        found = threshold_for(self.certainty, wanted)
        if found is None:
            raise MlflowException(f"model_config: unsure_below auto: this model is right {wanted:.1%} at no certainty")
        return found

    def why_no_mirror(self) -> str:
        """Why a mirrored image may not have its image's class."""
        if self.mirrorable is None:
            return "it was logged without saying whether a mirrored image keeps its class; one that is trained now does"
        return "a mirrored image would not keep its class in the data that it was trained on"

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Prepared images (n, prepared_size, prepared_size, 3) uint8 -> (n, classes) float32, rows sum to 1."""
        seen = predict_prepared(self.network, images, self.preprocessing)
        if not self.settings.mirror_predict:
            return seen
        mirrored = np.ascontiguousarray(images[:, :, ::-1])
        return (seen + predict_prepared(self.network, mirrored, self.preprocessing)) / 2

    # MLflow warns of any other type than a table, and of none.
    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        """Images -> columns label, probability and top_5, and unsure if the setting unsure_below says so.

        model_input: a DataFrame or dict with a column `image`, a list, an array or one image; an image is the bytes of
        an image file, their base64, a path (not from a server), a PIL image or an array (h, w, 3) uint8 of any size.
        Raises Refusal (a 400 when served) if there is no image, one that cannot be read, or more than the settings
        allow a request to a server.
        """
        served = is_served()
        items, may_be_paths = items_of(model_input, may_read_files=not served)
        if served and len(items) > self.settings.max_rows:
            raise Refusal(
                f"the request holds {len(items):,} images; at most {self.settings.max_rows:,} are answered at once"
            )
        try:
            found = [self.probabilities(part) for part in self._prepared(items, may_be_paths, served)]
        finally:
            if served:
                give_back()
        return answers(np.concatenate(found), self.class_names, float(self.settings.unsure_below))

    def _prepared(self, items: Sequence[Any], may_be_paths: bool, served: bool) -> Iterator[np.ndarray]:
        """Prepared images, some at a time: (n, prepared_size, prepared_size, 3) uint8."""
        deadline = time.monotonic() + self.settings.max_seconds if served else None
        for start in range(0, len(items), PREPARED_AT_ONCE):
            numbered = enumerate(items[start : start + PREPARED_AT_ONCE], start)
            yield np.stack([self._prepared_row(row, item, may_be_paths, deadline) for row, item in numbered])

    def _prepared_row(self, row: int, item: Any, may_be_path: bool, deadline: float | None) -> np.ndarray:
        if deadline is None:
            return self._image(row, item, may_be_path)
        left = deadline - time.monotonic()
        if left <= 0 or not self._cores.acquire(timeout=left):
            raise Refusal(
                f"reading the images took longer than {self.settings.max_seconds:g} s: row {row} was not reached; send "
                "fewer or smaller ones"
            )
        try:
            return self._image(row, item, may_be_path, self.settings.max_pixels)
        finally:
            self._cores.release()

    def _image(self, row: int, item: Any, may_be_path: bool, *max_pixels: int) -> np.ndarray:
        try:
            picture = picture_of(item, may_be_path)
            if isinstance(picture, bytes):
                return self.preprocessing.decode(picture, *max_pixels)
            return self.preprocessing.fit(picture)
        except Refusal as refusal:
            raise Refusal(f"row {row} {refusal.message}") from refusal
        except DecodeError as error:
            raise Refusal(f"row {row} holds no readable image: {error}") from error


def _described(classifier: Path) -> tuple[dict[str, Any], Preprocessing]:
    """The facts in classifier.json, with the network file's digest and the class names, and the preprocessing in them.

    Raises MlflowException if it is damaged.
    """
    try:
        facts = json.loads(classifier.read_text(encoding="utf-8"))
        _, class_names, preprocessing = facts["network_sha256"], facts["class_names"], _preprocessing(facts)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MlflowException(f"{classifier.name} is damaged: {shown(repr(error))}") from error
    if not isinstance(class_names, list) or not all(isinstance(name, str) for name in class_names):
        raise MlflowException(f"{classifier.name} is damaged: class_names is no list of names")
    return facts, preprocessing


def _preprocessing(facts: dict) -> Preprocessing:
    if "preprocessing" in facts:
        return Preprocessing(**facts["preprocessing"])
    # A model of version 0.1 says no more than this; its network standardises pixels by itself.
    return Preprocessing(facts["image_size"], facts["input_size"], facts["resize"], mean=(), deviation=())


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
