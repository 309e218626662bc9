import numpy as np
import pytest

from pipeline.evaluation.cross_validation import mean_with_interval


def test_the_interval_is_student_t_on_the_corrected_variance():
    mean, low, high = mean_with_interval(np.array([0.4, 0.5, 0.6, 0.5, 0.5]))
    # s^2 = 0.005, t(4) = 2.776: 2.776 * sqrt(0.005 * (1 / 5 + 1 / 4))
    assert mean == pytest.approx(0.5)
    assert high - mean == mean - low == pytest.approx(2.7764451 * np.sqrt(0.005 * 0.45))


def test_the_interval_holds_what_folds_of_noise_alone_scatter_around():
    draws = np.random.default_rng(0).normal(0.5, 0.05, (500, 5))
    held = [low < 0.5 < high for _, low, high in map(mean_with_interval, draws)]
    # Independent scores are the best case: the correction makes it wider than they need.
    assert np.mean(held) > 0.95
