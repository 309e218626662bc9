"""Damaged lists and tables of images: each is read or refused in a sentence, in bounded time, and nothing is printed.

    python -m benchmarks.mutated_lists --count 3000 --output mutated.json

Every file is made from its number alone, so that one that misbehaves can be made again: `mutated(number)`.
"""

import functools
import io
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks import damaged
from pipeline.config import PreprocessConfig
from pipeline.data.planning import plan
from pipeline.errors import UserError

CLASSES = ("cat", "dog", "émeu")
IMAGES_PER_CLASS = 8
SPLITS = ["train"] * 6 + ["val", "test"]
LONG, DEEP = "9" * 5000, "../" * 500
WORDS = ["nan", "-1", "--5", LONG, DEEP, "/etc/passwd", "\0", "\x1b[2J", "=cmd|", "1e400", ",,,", '"', "\r", "é", "#"]

ROWS = pd.DataFrame(
    [
        {"path": f"{name}/{number}.png", "label": label, "class": name, "split": SPLITS[number]}
        for label, name in enumerate(CLASSES)
        for number in range(IMAGES_PER_CLASS)
    ]
)


def listed(rows: pd.DataFrame, separator: str) -> bytes:
    """Lines of path and label."""
    return "".join(f"{row.path}{separator}{row.label}\n" for row in rows.itertuples()).encode()


def parquet(rows: pd.DataFrame) -> bytes:
    """The rows as a Parquet file."""
    content = io.BytesIO()
    rows.to_parquet(content)
    return content.getvalue()


# The name of the file that is damaged, and what it holds.
FILES: dict[str, Callable[[], bytes]] = {
    "train.txt": lambda: listed(ROWS[ROWS["split"] == "train"], " "),
    "val.txt": lambda: listed(ROWS[ROWS["split"] == "val"], "\t"),
    "classes.txt": lambda: "\n".join(f"n{number}\t{name}, x" for number, name in enumerate(CLASSES)).encode(),
    "images.csv": lambda: ROWS[["path", "class", "split"]].to_csv(index=False).encode(),
    "images.tsv": lambda: ROWS[["path", "label"]].to_csv(index=False, sep="\t").encode("utf-16"),
    "images.parquet": lambda: parquet(ROWS[["path", "label", "split"]]),
}


def flipped(content: bytearray, rng: np.random.Generator) -> None:
    """Some bits."""
    for place in rng.integers(0, len(content), rng.integers(1, 12)):
        content[place] ^= 1 << int(rng.integers(8))


def cut(content: bytearray, rng: np.random.Generator) -> None:
    """The end is missing."""
    del content[int(rng.integers(0, len(content))) :]


def noise(content: bytearray, rng: np.random.Generator) -> None:
    """A run of noise."""
    place = int(rng.integers(len(content)))
    content[place:place] = rng.bytes(int(rng.integers(1, 80)))


def moved(content: bytearray, rng: np.random.Generator) -> None:
    """A piece stands elsewhere, or twice."""
    start, end = sorted(rng.integers(0, len(content), 2))
    place = int(rng.integers(len(content)))
    content[place:place] = content[start:end]


def word(content: bytearray, rng: np.random.Generator) -> None:
    """Something that people and programs write where it does not belong."""
    place = int(rng.integers(len(content)))
    content[place:place] = str(rng.choice(WORDS)).encode()


def bytes_swapped(content: bytearray, rng: np.random.Generator) -> None:
    """Written in another encoding than it says."""
    text = content.decode("utf-8", "replace")
    encoding = str(rng.choice(["utf-16-le", "utf-16-be", "utf-16", "utf-8-sig", "latin-1", "utf-32", "cp1252"]))
    content[:] = text.encode(encoding, "replace")


WHOLE = "whole"
DAMAGES = (flipped, cut, noise, moved, word, bytes_swapped)


def mutated(number: int) -> tuple[str, str, bytes]:
    """The name, the damage and the content of the file of this number; the first of each name are whole."""
    rng = np.random.default_rng(number)
    name = list(FILES)[number % len(FILES)]
    content = bytearray(FILES[name]())
    if number < len(FILES):
        return name, WHOLE, bytes(content)
    return name, damaged.damage_at_random(content, DAMAGES, rng), bytes(content)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory:
    """A folder with the images; whole lists are written beside them where they are wanted."""
    folder = tempfile.TemporaryDirectory()
    for row in ROWS.itertuples():
        path = Path(folder.name) / row.path
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), row.Index, np.uint8)).save(path)
    return folder


def tried(number: int) -> tuple[str, str, str]:
    """Which file is damaged, how, and whether the data is read or refused."""
    name, damage, content = mutated(number)
    root = Path(_folder().name)
    for other in FILES:
        (root / other).unlink(missing_ok=True)
    of_lists = name.endswith(".txt")
    for other in ("train.txt", "val.txt", "classes.txt") if of_lists else ():
        (root / other).write_bytes(FILES[other]())
    (root / name).write_bytes(content)
    config = PreprocessConfig(data=str(root if of_lists else root / name), workdir=root / "workdir")
    try:
        planned = plan(config)
    except UserError as error:
        assert str(error).isprintable(), str(error)
        assert len(str(error)) < 2000
        assert damage != WHOLE, str(error)
        return name, damage, "refused"
    assert set(planned.table["path"]) <= set(ROWS["path"])
    return name, damage, "read"


if __name__ == "__main__":
    damaged.main("benchmarks.mutated_lists", __doc__, tried, count=3_000)
