import cv2
import numpy as np

from pipeline.diagnosis.detail import detail_side


def pictures(size=64, count=40):
    """Shapes with sharp edges, as photographs have them."""
    rng = np.random.default_rng(0)
    images = np.zeros((count, size, size, 3), np.uint8)
    for image in images:
        for _ in range(12):
            corner, side = rng.integers(0, size, 2), int(rng.integers(4, size // 2))
            cv2.rectangle(image, corner.tolist(), (corner + side).tolist(), rng.integers(0, 255, 3).tolist(), -1)
    return images


def test_enlarged_images_are_told_from_others():
    images = pictures()
    assert detail_side(images) > 48
    for side in (12, 24):
        small = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images]
        enlarged = np.stack([cv2.resize(image, (64, 64), interpolation=cv2.INTER_CUBIC) for image in small])
        assert 0.7 * side < detail_side(enlarged) < 1.3 * side


def test_images_of_one_colour_have_a_side_too():
    assert detail_side(np.full((1, 16, 16, 3), 7, np.uint8)) >= 1
