import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.training.schedule import learning_rates


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
