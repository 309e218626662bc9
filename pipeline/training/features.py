"""What the body of a network makes of each image, computed once and kept beside the prepared data.

    <workdir>/features/<digest>/
        train.npy, val.npy    (images, features) float32, a row for each image of the split, in its order
        train-mirrored.npy    the same of the images mirrored left to right

The digest is of the prepared data and of the body, weights and all. A file that is there is whole; each is written when
it is first asked for.
"""

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline import half_written, locks
from pipeline.data.picked import Images
from pipeline.data.prepared import DIGEST_CHARACTERS, Prepared, whole
from pipeline.data.scaling import all_scaled
from pipeline.models.networks.contract import Head
from pipeline.terminal import progress_bar

# As many as are in memory at once.
AT_ONCE = 50
FOLDER = "features"


def features_of(data: Prepared, split: str, head: Head, size: int, workdir: Path, is_mirrored: bool = False) -> Images:
    """What the body makes of each image of a split, (n, features): as it is in its file, computed if there is none.

    size: the side of the images that the body takes. Raises UserError if a file is damaged.
    """
    known_by = hashlib.sha256(f"{data.facts.digest} {size} {head.body_digest}".encode()).hexdigest()
    folder = workdir / FOLDER / known_by[:DIGEST_CHARACTERS]

    def computed(name: str, images: Images) -> np.ndarray:
        file = folder / f"{name}{'-mirrored' if is_mirrored else ''}.npy"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            # Of several processes that want the same features, one computes them.
            with locks.alone(file.with_suffix(".lock")):
                if not file.exists():
                    _write(file, _computed(images, head, size, is_mirrored), len(images))
        return _opened(file, len(images))

    return data.per_image(split, computed)


def _computed(images: Images, head: Head, size: int, is_mirrored: bool) -> Iterator[np.ndarray]:
    """The features of all images, a part of them at a time."""
    with progress_bar(total=len(images), desc="features", unit="image") as bar:
        for start in range(0, len(images), AT_ONCE):
            part = all_scaled(images[start : start + AT_ONCE], size)
            yield head.features(part[:, :, ::-1] if is_mirrored else part)
            bar.update(len(part))


def _write(file: Path, parts: Iterator[np.ndarray], count: int) -> None:
    half_written.remove_abandoned(file.parent)
    beside = half_written.beside(file)
    try:
        with beside.open("wb") as stream:
            first = next(parts)
            header = {"descr": "<f4", "fortran_order": False, "shape": (count, *first.shape[1:])}
            np.lib.format.write_array_header_1_0(stream, header)
            for part in itertools.chain([first], parts):
                stream.write(part.astype("<f4").tobytes())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _opened(file: Path, count: int) -> np.ndarray:
    with whole(file.parent):
        features = np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))
        if features.ndim != 2 or len(features) != count or features.dtype != np.float32:
            raise ValueError(f"{file.name} holds {features.dtype} of the shape {features.shape} for {count} images")
    return features
