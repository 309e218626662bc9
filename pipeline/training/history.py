"""history.jsonl: one line an epoch, written before anything else hears of it."""

import dataclasses
import json
from pathlib import Path

from pipeline.training.fit import EpochResult


def append(path: Path, result: EpochResult) -> None:
    """Add an epoch to the history at `path`."""
    with path.open("a", encoding="utf-8") as file:
        file.write(_line(result))


def cut(path: Path, epochs: int) -> None:
    """Keep the first `epochs` epochs of the history at `path`: what came after them is trained again."""
    kept = read(path)[:epochs] if path.exists() else []
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text("".join(_line(result) for result in kept), encoding="utf-8")
    beside.replace(path)


def _line(result: EpochResult) -> str:
    return json.dumps(dataclasses.asdict(result)) + "\n"


def read(path: Path) -> list[EpochResult]:
    """The epochs in the history at `path`; a last line that was cut off does not count."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [EpochResult(**json.loads(line)) for line in lines if line.endswith("\n")]
