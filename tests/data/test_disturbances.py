import numpy as np
import pytest

from pipeline.data.disturbances import DISTURBANCES


def photographs():
    """Images with smooth parts and an edge."""
    x, y = np.meshgrid(np.arange(64), np.arange(64))
    image = np.stack([2 * x + 60, 2 * y + 60, np.where(x > y, 200, 60)], axis=2).astype(np.uint8)
    return np.stack([image, image[::-1]])


@pytest.mark.parametrize("name", DISTURBANCES)
def test_the_stronger_the_farther_from_the_images_themselves(name):
    disturb, _, strengths = DISTURBANCES[name]
    images = photographs()
    distances = []
    for strength in strengths:
        disturbed = disturb(images, strength, np.random.default_rng(0))
        assert (disturbed.shape, disturbed.dtype) == (images.shape, np.uint8)
        again = disturb(images, strength, np.random.default_rng(0))
        assert np.array_equal(disturbed, again)
        distances.append(np.abs(disturbed.astype(int) - images).mean())
    assert 0 < distances[0] < distances[1] < distances[2]
