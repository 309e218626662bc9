"""Mean and deviation of the channels of images, exact: from how often each of their levels is there."""

import numpy as np

from pipeline.data.picked import Images

CHANNELS = 3
LEVELS = 256
CHUNK = 64


def level_counts(images: Images) -> np.ndarray:
    """How many pixels of each channel have each level, (channels, levels) of int."""
    counts = np.zeros((CHANNELS, LEVELS), np.int64)
    for start in range(0, len(images), CHUNK):
        chunk = images[start : start + CHUNK]
        for channel in range(CHANNELS):
            counts[channel] += np.bincount(chunk[..., channel].ravel(), minlength=LEVELS)
    return counts


def statistics(counts: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and deviation of each channel on the scale 0 to 255, (channels,) each, from their level counts."""
    levels, pixels = np.arange(LEVELS), counts[0].sum()
    means = counts @ levels / pixels
    return means.tolist(), np.sqrt(counts @ levels**2 / pixels - means**2).tolist()
