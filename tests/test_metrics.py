import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import metrics

NAMES = ["a", "b", "c"]
LABELS = np.array([0, 0, 1, 1, 2, 2])
PROBABILITIES = np.array(
    [[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1], [0.5, 0.2, 0.3], [0.1, 0.1, 0.8]], np.float32
)


def test_scores_of_a_worked_example():
    scores = metrics.classification(LABELS, PROBABILITIES)
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert scores["loss"] == pytest.approx(-np.mean(np.log([0.8, 0.3, 0.8, 0.7, 0.3, 0.8])))
    assert scores["macro_f1"] == pytest.approx(np.mean([0.5, 0.8, 2 / 3]))
    assert scores["chance_accuracy"] == pytest.approx(1 / 3)
    assert scores["top5_accuracy"] == 1
    assert metrics.top_k_accuracy(LABELS, PROBABILITIES, 2) == 1


def test_the_interval_is_that_of_the_reference_report():
    # 26.67 % of 450 test images: 22.8 to 30.9 %
    labels = np.zeros(450, int)
    probabilities = np.eye(2)[np.r_[np.zeros(120, int), np.ones(330, int)]]
    scores = metrics.classification(labels, probabilities)
    assert round(100 * scores["accuracy_low"], 1) == 22.8
    assert round(100 * scores["accuracy_high"], 1) == 30.9


def test_confidence_that_is_right_as_often_as_it_says_is_calibrated():
    labels = np.r_[np.zeros(80, int), np.ones(20, int)]
    assert metrics.expected_calibration_error(labels, np.tile([0.8, 0.2], (100, 1))) == pytest.approx(0, abs=1e-9)
    assert metrics.expected_calibration_error(labels, np.tile([1.0, 0.0], (100, 1))) == pytest.approx(0.2)


def test_per_class_names_what_a_class_is_taken_for():
    table = metrics.per_class(LABELS, PROBABILITIES, NAMES)
    assert table["images"].tolist() == [2, 2, 2]
    assert table["recall"].tolist() == [0.5, 1.0, 0.5]
    assert table["most_often_taken_for"].tolist() == ["b", "", "a"]


def test_predictions_are_enough_to_score_again():
    table = metrics.predictions(list("uvwxyz"), LABELS, PROBABILITIES, NAMES)
    assert table["path"].tolist() == list("uvwxyz")
    labels = np.array([NAMES.index(label) for label in table["label"]])
    assert metrics.classification(labels, np.stack(table["probabilities"])) == metrics.classification(
        LABELS, PROBABILITIES
    )


@given(st.integers(1, 60), st.integers(2, 12), st.integers(0, 2**16))
def test_scores_stay_in_their_ranges(images, classes, seed):
    rng = np.random.default_rng(seed)
    scores = metrics.classification(rng.integers(0, classes, images), rng.dirichlet(np.ones(classes), images))
    assert scores.pop("loss") >= 0
    assert all(0 <= value <= 1 for value in scores.values())
    assert scores["accuracy_low"] <= scores["accuracy"] <= scores["accuracy_high"]
    assert scores["accuracy"] <= scores["top5_accuracy"]
