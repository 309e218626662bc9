"""Up to which distance of their hashes two images are near-duplicates: known small changes against different images.

    python -m benchmarks.near_duplicates --data FOLDER --output FOLDER

--data: a folder as `data` takes it. 2,000 of its images are each changed in eight small ways; each change leaves a JSON
file with how many of the changed images lie within each distance of their original, and `different.json` says how many
pairs of the images themselves do. A part that is there is not repeated. different.png shows the closest pairs, to be
looked at: some of them are near-duplicates. About two minutes on two cores.
"""

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from benchmarks.shared import part, prepared, provenance, train_config
from pipeline import figures
from pipeline.data.decoding.fitting import square
from pipeline.data.prepared import Prepared
from pipeline.data.quality.hashing import hashes
from pipeline.data.quality.neighbours import close_pairs

COUNT, MOST, SHOWN = 2_000, 16, 48
CUT, LOGO = 0.03, 1 / 6


def main() -> None:
    """Measure what is missing, and print how many are found by distance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of images")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--image_size", type=int, default=64)
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    options = {"data": arguments.data, "image_size": arguments.image_size, "workdir": str(output / "workdir")}
    data = prepared(train_config(options))
    parts = {name: part(output / f"{name}.json", lambda name=name: _changed(data, name)) for name in CHANGES}
    parts["different"] = part(output / "different.json", lambda: _different(data, output))
    print("distance", *range(MOST + 1), sep="\t")
    for name, found in parts.items():
        print(name, *found["within"], sep="\t")
    print(
        f"of {COUNT:,} changed images, and of {parts['different']['pairs']:,} pairs of {len(data.manifest()):,} images"
    )


# What is done to an image


def _jpeg(image: Image.Image) -> Image.Image:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=50)
    return Image.open(content).convert("RGB")


def _resized(image: Image.Image) -> Image.Image:
    smaller = image.resize((round(0.8 * image.width), round(0.8 * image.height)), Image.Resampling.BICUBIC)
    return smaller.resize(image.size, Image.Resampling.BICUBIC)


def _cropped(image: Image.Image) -> Image.Image:
    left, top = round(CUT * image.width), round(CUT * image.height)
    return image.crop((left, top, image.width, image.height))


def _with_logo(image: Image.Image) -> Image.Image:
    """A white square with a dark one inside in the lower right corner."""
    changed, side = image.copy(), LOGO * min(image.size)
    right, bottom = image.width - 2, image.height - 2
    draw = ImageDraw.Draw(changed)
    draw.rectangle((right - side, bottom - side, right, bottom), fill="white")
    draw.rectangle((right - 0.7 * side, bottom - 0.7 * side, right - 0.3 * side, bottom - 0.3 * side), fill="navy")
    return changed


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "jpeg_50": _jpeg,
    "resized_80": _resized,
    "brighter_10": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "darker_10": lambda image: ImageEnhance.Brightness(image).enhance(0.9),
    "cropped_3": _cropped,
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1)),
    "logo": _with_logo,
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}

# The parts


def _hashes(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return hashes(images, np.arange(len(images)))[:2]


def _changed(data: Prepared, name: str) -> dict:
    images = np.asarray(data["train"].images)
    images = images[np.random.default_rng(0).permutation(len(images))[:COUNT]]
    size = data.facts.image_size
    changed = [CHANGES[name](Image.fromarray(image)) for image in images]
    again = np.stack([np.asarray(square(image, size, "stretch", lambda each: each)) for image in changed])
    bits = np.bitwise_count(_hashes(images)[0] ^ _hashes(again)[0])
    return provenance() | {"within": np.cumsum(np.bincount(bits, minlength=65))[: MOST + 1].tolist()}


def _different(data: Prepared, output: Path) -> dict:
    images = np.concatenate([data[split].images for split in ("train", "val", "test")])
    start = time.perf_counter()
    found, plain = _hashes(images)
    hashing = time.perf_counter() - start
    unique, first, counts = np.unique(found[~plain], return_index=True, return_counts=True)
    rows, seconds = np.flatnonzero(~plain)[first], {}
    for distance in (4, 6, 8, MOST):
        start = time.perf_counter()
        pairs = list(close_pairs(unique, distance))
        seconds[distance] = time.perf_counter() - start
    one, two, bits = (np.concatenate(columns) for columns in zip(*pairs, strict=True))
    nearest = np.argsort(bits, kind="stable")[:SHOWN]
    both = np.stack([rows[one[nearest]], rows[two[nearest]]], axis=1).ravel()
    names = [f"{number:02d}: {bits[each]}" for number, each in enumerate(nearest)]
    sheet = figures.sample_sheet(images[both], np.repeat(np.arange(len(names)), 2), names, samples=2)
    sheet.savefig(output / "different.png")
    equal = int((counts * (counts - 1) // 2).sum())
    return provenance() | {
        "pairs": len(images) * (len(images) - 1) // 2,
        "one_colour": int(plain.sum()),
        "within": (equal + np.cumsum(np.bincount(bits, minlength=65))[: MOST + 1]).tolist(),
        "seconds_hashing": hashing,
        "seconds_searching": seconds,
    }


if __name__ == "__main__":
    main()
