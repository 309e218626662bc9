"""How much detail images hold: enlarged ones hold less than their size says."""

import numpy as np

# Detail that makes up less than this part of what an image varies by is none that anybody put there.
LEAST = 0.005
# Frequencies that an interpolation leaves above the size that it began with, as a fraction of that.
LEFT_OVER = 1.17


def detail_side(images: np.ndarray) -> int:
    """The side in pixels of the smallest images that hold the detail of these; their own where they were not enlarged.

    images: (n, size, size, 3) uint8, n at least 1. The median over the images of the frequency, in the larger of both
    directions, above which less than LEAST of the spectrum's power lies.
    """
    size = images.shape[1]
    grey = images.mean(axis=-1)
    window = np.hanning(size)
    power = np.abs(np.fft.fft2((grey - grey.mean((1, 2), keepdims=True)) * window[:, None] * window)) ** 2
    frequency = np.abs(np.fft.fftfreq(size, 1 / size)).astype(int)
    ring = np.maximum(frequency[:, None], frequency).ravel()
    by_ring = np.stack([np.bincount(ring, each.ravel()) for each in power])
    above = 1 - np.cumsum(by_ring, axis=1) / np.maximum(by_ring.sum(axis=1, keepdims=True), 1e-12)
    highest = np.argmax(np.median(above, axis=0) < LEAST)
    side = round(2 * int(highest) / LEFT_OVER)
    return size if 2 * highest >= size - 2 else max(1, min(size, side))
