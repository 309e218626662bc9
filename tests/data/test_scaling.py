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


@pytest.mark.parametrize("shape", [(16, 16), (6, 6), (16, 6), (6, 16)])
def test_whatever_its_shape_a_plain_image_stays_plain(shape):
    image = np.broadcast_to(np.array([10, 100, 200], np.uint8), (*shape, 3))
    np.testing.assert_array_equal(scaled(image, 8), np.broadcast_to(image[0, 0], (8, 8, 3)))


def test_left_stays_left_and_up_stays_up():
    image = np.zeros((16, 12, 3), np.uint8)
    image[:8, :6] = 200
    corners = scaled(image, 4)[[0, 0, 3, 3], [0, 3, 0, 3], 0]
    assert corners.tolist() == [200, 0, 0, 0]
