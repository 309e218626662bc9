"""Whether preprocess, ablate, main and evaluate survive kill -9 at random moments.

    python -m benchmarks.kills --kills 20 --output FOLDER

Each stage is run once without a break. Then it is killed again and again, the stage alone or all that it started, by
the same command each time; every fifth time it may end, and what is found then is compared with the run that nobody
killed. Most kills come while the stage has a run in MLflow, the others at any moment since it was started. Each stage
is a part that leaves a JSON file in the output folder; a part that is there is not repeated. The images are made here.
"""

import argparse
import functools
import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.in_folders import check, empty_folder, start, store_of
from benchmarks.search_faults import write_images
from benchmarks.shared import part, provenance
from pipeline.data.prepared import open_prepared
from pipeline.data.source import SPLITS

KILLS_A_ROUND = 5
# Of the kills; the others come at any moment since the start.
WHILE_IT_HAS_A_RUN = 0.8
LOOK_EVERY_SECONDS = 0.02
# What a killed process started ends by itself within this time.
ORPHAN_SECONDS = 10.0
SMALL = {"model": "two-layer-numpy", "image_size": 16, "width": 16, "batch_size": 16}
STAGES: dict[str, dict[str, Any]] = {
    "preprocess": {"image_size": 16},
    "ablate": SMALL | {"epochs": 8, "seeds": 2, "alone_seeds": 0},
    "main": SMALL | {"trials": 3, "epochs": 8, "final_epochs": 8, "final_image_size": 16, "study": "kills"},
    "evaluate": {},
}
TRAINED = SMALL | {"epochs": 3}
# The ends of the ladder.
START, GOAL = {"learning_rate": 0.01}, {"learning_rate": 0.03, "width": 24}
# The stages of runs that are done once, and the tag or param that tells one from another.
UNITS = {"rung": "config_digest", "trial": "optuna.trial", "train": "config_digest", "evaluate": "split"}
TIMES = ("seconds", "_per_second", "_ms")
FIGURES = ("killed", "with_a_run", "lost", "doubled", "other_scores", "other_data", "left_running", "parts", "orphans")


def main() -> None:
    """Kill the stages that are missing, and print what all came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="of each stage")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts and their stores")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES), metavar="STAGE")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    write_images(output / "colours")
    print(f"| stage | {' | '.join(FIGURES)} |")
    for stage in arguments.stages:
        make = functools.partial(_stage, stage, arguments.kills, output)
        result = part(output / f"{stage}.json", make)
        print(f"| {stage} | {' | '.join(str(result[name]) for name in FIGURES)} |")


def _stage(stage: str, kills: int, output: Path) -> dict:
    """Kill a stage so many times, let it end every few times, and add up what is found."""
    rng, folder = random.Random(stage), output / stage / "unbroken"
    command = _set_up(stage, folder, output / "colours")
    seconds = _timed(command, folder)
    unbroken = _found(stage, folder)
    found = dict.fromkeys(FIGURES, 0)
    kill_list: list[dict] = []
    for number in itertools.count():
        # One of its own each time: MLflow does not make the tables of the same store twice in one process.
        folder = output / stage / str(number)
        command = _set_up(stage, folder, output / "colours")
        seen: dict[str, list[str]] = {}
        for done in range(min(KILLS_A_ROUND, kills - len(kill_list))):
            # A stage that goes on has less left to do.
            left = 1 - done / KILLS_A_ROUND
            if not (kill := _killed(command, folder, rng, (seconds[0], left * seconds[1]))):
                break
            kill_list.append(kill)
            seen |= _found(stage, folder)["units"]
        check(start(command, folder).wait(), folder)
        for name, count in (_compared(_found(stage, folder), seen, unbroken) | _left(folder)).items():
            found[name] += count
        print(f"{stage}: {len(kill_list)} kills, {found}", file=sys.stderr, flush=True)
        if len(kill_list) >= kills:
            break
    found |= {
        "killed": len(kill_list),
        "with_a_run": sum(kill["with_a_run"] for kill in kill_list),
        "orphans": sum(kill["orphans"] for kill in kill_list),
    }
    return {**provenance(), "unbroken_seconds": [round(each, 1) for each in seconds], "kill_list": kill_list} | found


def _set_up(stage: str, folder: Path, images: Path) -> list[str]:
    """An empty folder with what the stage needs; returns its command."""
    empty_folder(folder)
    options = STAGES[stage]
    if stage == "evaluate":
        trained = _command("train", TRAINED | {"data": images})
        check(start(trained, folder).wait(), folder)
        (run_id,) = [run.info.run_id for run in _runs(folder) if run.data.tags["stage"] == "train"]
        return _command(stage, options | {"run_id": run_id})
    if stage == "ablate":
        for name, values in {"start": START, "goal": GOAL}.items():
            lines = [f"{key}: {value}\n" for key, value in (SMALL | values).items()]
            (folder / f"{name}.yaml").write_text("".join(lines), encoding="utf-8")
        ends = {name: folder / f"{name}.yaml" for name in ("start", "goal")}
        own = {name: value for name, value in options.items() if name not in SMALL}
        return _command(stage, own | ends | {"data": images})
    return _command(stage, options | {"data": images})


def _command(stage: str, options: dict[str, Any]) -> list[str]:
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [sys.executable, "-m", "pipeline", stage, *words]


def _timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Run a command to its end; the seconds until it had a run in MLflow, and those from then on."""
    runs_before, began = _count_runs(folder), time.monotonic()
    process = start(command, folder)
    _wait_for_run(process, folder, runs_before)
    has_run = time.monotonic()
    check(process.wait(), folder)
    return has_run - began, time.monotonic() - has_run


