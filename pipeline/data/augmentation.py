"""Random changes to training images, each a function of (seed, epoch, image index) alone.

No generator runs on between images: training continued from a checkpoint draws what an unbroken one would have.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.data.scaling import scaled

MAX_SHIFT = 1 / 8
CROP_ASPECT = (3 / 4, 4 / 3)

# What augments one image: (from, from, 3) uint8 and its number among the training images -> (to, to, 3) uint8.
Augment = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class Augmentation:
    """name: none, flip, shift or crop. mirror: whether an image may be mirrored, unless the name is none.

    min_crop_area: the least part of an image that crop keeps. flips: random, or alternating: mirrored in every other
    epoch, so that two epochs show both sides of each image (Jordan 2024).
    """

    name: str
    mirror: bool
    min_crop_area: float
    flips: str = "random"

    def for_epoch(self, count: int, image_size: int, size: int, seed: int, epoch: int) -> Augment:
        """What changes the `count` images in one epoch, from image_size pixels a side to size."""
        rng = np.random.default_rng((seed, epoch, 1))
        mirrored = self._mirrored(rng.random(count), seed, epoch)
        if self.name == "crop":
            change = _crop(rng, count, image_size, size, self.min_crop_area)
        elif self.name == "shift":
            change = _resized(_shift(rng, count, image_size), size)
        else:
            change = _resized(_keep, size)

        def augment(image: np.ndarray, index: int) -> np.ndarray:
            changed = change(image, index)
            return cv2.flip(changed, 1) if mirrored[index] else changed

        return augment

    @property
    def mirrors(self) -> bool:
        """Whether images are mirrored."""
        return self.mirror and self.name != "none"

    def mirrored(self, count: int, seed: int, epoch: int) -> np.ndarray:
        """Which images `for_epoch` mirrors, (count,) of bool."""
        return self._mirrored(np.random.default_rng((seed, epoch, 1)).random(count), seed, epoch)

    def _mirrored(self, drawn: np.ndarray, seed: int, epoch: int) -> np.ndarray:
        chosen = drawn < 0.5
        if self.flips == "alternating":
            chosen = (np.random.default_rng((seed, 3)).random(len(drawn)) < 0.5) ^ (epoch % 2 == 1)
        return chosen & self.mirrors


def _keep(image: np.ndarray, index: int) -> np.ndarray:
    return image


def _resized(change: Augment, size: int) -> Augment:
    def augment(image: np.ndarray, index: int) -> np.ndarray:
        return scaled(change(image, index), size)

    return augment


def _shift(rng: np.random.Generator, count: int, image_size: int) -> Augment:
    """Moved by up to MAX_SHIFT of the size in both directions; what comes in at the border is mirrored."""
    reach = max(1, round(image_size * MAX_SHIFT))
    offsets = rng.integers(0, 2 * reach + 1, (count, 2))

    def augment(image: np.ndarray, index: int) -> np.ndarray:
        top, left = offsets[index]
        padded = np.pad(image, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
        return padded[top : top + image_size, left : left + image_size]

    return augment


def _crop(rng: np.random.Generator, count: int, image_size: int, size: int, min_area: float) -> Augment:
    """A box of whole pixels, of random area, aspect and place, scaled to the whole image.

    After Szegedy et al. 2015, with a larger least area.
    """
    side = image_size * np.sqrt(rng.uniform(min_area, 1, count))
    stretch = np.exp(rng.uniform(np.log(CROP_ASPECT[0]), np.log(CROP_ASPECT[1]), count) / 2)
    widths, heights = (np.rint(sides).clip(1, image_size).astype(int) for sides in (side * stretch, side / stretch))
    lefts = rng.integers(0, image_size - widths, endpoint=True)
    tops = rng.integers(0, image_size - heights, endpoint=True)

    def augment(image: np.ndarray, index: int) -> np.ndarray:
        left, top = lefts[index], tops[index]
        return scaled(image[top : top + heights[index], left : left + widths[index]], size)

    return augment
