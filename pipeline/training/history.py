"""history.jsonl: one line an epoch, written before anything else hears of it."""

import dataclasses
import itertools
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
    """The epochs in the history at `path`, up to a line that was cut off, or is none of its own."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    epochs = (_epoch(line, number) for number, line in enumerate(lines, start=1))
    return list(itertools.takewhile(lambda epoch: epoch is not None, epochs))  # type: ignore[arg-type]


def _epoch(line: str, number: int) -> EpochResult | None:
    try:
        epoch = EpochResult(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    values = dataclasses.asdict(epoch) | {"test_accuracy": epoch.test_accuracy or 0.0}
    numbers = all(isinstance(value, int | float) for value in values.values())
    return epoch if numbers and epoch.epoch == number and line.endswith("\n") else None
