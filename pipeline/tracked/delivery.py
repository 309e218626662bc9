"""What a trial came to, kept in the folder of its run until MLflow has it."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from pipeline import tracking
from pipeline.errors import UserError, first_line
from pipeline.tracked.fitting import SavedNetwork, log_history, log_network
from pipeline.training.run_folder import path_of

UNDELIVERED = "undelivered.json"


@dataclass(frozen=True)
class Delivery:
    """What there is to log of a trained network beside its history. study: the one that it is a trial of."""

    study: str
    metrics: dict[str, float]
    network: SavedNetwork | None = None


def keep(delivery: Delivery, workdir: Path, run: tracking.Run) -> None:
    """Write down what there is to log, whole or not at all."""
    _write(delivery, path_of(workdir, run.id) / UNDELIVERED)


def deliver(workdir: Path, run: tracking.Run) -> None:
    """Log what was kept, end the run, and forget it. Raises ServerGoneError if nobody takes it; then it stays."""
    folder = path_of(workdir, run.id)
    kept = _read(folder / UNDELIVERED)
    log_history(run, folder / "history.jsonl")
    if kept.metrics:
        run.log_metrics(kept.metrics)
    if kept.network:
        log_network(run, kept.network)
    tracking.finish(run)
    (folder / UNDELIVERED).unlink()
    if kept.network:
        Path(kept.network.file).unlink()


def deliver_all(workdir: Path, study: str) -> None:
    """Log what MLflow has not got of a study's trials, and end their runs. Raises ServerGoneError as `deliver` does."""
    for path in sorted(workdir.glob(f"runs/*/{UNDELIVERED}")):
        if _read(path).study != study:
            continue
        try:
            run = tracking.handle_of(path.parent.name)
        except UserError as error:
            print(f"{path.parent} cannot be logged: {first_line(error)}")
            continue
        deliver(workdir, run)
        print(f"logged what MLflow had not got of run {run.id}")


def pack(workdir: Path, run_id: str) -> dict[str, bytes] | None:
    """Take what MLflow has not got of a run out of a work folder: name -> content of its files; None if it has all."""
    folder = path_of(workdir, run_id)
    if not (folder / UNDELIVERED).exists():
        return None
    kept = _read(folder / UNDELIVERED)
    names = ["history.jsonl", UNDELIVERED, *([Path(kept.network.file).name] if kept.network else [])]
    files = {name: (folder / name).read_bytes() for name in names}
    (folder / UNDELIVERED).unlink()
    return files


def unpack(files: dict[str, bytes], workdir: Path, run_id: str) -> None:
    """Put what `pack` took elsewhere into this work folder, where `deliver_all` finds it."""
    folder = path_of(workdir, run_id)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    kept = _read(folder / UNDELIVERED)
    if kept.network:
        here = dataclasses.replace(kept.network, file=str(folder / Path(kept.network.file).name))
        _write(dataclasses.replace(kept, network=here), folder / UNDELIVERED)


def _write(delivery: Delivery, path: Path) -> None:
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(dataclasses.asdict(delivery)), encoding="utf-8")
    beside.replace(path)


def _read(path: Path) -> Delivery:
    values = json.loads(path.read_text(encoding="utf-8"))
    network = SavedNetwork(**values["network"]) if values["network"] else None
    return Delivery(**values | {"network": network})
