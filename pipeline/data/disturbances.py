"""Images as worse cameras, other light and other hands give them, to see what a model makes of them.

Each takes images (n, size, size, 3) uint8, one of its three strengths and a generator, and returns images alike.
"""

from collections.abc import Callable

import cv2
import numpy as np

# The strengths of blur are pixels of an image of this side.
BLUR_SIDE = 64

Disturb = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


def blurred(images: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian blur. sigma: in pixels of an image of 64 pixels."""
    scaled = sigma * images.shape[1] / BLUR_SIDE
    return np.stack([cv2.GaussianBlur(image, (0, 0), scaled) for image in images])


def noisy(images: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise. deviation: on the scale 0 to 255."""
    noise = rng.normal(0, deviation, images.shape)
    return np.clip(images + noise, 0, 255).round().astype(np.uint8)


def compressed(images: np.ndarray, quality: float, rng: np.random.Generator) -> np.ndarray:
    """Stored as a JPEG of this quality, 1 to 100, and read again."""
    encoded = [cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])[1] for image in images]
    return np.stack([np.asarray(cv2.imdecode(each, cv2.IMREAD_COLOR)) for each in encoded])


def darkened(images: np.ndarray, factor: float, rng: np.random.Generator) -> np.ndarray:
    """With pixels of `factor` times their value, 0 to 1."""
    return (images * np.float32(factor)).round().astype(np.uint8)


def rotated(images: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Turned about the middle, to the left or to the right by chance; what comes in at the border is mirrored."""
    size = images.shape[1]
    middle = ((size - 1) / 2, (size - 1) / 2)
    turns = [cv2.getRotationMatrix2D(middle, angle, 1) for angle in degrees * rng.choice([-1, 1], len(images))]
    return np.stack(
        [
            cv2.warpAffine(image, turn, (size, size), borderMode=cv2.BORDER_REFLECT_101)
            for image, turn in zip(images, turns, strict=True)
        ]
    )


# Name -> what does it, how a strength is written, and three of them, the mildest first.
DISTURBANCES: dict[str, tuple[Disturb, str, tuple[float, float, float]]] = {
    "blur": (blurred, "sigma {:g}", (0.5, 1, 2)),
    "noise": (noisy, "sigma {:g}", (8, 16, 32)),
    "JPEG": (compressed, "quality {:g}", (50, 20, 10)),
    "brightness": (darkened, "times {:g}", (0.75, 0.5, 0.25)),
    "rotation": (rotated, "{:g}°", (5, 15, 30)),
}
