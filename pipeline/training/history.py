"""history.jsonl: one line an epoch, written before anything else hears of it."""

import dataclasses
import json
from pathlib import Path

from pipeline.training.fit import EpochResult


def append(path: Path, result: EpochResult) -> None:
    """Add an epoch to the history at `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(dataclasses.asdict(result)) + "\n")


def read(path: Path) -> list[EpochResult]:
    """The epochs in the history at `path`."""
    return [EpochResult(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
