import numpy as np
import pytest

from pipeline.diagnosis import laws

GUESSING = 0.1


def answers(accuracies, images=4000):
    """Nested answers: what the smaller training has right, the larger one has too."""
    return np.arange(images) < np.asarray(accuracies)[:, None] * images


def law(sizes, offset=-2.0, slope=-0.9):
    """Accuracies that follow the law."""
    line = offset + slope * np.log(np.asarray(sizes) / 1000)
    return 1 - (1 - GUESSING) / np.sqrt(1 + np.exp(-line))


def test_the_forecast_follows_the_law_and_its_interval_holds_what_comes():
    sizes = [500, 1000, 2000]
    found = laws.forecast(sizes, answers(law(sizes)), 4000, GUESSING)
    assert found.value == pytest.approx(law([4000])[0], abs=0.005)
    assert found.low < law([4000])[0] < found.high
    assert found.high - found.low < 0.12
    rise = laws.gain(sizes, answers(law(sizes)), 2000, 4000, GUESSING)
    assert rise.value == pytest.approx(law([4000])[0] - law([2000])[0], abs=0.005)
    assert rise.low < rise.value < rise.high


def test_farther_away_less_is_known():
    sizes = [500, 1000, 2000]
    near, far = (laws.forecast(sizes, answers(law(sizes)), size, GUESSING) for size in (4000, 20000))
    assert far.high - far.low > near.high - near.low


def test_a_training_that_guesses_or_that_has_all_right_has_a_forecast_too():
    for accuracy in (GUESSING, 1.0):
        found = laws.forecast([500, 1000], answers([accuracy, accuracy]), 2000, GUESSING)
        assert found.value == pytest.approx(accuracy, abs=0.01)
