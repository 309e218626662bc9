"""The measures that ask the model again."""

import numpy as np
import pytest
from answers import LABELS, NAMES, six

from pipeline.evaluation.contract import Answers
from pipeline.evaluation.measures import grad_cam, latency, mirrored, robustness


def test_the_mean_of_an_image_and_its_mirror_image_is_scored():
    certain = np.eye(3, dtype=np.float32)[LABELS]
    found = mirrored.measure(six(mirrorable=True))
    assert found.metrics["mirrored_accuracy"] == pytest.approx(4 / 6)
    asked = []
    answers = six(mirrorable=True)
    object.__setattr__(answers, "images", np.arange(6 * 8 * 8 * 3, dtype=np.uint8).reshape(6, 8, 8, 3))
    object.__setattr__(answers, "predict", lambda images: asked.append(images) or certain)
    found = mirrored.measure(answers)
    assert np.array_equal(asked[0], answers.images[:, :, ::-1])
    assert found.metrics == {"mirrored_accuracy": 1, "mean_with_mirrored_accuracy": 1}


def test_images_that_may_not_be_mirrored_are_not():
    assert mirrored.measure(six()) is None


def test_latency_says_how_long_an_answer_takes_and_how_large_the_network_is():
    found = latency.measure(six(network_bytes=3 * 2**20))
    assert found.of_model["network_mib"] == 3
    assert found.of_model["latency_ms"] > 0
    assert found.tables["latency"]["images_at_once"].tolist() == [1, 8, 64]


def brightness_reader():
    """A model that takes bright images for the class 1 and dark ones for the class 0, which all of them are not."""
    rng = np.random.default_rng(0)
    images = rng.integers(150, 250, (40, 16, 16, 3), dtype=np.uint8)

    def predict(asked):
        bright = asked.mean(axis=(1, 2, 3)) > 128
        return np.where(bright[:, None], [0.1, 0.9], [0.9, 0.1]).astype(np.float32)

    labels = np.ones(40, int)
    return Answers("test", images, labels, [str(n) for n in range(40)], NAMES[:2], predict(images), predict)


def test_what_a_model_cannot_stand_is_found():
    first, second = (robustness.measure(brightness_reader()) for _ in range(2))
    table = first.tables["robustness"].set_index(["disturbance", "strength"])
    assert table.equals(second.tables["robustness"].set_index(["disturbance", "strength"]))
    assert len(table) == 1 + 5 * 3
    assert table.loc[("none", 0), "accuracy"] == 1
    assert table.loc[("brightness", 3), "accuracy"] == 0
    assert table.loc[("brightness", 3), "change"] == -1
    assert table.loc[("rotation", 3), "accuracy"] == 1
    assert first.metrics["disturbed_accuracy"] == pytest.approx(table["accuracy"].iloc[1:].mean())


def test_heat_maps_are_asked_for_right_and_wrong_answers():
    asked = []

    def heat_maps(images, classes):
        asked.append(classes.tolist())
        return np.ones((len(images), 2, 2))

    figure = grad_cam.measure(six(heat_maps=heat_maps)).figures["grad_cam"]
    assert sorted(asked[0]) == [0, 0, 1, 1, 2]
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles[0] == "predicted a 80%\ntrue a"
    assert "predicted b 60%\nwrong, true a" in titles


def test_a_network_without_maps_has_none():
    assert grad_cam.measure(six()) is None
    assert grad_cam.measure(six(heat_maps=lambda images, classes: None)) is None
