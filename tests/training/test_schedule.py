import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.training.schedule import learning_rates, sizes_by_epoch


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
@given(steps=st.integers(1, 500), warmup=st.floats(0, 0.9), peak=st.floats(1e-5, 10))
def test_rates_stay_between_zero_and_the_peak(schedule, steps, warmup, peak):
    rates = learning_rates(schedule, peak, warmup, steps)
    assert rates.shape == (steps,)
    assert (rates > 0).all()
    assert (rates <= peak * (1 + 1e-12)).all()


def test_a_line_up_and_a_line_down():
    np.testing.assert_allclose(learning_rates("linear", 1.0, 0.4, 10)[:4], [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(learning_rates("linear", 1.0, 0.4, 10)[4:], [1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6])


def test_half_a_cosine():
    np.testing.assert_allclose(learning_rates("cosine", 2.0, 0.0, 4), 1 + np.cos(np.pi * np.arange(4) / 4))


def test_constant_is_constant():
    assert (learning_rates("constant", 1e-3, 0.0, 7) == 1e-3).all()


@given(st.integers(1, 400), st.integers(8, 400), st.integers(1, 100))
def test_images_grow_to_their_full_size_and_stay_there(first, full, epochs):
    sizes = sizes_by_epoch(first, full, epochs)
    initial = min(first, full)
    assert len(sizes) == epochs
    assert sizes == sorted(sizes)
    assert all(size == full or (size - initial) % 16 == 0 for size in sizes)
    if epochs > 1:
        assert sizes[0] == initial
    assert sizes[-max(1, epochs // 5)] == full


def test_images_grow_in_a_line_over_four_fifths_of_the_epochs():
    assert sizes_by_epoch(32, 64, 10) == [32, 32, 32, 32, 48, 48, 48, 48, 64, 64]
    assert sizes_by_epoch(64, 64, 3) == [64, 64, 64]
