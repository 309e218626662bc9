"""Perceptual hashes: 64 bits of an image that small changes of it leave nearly as they are."""

import cv2
import numpy as np

from pipeline.data.decoding.fitting import contained

SIDE, LOW = 32, 8
CHUNK = 256
# Columns of a table that hold the mean of each channel.
COLOUR = ["red", "green", "blue"]
# Deviation of each channel, on the scale 0 to 255, up to which a picture is of one colour: the noise of a camera.
ONE_COLOUR = 3.0
GREY = np.array([0.299, 0.587, 0.114], np.float32)


def _cosines() -> np.ndarray:
    """The first LOW rows of the discrete cosine transform (DCT-II) of SIDE numbers, (LOW, SIDE), not normalised."""
    frequencies, places = np.arange(LOW)[:, None], np.arange(SIDE)[None]
    return np.cos(np.pi * frequencies * (2 * places + 1) / (2 * SIDE)).astype(np.float32)


COSINES = _cosines()
BITS = np.left_shift(np.uint64(1), np.arange(LOW * LOW, dtype=np.uint64))


def hashes(
    images: np.ndarray, positions: np.ndarray, sizes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pHash of some images, (n,) uint64, whether each is of one colour, (n,) bool, and its mean colour, (n, 3).

    images: (any, size, size, 3) uint8 RGB. positions: (n,) of those that are meant. sizes: (n, 2) width and height of
    the pictures, where they were padded to squares; what was added is left out. The hash is that of Zauner 2010 as the
    library imagehash has it: of the grey image of 32 x 32, which of the 8 x 8 lowest frequencies are above their
    median. That of an image of one colour says nothing.
    """
    found, plain = np.empty(len(positions), np.uint64), np.empty(len(positions), bool)
    colour = np.empty((len(positions), 3), np.float32)
    for start in range(0, len(positions), CHUNK):
        part = slice(start, start + CHUNK)
        small = _reduced(images[positions[part]], None if sizes is None else sizes[part])
        plain[part] = (small.std(axis=(1, 2)) <= ONE_COLOUR).all(axis=-1)
        colour[part] = small.mean(axis=(1, 2))
        frequencies = COSINES @ (small @ GREY) @ COSINES.T
        flat = frequencies.reshape(len(small), -1)
        found[part] = (flat > np.median(flat, axis=1, keepdims=True)) @ BITS
    return found, plain, colour


def _reduced(images: np.ndarray, sizes: np.ndarray | None) -> np.ndarray:
    """(n, SIDE, SIDE, 3) float32."""
    pictures = images if sizes is None else [_unpadded(*both) for both in zip(images, sizes, strict=True)]
    small = [cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.stack(small).astype(np.float32)


def _unpadded(image: np.ndarray, size: np.ndarray) -> np.ndarray:
    side = len(image)
    width, height = contained(int(size[0]), int(size[1]), side)
    left, top = round((side - width) / 2), round((side - height) / 2)
    return image[top : top + height, left : left + width]
