"""OpenCV and libjpeg-turbo alone, as benchmarks.preparing compares with them; each is imported where it is used."""

import functools
import importlib.util
import time
from pathlib import Path

import psutil

IMAGE_SIZE = 64
# Of 500 x 375: what `preprocess` decodes for images of 64 pixels.
HALF = (250, 188)


class Clock:
    """Seconds, and seconds of CPU, of this process and of those that it started."""

    def __init__(self) -> None:
        self._start, self._cpu_start = time.perf_counter(), self._cpu()

    def read(self) -> dict[str, float]:
        """Since it was made."""
        return {"seconds": time.perf_counter() - self._start, "cpu_seconds": self._cpu() - self._cpu_start}

    def _cpu(self) -> float:
        this = psutil.Process()
        return sum(_cpu_seconds(each) for each in (this, *this.children(recursive=True)))


def _cpu_seconds(process: psutil.Process) -> float:
    """Its own, and those of its children that have ended."""
    try:
        return sum(process.cpu_times()[:4])
    except psutil.NoSuchProcess:
        return 0


def with_opencv(folder: Path, work: Path) -> dict:
    """OpenCV reads and resizes all files in this process."""
    import cv2

    cv2.setNumThreads(1)
    paths = [str(path) for path in sorted(folder.rglob("*.jpg"))]
    clock = Clock()
    for path in paths:
        cv2.resize(cv2.imread(path), (IMAGE_SIZE, IMAGE_SIZE))
    return clock.read()


def decoded_at_half(path: Path) -> None:
    """Read a JPEG file of 500 x 375, and decode it at half that size."""
    if library() == "simplejpeg":
        import simplejpeg

        simplejpeg.decode_jpeg(path.read_bytes(), "RGB", min_width=HALF[0], min_height=HALF[1])
        return
    from PIL import JpegImagePlugin

    image = JpegImagePlugin.JpegImageFile(path)
    image.draft("RGB", (HALF[0] - 1, HALF[1] - 1))
    image.load()


@functools.cache
def library() -> str:
    """Whose libjpeg-turbo is measured."""
    return "simplejpeg" if importlib.util.find_spec("simplejpeg") else "Pillow's libjpeg-turbo"
