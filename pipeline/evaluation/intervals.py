"""95 % intervals of scores."""

from collections.abc import Callable

import numpy as np

# The 0.975 quantile of the normal distribution.
QUANTILE = 1.959963984540054
RESAMPLES = 1000
SEED = 0
# Of resampled images at once: enough to be fast, few enough for tens of MB.
AT_ONCE = 2_000_000


def wilson(hits: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval of a fraction (Wilson 1927): `hits` of `images`, both (n,) -> low and high, (n,) each, 0 to 1.

    Of no images nothing is known: 0 to 1.
    """
    hits, images = np.asarray(hits, float), np.asarray(images, float)
    square = QUANTILE**2
    middle = hits + square / 2
    reach = QUANTILE * np.sqrt(hits * (1 - hits / np.maximum(images, 1)) + square / 4)
    low, high = (middle - reach) / (images + square), (middle + reach) / (images + square)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def bootstrapped(statistic: Callable[..., np.ndarray], *of_images: np.ndarray) -> tuple[float, float]:
    """The interval of a score by the basic bootstrap over images (Efron & Tibshirani 1993): low and high, 0 to 1.

    of_images: what is known of each image, (images,) each. statistic: the same of resamples, (resamples, images) each
    -> (resamples,). The basic interval takes out that a score such as the calibration error is higher of resamples than
    of the images themselves. Seeded: the same answers have the same interval.
    """
    from scipy.stats import bootstrap

    def of_any(*resampled: np.ndarray, axis: int) -> np.ndarray:
        found = statistic(*map(np.atleast_2d, resampled))
        return found if np.ndim(resampled[0]) == 2 else found[0]

    images = len(of_images[0])
    if images < 2:
        return 0.0, 1.0
    found = bootstrap(
        of_images,
        of_any,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        method="basic",
        batch=max(1, AT_ONCE // images),
        rng=SEED,
    ).confidence_interval
    return float(np.clip(found.low, 0, 1)), float(np.clip(found.high, 0, 1))
