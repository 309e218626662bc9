"""Images at another size."""

from collections.abc import Iterator

import cv2
import numpy as np

from pipeline.data.picked import Images

# A multiple of what networks predict at once: a part's odd rest would be one more shape to build a graph for.
SCALED_AT_ONCE = 1000


def scaled(image: np.ndarray, size: int) -> np.ndarray:
    """`image` (height, width, 3) as (size, size, 3), both uint8: averaged where it shrinks, interpolated otherwise."""
    if image.shape[:2] == (size, size):
        return image
    shrinks = min(image.shape[:2]) >= size
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def all_scaled(images: np.ndarray, size: int) -> np.ndarray:
    """Images (n, from, from, 3) as (n, size, size, 3), and as they are if they have that size."""
    if images.shape[1:3] == (size, size):
        return images
    return np.stack([scaled(image, size) for image in images])


def scaled_parts(images: Images, size: int) -> Iterator[np.ndarray]:
    """The same, a part at a time, so that no second copy of all images is held."""
    for start in range(0, len(images), SCALED_AT_ONCE):
        yield all_scaled(images[start : start + SCALED_AT_ONCE], size)
