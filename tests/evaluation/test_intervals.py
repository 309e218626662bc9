import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.evaluation.intervals import bootstrapped, wilson


@pytest.mark.parametrize(("hits", "images"), [(0, 3), (3, 3), (120, 450), (1, 2)])
def test_wilsons_interval_is_that_of_scipy(hits, images):
    expected = binomtest(hits, images).proportion_ci(method="wilson")
    low, high = wilson(np.array([hits]), np.array([images]))
    assert (low[0], high[0]) == pytest.approx((expected.low, expected.high))


def test_of_no_images_nothing_is_known():
    low, high = wilson(np.array([0]), np.array([0]))
    assert (low[0], high[0]) == (0, 1)


def test_the_bootstrap_of_a_mean_is_about_its_normal_interval():
    values = (np.arange(400) < 120).astype(float)
    low, high = bootstrapped(lambda resampled: resampled.mean(axis=1), values)
    reach = 1.96 * np.sqrt(0.3 * 0.7 / 400)
    assert (low, high) == pytest.approx((0.3 - reach, 0.3 + reach), abs=0.01)
    assert (low, high) == bootstrapped(lambda resampled: resampled.mean(axis=1), values)


def test_one_image_says_nothing():
    assert bootstrapped(lambda resampled: resampled.mean(axis=1), np.ones(1)) == (0, 1)
