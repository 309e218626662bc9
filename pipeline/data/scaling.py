"""Images at another size."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

# A multiple of what networks predict at once: a part's odd rest would be one more shape to build a graph for.
SCALED_AT_ONCE = 1000


def scaled(image: np.ndarray, size: int, box: np.ndarray | None = None) -> np.ndarray:
    """The part of `image` (height, width, 3) within box (left, top, right, bottom), or all of it, as (size, size, 3).

    Both are uint8; what shrinks is smoothed first.
    """
    if box is None and image.shape[:2] == (size, size):
        return image
    bounds = None if box is None else tuple(box)
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR, bounds))


def all_scaled(images: np.ndarray, size: int) -> np.ndarray:
    """Images (n, from, from, 3) as (n, size, size, 3), and as they are if they have that size."""
    if images.shape[1:3] == (size, size):
        return images
    return np.stack([scaled(image, size) for image in images])


def scaled_parts(images: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """The same, a part at a time, so that no second copy of all images is held."""
    for start in range(0, len(images), SCALED_AT_ONCE):
        yield all_scaled(images[start : start + SCALED_AT_ONCE], size)
