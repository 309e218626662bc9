"""Random changes to training images, each a function of (seed, epoch, image index) alone.

No generator runs on between images: training continued from a checkpoint draws what an unbroken one would have.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image

MAX_SHIFT = 1 / 8
CROP_ASPECT = (3 / 4, 4 / 3)

# What augments one image: (size, size, 3) uint8 and its number among the training images -> the same shape.
Augment = Callable[[np.ndarray, int], np.ndarray]


def for_epoch(
    name: str, mirror: bool, min_crop_area: float, count: int, image_size: int, seed: int, epoch: int
) -> Augment:
    """The augmentation `name` (none, flip, shift or crop) for one epoch over `count` images.

    min_crop_area: the least part of an image that crop keeps.
    """
    rng = np.random.default_rng((seed, epoch, 1))
    mirrored = rng.random(count) < (0.5 if mirror and name != "none" else 0.0)
    if name == "shift":
        change = _shift(rng, count, image_size)
    elif name == "crop":
        change = _crop(rng, count, image_size, min_crop_area)
    else:
        change = _keep

    def augment(image: np.ndarray, index: int) -> np.ndarray:
        changed = change(image, index)
        return changed[:, ::-1] if mirrored[index] else changed

    return augment


def _keep(image: np.ndarray, index: int) -> np.ndarray:
    return image


def _shift(rng: np.random.Generator, count: int, size: int) -> Augment:
    """Moved by up to MAX_SHIFT of the size in both directions; what comes in at the border is mirrored."""
    reach = max(1, round(size * MAX_SHIFT))
    offsets = rng.integers(0, 2 * reach + 1, (count, 2))

    def augment(image: np.ndarray, index: int) -> np.ndarray:
        top, left = offsets[index]
        padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
        return padded[top : top + size, left : left + size]

    return augment


def _crop(rng: np.random.Generator, count: int, size: int, min_area: float) -> Augment:
    """A box of random area, aspect and place, scaled to the whole (Szegedy et al. 2015, with a larger least area)."""
    side = size * np.sqrt(rng.uniform(min_area, 1, count))
    stretch = np.exp(rng.uniform(np.log(CROP_ASPECT[0]), np.log(CROP_ASPECT[1]), count) / 2)
    widths, heights = np.minimum(side * stretch, size), np.minimum(side / stretch, size)
    lefts = rng.random(count) * (size - widths)
    tops = rng.random(count) * (size - heights)
    boxes = np.stack([lefts, tops, lefts + widths, tops + heights], axis=1)

    def augment(image: np.ndarray, index: int) -> np.ndarray:
        resized = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR, tuple(boxes[index]))
        return np.asarray(resized)

    return augment
