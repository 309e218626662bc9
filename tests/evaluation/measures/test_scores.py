import numpy as np
import pytest
from answers import LABELS, PROBABILITIES
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.measures.scores import expected_calibration_error, scores, top_k_accuracy


def test_scores_of_a_worked_example():
    scored = scores(LABELS, PROBABILITIES)
    assert scored["accuracy"] == pytest.approx(4 / 6)
    assert scored["loss"] == pytest.approx(-np.mean(np.log([0.8, 0.3, 0.8, 0.7, 0.3, 0.8])))
    assert scored["macro_f1"] == pytest.approx(np.mean([0.5, 0.8, 2 / 3]))
    assert scored["chance_accuracy"] == pytest.approx(1 / 3)
    assert scored["top5_accuracy"] == 1
    assert top_k_accuracy(LABELS, PROBABILITIES, 2) == 1


def test_the_interval_is_that_of_the_reference_report():
    # 26.67 % of 450 test images: 22.8 to 30.9 %
    labels = np.zeros(450, int)
    probabilities = np.eye(2)[np.r_[np.zeros(120, int), np.ones(330, int)]]
    scored = scores(labels, probabilities)
    assert round(100 * scored["accuracy_low"], 1) == 22.8
    assert round(100 * scored["accuracy_high"], 1) == 30.9


def test_confidence_that_is_right_as_often_as_it_says_is_calibrated():
    labels = np.r_[np.zeros(80, int), np.ones(20, int)]
    assert expected_calibration_error(labels, np.tile([0.8, 0.2], (100, 1))) == pytest.approx(0, abs=1e-9)
    assert expected_calibration_error(labels, np.tile([1.0, 0.0], (100, 1))) == pytest.approx(0.2)


@given(st.integers(1, 60), st.integers(2, 12), st.integers(0, 2**16))
def test_scores_stay_in_their_ranges(images, classes, seed):
    rng = np.random.default_rng(seed)
    scored = scores(rng.integers(0, classes, images), rng.dirichlet(np.ones(classes), images))
    assert scored.pop("loss") >= 0
    assert all(0 <= value <= 1 for value in scored.values())
    assert scored["accuracy_low"] <= scored["accuracy"] <= scored["accuracy_high"]
    assert scored["accuracy"] <= scored["top5_accuracy"]
