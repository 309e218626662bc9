"""What several benchmarks need."""

import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline import config as options
from pipeline.config import PreprocessConfig, TrainConfig
from pipeline.data.planning import plan
from pipeline.data.prepared import Prepared
from pipeline.data.writing import open_or_write


def provenance(command: Sequence[str] = ()) -> dict[str, str]:
    """What ran (this process, unless another command is given), and on which machine."""
    return {
        "command": " ".join(command or sys.argv),
        "machine": f"{platform.node()} {platform.machine()}, {os.cpu_count()} cores",
    }


def part(path: Path, make: Callable[[], dict]) -> dict:
    """A part of a campaign: what is in its JSON file. It is made, and written whole, where there is none yet."""
    if not path.exists():
        result = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        unfinished.write_text(json.dumps(result, indent=1), encoding="utf-8")
        unfinished.rename(path)
    return json.loads(path.read_text(encoding="utf-8"))


def trained_part(config: TrainConfig, data: Prepared, epochs: list[dict]) -> dict:
    """What is kept of a training that ran now: what it was, and what each epoch came to."""
    return {
        **provenance(),
        "options": options.identity(config) | {"data": Path(config.data).name},
        "data_digest": data.facts.digest,
        "epochs": epochs,
    }


def train_config(typed: dict[str, Any]) -> TrainConfig:
    """The configuration that `train` would make of what is typed; `for_data` decides what it leaves undecided."""
    from pipeline import models

    config: TrainConfig = options.resolve(
        "train", typed, recipe_of=models.recipe, config_of_run=dict, following_of=models.following
    )
    return config


def prepared(config: TrainConfig) -> Prepared:
    """The data set of a configuration, prepared if it is not yet."""
    return open_or_write(plan(options.part(config, PreprocessConfig)))


def write_classes(source: Path, folder: Path, labels: range, images: int | None = None) -> None:
    """A folder of lists for these classes of `source`, labelled from 0, with the first `images` of each to train on."""
    folder.mkdir(parents=True, exist_ok=True)
    names = (source / "classes.txt").read_text(encoding="utf-8").splitlines()
    (folder / "classes.txt").write_text("".join(f"{names[label]}\n" for label in labels), encoding="utf-8")
    for split in ("train", "val", "test"):
        by_label: dict[int, list[str]] = {label: [] for label in labels}
        for line in (source / f"{split}.txt").read_text(encoding="utf-8").splitlines():
            path, label = line.rsplit(" ", 1)
            by_label.get(int(label), []).append(path)
        most = images if split == "train" else None
        kept = [f"{path} {label - labels[0]}\n" for label, paths in by_label.items() for path in paths[:most]]
        (folder / f"{split}.txt").write_text("".join(kept), encoding="utf-8")
    if not (folder / "images").exists():
        (folder / "images").symlink_to((source / "images").absolute())
