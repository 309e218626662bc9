"""From the bytes of an image file to what a network sees: training, evaluation and serving all take it from here."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.data.decoding import decode, fit
from pipeline.data.decoding.limits import MAX_PIXELS
from pipeline.data.picked import Images
from pipeline.data.scaling import scaled_parts

# As --image_size has it.
LARGEST_SIZE = 1024


@dataclass(frozen=True)
class ImageSizes:
    """Sides of square images, in pixels.

    prepared: as image files are decoded, and stored. seen: as the network is built for, and as it sees them when it
    predicts. first: of the training images in the first epoch, from which they grow to `seen`.
    """

    prepared: int
    seen: int
    first: int


@dataclass(frozen=True)
class Preprocessing:
    """What happens to an image before a network's first layer: decoded, made square, scaled, standardised.

    prepared_size, seen_size: as in ImageSizes. resize: stretch, crop or pad, how an image becomes square.
    mean, deviation: (3,) of the training pixels on the scale 0 to 255, RGB; standardised pixels are
    (pixel - mean) / deviation. in_file: whether the graph in a saved network's file does that itself.
    """

    prepared_size: int
    seen_size: int
    resize: str
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    in_file: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError if a value, which may come from a damaged file, is none of these."""
        sizes, statistics = (self.prepared_size, self.seen_size), (*self.mean, *self.deviation)
        if not all(isinstance(size, int) and 1 <= size <= LARGEST_SIZE for size in sizes):
            raise ValueError(f"images of {sizes} pixels")
        if self.resize not in ("stretch", "crop", "pad") or not isinstance(self.in_file, bool):
            raise ValueError(f"resize {self.resize!r}, in_file {self.in_file!r}")
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in statistics):
            raise ValueError(f"mean {self.mean}, deviation {self.deviation}")

    def decode(self, content: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """The bytes of an image file as (prepared_size, prepared_size, 3) uint8. Raises DecodeError.

        max_pixels: the most that are decoded.
        """
        return decode(content, self.prepared_size, self.resize, max_pixels)

    def fit(self, picture: Image.Image | np.ndarray) -> np.ndarray:
        """An open image, or pixels (h, w, 3) uint8, as (prepared_size, prepared_size, 3) uint8. Raises DecodeError."""
        if isinstance(picture, np.ndarray):
            if picture.shape[:2] == (self.prepared_size, self.prepared_size):
                return picture
            picture = Image.fromarray(np.ascontiguousarray(picture))
        return fit(picture, self.prepared_size, self.resize)

    def seen(self, images: Images) -> Iterator[np.ndarray]:
        """Images (n, prepared_size, prepared_size, 3) uint8 as the network sees them, a part of them at a time."""
        return scaled_parts(images, self.seen_size)

    def standardized(self, images: np.ndarray) -> np.ndarray:
        """Pixels of any size with mean 0 and deviation 1 over the training images, float32."""
        return (images - np.array(self.mean, np.float32)) / np.array(self.deviation, np.float32)
