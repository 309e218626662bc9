import numpy as np
import pytest

from pipeline.numpy_lenet.initializers import fans, glorot_uniform, he_normal


@pytest.mark.parametrize(("shape", "expected"), [((5, 5, 3, 6), (75, 150)), ((400, 120), (400, 120)), ((1, 1), (1, 1))])
def test_fans_count_the_area_of_the_kernel(shape, expected):
    assert fans(shape) == expected


@pytest.mark.parametrize("shape", [(5, 5, 12, 160), (400, 120)])
def test_variances(shape):
    fan_in, fan_out = fans(shape)
    for initializer, variance in ((he_normal, 2 / fan_in), (glorot_uniform, 2 / (fan_in + fan_out))):
        values = initializer(np.random.default_rng(0), shape, np.float32)
        assert values.shape == shape
        assert values.dtype == np.float32
        assert values.var() == pytest.approx(variance, rel=0.03)
        assert values.mean() == pytest.approx(0, abs=5 * (variance / values.size) ** 0.5)


def test_he_keeps_the_mean_square_of_signals_through_relus():
    rng = np.random.default_rng(0)
    signals = rng.normal(size=(300, 512))
    for _ in range(10):
        signals = signals @ he_normal(rng, (512, 512), np.float64)
        assert (signals**2).mean() == pytest.approx(2, rel=0.5)
        signals = np.maximum(signals, 0)


def test_the_generator_decides():
    first, same, other = (he_normal(np.random.default_rng(seed), (4, 5), np.float32) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).all()