def _wait_for_run(process: subprocess.Popen, folder: Path, runs_before: int) -> None:
    while process.poll() is None and _count_runs(folder) == runs_before:
        time.sleep(LOOK_EVERY_SECONDS)


def _killed(command: list[str], folder: Path, rng: random.Random, seconds: tuple[float, float]) -> dict | None:
    """Start a command and kill it, or all that it started as well; None if it ended before.

    seconds: how long it takes, as `_timed` returns it.
    """
    runs_before = _count_runs(folder)
    process = start(command, folder)
    if rng.random() < WHILE_IT_HAS_A_RUN:
        _wait_for_run(process, folder, runs_before)
        delay = rng.uniform(0, seconds[1])
    else:
        delay = rng.uniform(0, sum(seconds))
    try:
        check(process.wait(delay), folder)
    except subprocess.TimeoutExpired:
        what = rng.choice(["the stage", "all"])
        if what == "all":
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()
        has_run = _count_runs(folder) > runs_before
        return {"delay": round(delay, 2), "what": what, "with_a_run": has_run, "orphans": _orphans(process.pid)}
    return None


def _orphans(session: int) -> int:
    """How many processes of a session still live when they have had their time to end; they are ended then."""
    deadline = time.monotonic() + ORPHAN_SECONDS
    while (living := _living(session)) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_SECONDS)
    for each in living:
        each.kill()
    return len(living)


def _living(session: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, ProcessLookupError):
            continue
    return found


def _count_runs(folder: Path) -> int:
    """The runs in the store, read beside MLflow: it would take seconds to ask."""
    # Opened for writing: what a killed process was writing has to be rolled back before it can be read.
    with closing(sqlite3.connect(f"file:{folder / 'mlflow.db'}?mode=rw", uri=True)) as connection:
        return connection.execute("SELECT count(*) FROM runs").fetchone()[0]


def _runs(folder: Path) -> list:
    from mlflow.tracking import MlflowClient

    return MlflowClient(store_of(folder)).search_runs(["0"], max_results=5000)


def _found(stage: str, folder: Path) -> dict[str, Any]:
    """What is finished. units: the ids of the runs of each that is done once. scores: what must be as it was."""
    units: dict[str, list[str]] = {}
    scores: dict[str, dict[str, float]] = {}
    for run in _runs(folder):
        of_stage, known = run.data.tags.get("stage"), run.data.params | run.data.tags
        if run.info.status != "FINISHED" or of_stage not in UNITS:
            continue
        name = f"{of_stage} {known[UNITS[of_stage]]}"
        if stage != "evaluate":  # which evaluates each time that it is asked to
            units.setdefault(name, []).append(run.info.run_id)
        if stage != "main":  # after a trial that was broken off its sampler draws other values
            scores[name] = {key: value for key, value in run.data.metrics.items() if not key.endswith(TIMES)}
    return {"units": units, "scores": scores, "data": _data(folder)}


def _data(folder: Path) -> dict[str, list[np.ndarray]]:
    """The arrays of each prepared data set, by its digest."""
    folders = [path for path in (folder / "workdir" / "prepared").glob("*") if (path / "dataset.json").is_file()]
    return {
        path.name: [np.array(array) for split in SPLITS for array in _arrays(path, split)]
        for path in folders
        if path.suffix != ".part"
    }


def _arrays(folder: Path, split: str) -> tuple[np.ndarray, ...]:
    opened = open_prepared(folder, folder.name)[split]
    return opened.images, opened.labels


def _compared(now: dict[str, Any], seen: dict[str, list[str]], unbroken: dict[str, Any]) -> dict[str, int]:
    """What is wrong now that a stage has ended. seen: the units that were finished at any kill."""
    surplus = len(now["units"]) - len(unbroken["units"])
    data, as_it_was = now["data"], unbroken["data"]
    return {
        "lost": sum(now["units"].get(name) != ids for name, ids in seen.items()) + max(0, -surplus),
        "doubled": sum(len(ids) > 1 for ids in now["units"].values()) + max(0, surplus),
        "other_scores": sum(now["scores"].get(name) != scores for name, scores in unbroken["scores"].items()),
        "other_data": sum(not _same_arrays(data.get(name), as_it_was.get(name)) for name in data | as_it_was),
    }


def _left(folder: Path) -> dict[str, int]:
    return {
        "left_running": sum(run.info.status == "RUNNING" for run in _runs(folder)),
        "parts": len(list((folder / "workdir").rglob("*.part"))),
    }


def _same_arrays(arrays: list[np.ndarray] | None, others: list[np.ndarray] | None) -> bool:
    if arrays is None or others is None:
        return False
    return all(np.array_equal(*pair) for pair in zip(arrays, others, strict=True))


if __name__ == "__main__":
    main()
