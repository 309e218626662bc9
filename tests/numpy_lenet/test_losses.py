import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.numpy_lenet.losses import softmax, softmax_cross_entropy

from .central_differences import assert_same_gradient, central_differences


@given(n=st.integers(1, 5), classes=st.integers(1, 6), weighted=st.booleans(), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_gradient_with_soft_targets_and_weights(n, classes, weighted, seed):
    rng = np.random.default_rng(seed)
    logits, targets = rng.normal(size=(n, classes)), rng.dirichlet(np.ones(classes), n)
    weights = rng.random(n) if weighted else None
    expected = central_differences(lambda: softmax_cross_entropy(logits, targets, weights)[0], logits, step=1e-5)
    assert_same_gradient(softmax_cross_entropy(logits, targets, weights)[1], expected)


def test_loss_of_a_worked_example():
    logits = np.log([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    targets = np.array([[1, 0, 0], [0, 0.5, 0.5]])
    losses = -np.log(0.5), -0.5 * np.log(0.1) - 0.5 * np.log(0.8)
    assert softmax_cross_entropy(logits, targets)[0] == pytest.approx(np.mean(losses))
    weighted, _ = softmax_cross_entropy(logits, targets, np.array([3.0, 0.0]))
    assert weighted == pytest.approx(3 * losses[0] / 2)


def test_one_class_costs_nothing():
    loss, gradient = softmax_cross_entropy(np.array([[3.0], [-2.0]]), np.ones((2, 1)))
    assert loss == 0
    np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_logits_neither_overflow_nor_lose_the_loss(dtype):
    logits = np.array([[1e4, 0, -1e4]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss, gradient = softmax_cross_entropy(logits, np.array([[0, 1, 0]], dtype))
    assert loss == pytest.approx(1e4)
    np.testing.assert_allclose(gradient, [[1, -1, 0]])
    np.testing.assert_allclose(softmax(logits), [[1, 0, 0]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types_stay(dtype):
    logits = np.zeros((2, 3), dtype)
    assert softmax(logits).dtype == dtype
    assert softmax_cross_entropy(logits, np.eye(3)[:2], np.ones(2))[1].dtype == dtype


def test_softmax_sums_to_one():
    probabilities = softmax(np.random.default_rng(0).normal(size=(7, 5)) * 10)
    assert (probabilities > 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
