"""What is found of an export: how it agrees with its network, its size, its speed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import metrics
from pipeline.data.prepared import Split
from pipeline.data.preprocessing import Preprocessing
from pipeline.export.agreement import Agreement, agreement, answers_of
from pipeline.export.formats import Answer, format_named
from pipeline.export.latency import latency_ms
from pipeline.export.placing import size_of
from pipeline.models.networks.contract import Network


@dataclass(frozen=True)
class Expected:
    """What an export is to answer to the validation images: (n, classes) each.

    logged: what the logged model answers. float32: what its network answers in float32; the same unless it computes in
    bfloat16.
    """

    logged: np.ndarray
    float32: np.ndarray


@dataclass(frozen=True)
class Measured:
    """What was found of an export.

    agreement: with the network in float32. accuracy, expected_accuracy: on the validation images, of the export and of
    that network. rounding: how far that network is from the logged one. size: in bytes.
    """

    agreement: Agreement
    accuracy: float
    expected_accuracy: float
    rounding: Agreement
    size: int
    latency_ms: float

    def metrics(self) -> dict[str, float]:
        """The figures by their names in MLflow."""
        return {
            "export_bytes": self.size,
            "latency_ms": self.latency_ms,
            "largest_difference": self.agreement.largest,
            "differing_answers": self.agreement.differing,
            "val_accuracy": self.accuracy,
            "val_accuracy_lost": self.expected_accuracy - self.accuracy,
            "float32_largest_difference": self.rounding.largest,
            "float32_differing_answers": self.rounding.differing,
        }


def expected_answers(
    network: Network, preprocessing: Preprocessing, images: np.ndarray, *, mirrored: bool, bfloat16: bool
) -> Expected:
    """What the export of a network is to answer to prepared images (n, prepared_size, prepared_size, 3) uint8.

    mirrored: whether to images and to their mirror images, on the mean. bfloat16: whether the network computes in it.
    """
    logged = _answers(network.predict, preprocessing, images, mirrored)
    if not bfloat16:
        return Expected(logged, logged)
    model = network.as_keras_model()
    return Expected(logged, _answers(model.predict_on_batch, preprocessing, images, mirrored))


def measured(name: str, path: Path, val: Split, expected: Expected) -> Measured:
    """Ask the export at `path`, of the format `name`, about the validation images, and time it with one of them."""
    answers = answers_of(format_named(name).load(path), val.images[:])
    return Measured(
        agreement=agreement(expected.float32, answers),
        accuracy=metrics.accuracy(val.labels, answers),
        expected_accuracy=metrics.accuracy(val.labels, expected.float32),
        rounding=agreement(expected.logged, expected.float32),
        size=size_of(path),
        latency_ms=latency_ms(name, path, val.images[0]),
    )


def _answers(answer: Answer, preprocessing: Preprocessing, images: np.ndarray, mirrored: bool) -> np.ndarray:
    def of_prepared(some: np.ndarray) -> np.ndarray:
        return np.concatenate([answer(seen) for seen in preprocessing.seen(some)])

    def of_both(some: np.ndarray) -> np.ndarray:
        return (of_prepared(some) + of_prepared(np.ascontiguousarray(some[:, :, ::-1]))) / 2

    return answers_of(of_both if mirrored else of_prepared, images)
