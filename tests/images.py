"""Small folders of images to train on."""

from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"blue": (40, 60, 200), "green": (40, 180, 60), "red": (210, 40, 40)}


def write_image(path: Path, colour: tuple[int, int, int], seed: int, size: int = 24) -> None:
    """A noisy image of about one colour."""
    noise = np.random.default_rng(seed).normal(0, 30, (size, size, 3))
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)).save(path)


def write_class_folders(root: Path, images: int = 20, first_seed: int = 0) -> Path:
    """A folder with a folder of `images` PNG files for each of COLOURS."""
    for label, (name, colour) in enumerate(COLOURS.items()):
        for number in range(images):
            write_image(root / name / f"{number:03d}.png", colour, first_seed + 1000 * label + number)
    return root


# A search that takes seconds, with SMALL below it.
SMALL_SEARCH = {"epochs": "2", "trials": "2", "final_epochs": "2", "final_image_size": "16", "pruner": "none"}

# A training that takes seconds.
SMALL = {
    "depth": "1",
    "width": "8",
    "image_size": "16",
    "input_scale": "1",
    "batch_size": "8",
    "learning_rate": "0.02",
    "precision": "float32",
}
