import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluation.calibration import certainty_curve, fit_temperature, threshold_for, with_temperature


def drawn_from(probabilities, seed=0):
    """A label for each row, drawn with its probabilities: what they say is true."""
    draws = np.random.default_rng(seed).random((len(probabilities), 1))
    return np.minimum((probabilities.cumsum(axis=1) < draws).sum(axis=1), probabilities.shape[1] - 1)


def honest(images=4000, classes=10):
    return np.random.default_rng(1).dirichlet(np.full(classes, 0.3), images).astype(np.float32)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_a_model_too_certain_is_found(temperature):
    labels = drawn_from(honest())
    said = with_temperature(honest(), 1 / temperature)
    assert fit_temperature(labels, said) == pytest.approx(temperature, rel=0.06)


def test_a_temperature_keeps_the_order_and_another_undoes_it():
    probabilities = honest(200)
    warm = with_temperature(probabilities, 2.5)
    assert warm.dtype == np.float32
    assert np.allclose(warm.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(warm.argmax(axis=1), probabilities.argmax(axis=1))
    assert warm.max() < probabilities.max()
    np.testing.assert_allclose(with_temperature(warm, 1 / 2.5), probabilities, atol=1e-5)


@pytest.mark.parametrize("right", [True, False])
def test_a_model_that_is_always_or_never_right_still_has_a_temperature(right):
    probabilities = np.tile([1.0, 0.0], (10, 1)).astype(np.float32)
    temperature = fit_temperature(np.full(10, 0 if right else 1), probabilities)
    assert 0.05 <= temperature <= 20
    assert np.isfinite(with_temperature(probabilities, temperature)).all()


def test_the_curve_says_how_often_certain_answers_are_right():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    curve = certainty_curve(np.array([0, 0, 1, 0]), probabilities)
    assert curve[0] == (0.0, 0.75, 1.0)
    assert [row[2] for row in curve] == sorted((row[2] for row in curve), reverse=True)
    assert threshold_for(curve, 0.75) == 0
    threshold = threshold_for(curve, 1.0)
    assert 0.7 < threshold <= 0.8
    assert threshold_for([(0.0, 0.4, 1.0)], 0.5) is None


@given(st.integers(1, 400), st.integers(2, 5), st.integers(0, 2**16))
def test_a_curve_has_at_most_fifty_rows_whose_figures_hold(images, classes, seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), images).astype(np.float32)
    labels = rng.integers(0, classes, images)
    curve = certainty_curve(labels, probabilities)
    assert 1 <= len(curve) <= 50
    certainty = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    for threshold, accuracy, share in curve:
        answered = certainty >= threshold
        assert share == answered.mean() > 0
        assert accuracy == correct[answered].mean()
