"""A TIFF's pixels as they are, read by OpenCV: Pillow has no colour of more than 8 bits."""

import threading

import cv2
import numpy as np

from pipeline.data.decoding.errors import DecodeError

# Its log level is the whole process's.
_quiet = threading.Lock()


def opencv_pixels(content: bytes) -> np.ndarray:
    """(height, width, channels), grey or BGR or BGRA, of the file's own number type.

    Raises DecodeError if OpenCV cannot read it.
    """
    pixels = _read(np.frombuffer(content, np.uint8))
    if pixels is None:
        raise DecodeError("its pixels are damaged, or coded in a way that is not read")
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _read(content: np.ndarray) -> np.ndarray | None:
    with _quiet:
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            return cv2.imdecode(content, cv2.IMREAD_UNCHANGED)
        except cv2.error:
            return None
        finally:
            cv2.utils.logging.setLogLevel(level)
