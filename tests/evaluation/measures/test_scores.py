import numpy as np
import pytest
from answers import LABELS, PROBABILITIES, drawn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from pipeline.evaluation.measures.scores import among_best, expected_calibration_error, scores


def test_scores_of_a_worked_example():
    scored = scores(LABELS, PROBABILITIES)
    assert scored["accuracy"] == pytest.approx(4 / 6)
    assert scored["loss"] == pytest.approx(-np.mean(np.log([0.8, 0.3, 0.8, 0.7, 0.3, 0.8])))
    assert scored["macro_f1"] == pytest.approx(np.mean([0.5, 0.8, 2 / 3]))
    assert scored["chance_accuracy"] == pytest.approx(1 / 3)
    assert scored["top5_accuracy"] == 1
    assert among_best(LABELS, PROBABILITIES, 2).all()


def test_the_interval_is_that_of_the_reference_report():
    # 26.67 % of 450 test images: 22.8 to 30.9 %
    labels = np.zeros(450, int)
    probabilities = np.eye(2)[np.r_[np.zeros(120, int), np.ones(330, int)]]
    scored = scores(labels, probabilities)
    assert round(100 * scored["accuracy_low"], 1) == 22.8
    assert round(100 * scored["accuracy_high"], 1) == 30.9


@pytest.mark.parametrize("classes", [3, 20])
def test_macro_f1_is_that_of_scikit_learn_within_its_interval(classes):
    answers = drawn(classes, 500)
    predicted = answers.probabilities.argmax(axis=1)
    scored = scores(answers.labels, answers.probabilities)
    expected = f1_score(answers.labels, predicted, labels=np.unique(answers.labels), average="macro", zero_division=0)
    assert scored["macro_f1"] == pytest.approx(expected)
    assert expected - 0.1 < scored["macro_f1_low"] < expected < scored["macro_f1_high"] < expected + 0.1
    assert scored["ece_low"] < scored["ece"] < scored["ece_high"]


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
    for name in ("accuracy", "top5_accuracy"):
        assert scored[f"{name}_low"] <= scored[name] <= scored[f"{name}_high"]
    for name in ("macro_f1", "ece"):
        assert scored[f"{name}_low"] <= scored[f"{name}_high"]
    assert scored["accuracy"] <= scored["top5_accuracy"]
