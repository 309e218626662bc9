import numpy as np
import pytest

from pipeline.data.scaling import all_scaled, scaled, scaled_parts

IMAGES = np.random.default_rng(0).integers(0, 256, (1030, 16, 16, 3), dtype=np.uint8)


def test_images_of_the_size_stay_what_they_are():
    assert all_scaled(IMAGES, 16) is IMAGES
    np.testing.assert_array_equal(scaled(IMAGES[0], 16), IMAGES[0])


@pytest.mark.parametrize("size", [8, 16, 24])
def test_the_parts_are_all_images_in_order(size):
    parts = list(scaled_parts(IMAGES, size))
    assert all(part.shape[1:] == (size, size, 3) for part in parts)
    np.testing.assert_array_equal(np.concatenate(parts), all_scaled(IMAGES, size))


def test_shrinking_smooths():
    chequered = np.indices((16, 16)).sum(axis=0) % 2 * np.uint8(255)
    small = scaled(np.repeat(chequered[:, :, None], 3, axis=2).astype(np.uint8), 4)
    assert abs(small.astype(int) - 127).max() < 20


def test_a_box_is_cut_out():
    halves = np.zeros((16, 16, 3), np.uint8)
    halves[:, 8:] = 200
    # Smoothing reaches over the edge of the box.
    assert (scaled(halves, 4, np.array([8, 0, 16, 16]))[:, 1:] == 200).all()
