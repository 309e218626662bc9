"""Whether a search survives kill -9, and a database that goes away: studies of short trials, struck at random moments.

    python -m benchmarks.search_faults --kills 20 --restarts 6 --output FOLDER

Each study is a part that leaves a JSON file in the output folder; a part that is there is not repeated. A kill takes
the whole search (`mlflow run` and all it started), or one worker first; the same command then goes on. A restart stops
the PostgreSQL server that holds the study, at once, and starts it again some seconds later; nobody starts the search
again. The images are made here: three classes of noisy colours.
"""

import argparse
import functools
import os
import random
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import psutil
from PIL import Image
from sqlalchemy.exc import OperationalError

from benchmarks.shared import part, provenance
from pipeline.search.storage import open_storage, sqlite_address
from tests.postgresql import running_server

ROOT = Path(__file__).parents[1]
COLOURS = {"blue": (40, 60, 200), "green": (40, 180, 60), "red": (210, 40, 40)}
IMAGES_A_CLASS = 60
TRIALS = 12
STRIKES_A_STUDY = 5
LATEST_KILL_SECONDS = 30.0
# Of the kills; the others come at any moment since the start.
WHILE_TRIALS_TRAIN = 0.8
LONGEST_OUTAGE_SECONDS = 15.0
FIGURES = (
    "strikes",
    "while_trials_trained",
    "finished_trials",
    "failed_trials",
    "lost",
    "doubled",
    "left_running",
    "outside_the_last_parent",
)
OPTIONS = {
    "model": "two-layer-numpy",  # without TensorFlow workers start in seconds, and most kills meet trials
    "trials": TRIALS,
    "epochs": 150,
    "final_epochs": 1,
    "image_size": 16,
    "final_image_size": 16,
    "width": 16,
    "batch_size": 8,
    "workers": 3,
    "study": "faults",
}


def main() -> None:
    """Run the studies that are missing, and print what all came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--restarts", type=int, default=6)
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts and their stores")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    kills = [
        part(output / f"study-{number}.json", functools.partial(_study, number, output / f"study-{number}"))
        for number in range(-(-arguments.kills // STRIKES_A_STUDY))
    ]
    restarts = [
        part(output / f"restarts-{number}.json", functools.partial(_restarts, number, output / f"restarts-{number}"))
        for number in range(-(-arguments.restarts // STRIKES_A_STUDY))
    ]
    for title, results in (("kill -9", kills), ("the database restarted", restarts)):
        print(title)
        for name in FIGURES:
            print(f"  {name}: {sum(result[name] for result in results)}")


def _study(seed: int, folder: Path) -> dict:
    """Kill a search again and again, let it end, and see what is left."""
    rng = random.Random(seed)
    write_images(folder / "colours")
    _set_up_store(folder)
    seen: dict[int, float] = {}
    kills = []
    while _killed(kills) < STRIKES_A_STUDY:
        started = _start(folder)
        if rng.random() < WHILE_TRIALS_TRAIN:
            _wait_for_workers(started)
        delay = rng.uniform(0, LATEST_KILL_SECONDS)
        try:
            started.wait(delay)
        except subprocess.TimeoutExpired:
            kills.append(
                {
                    "after_seconds": round(delay, 1),
                    "what": _kill(started, rng),
                    "running_trials": sum(trial.state.name == "RUNNING" for trial in _trials(_sqlite(folder))),
                }
            )
        else:
            if started.returncode:
                raise RuntimeError(f"a search failed by itself: {folder / 'log.txt'}")
            _reopen(folder, kills)
        seen |= _finished(folder)
    if _start(folder).wait():
        raise RuntimeError(f"the last search failed: {folder / 'log.txt'}")
    return (
        {
            **provenance(),
            "seed": seed,
            "kill_list": kills,
        }
        | _struck(kills)
        | _left(folder, _sqlite(folder), seen)
    )


def _restarts(seed: int, folder: Path) -> dict:
    """Restart the database of a search again and again until the search ends by itself, and see what is left."""
    rng = random.Random(seed)
    write_images(folder / "colours")
    _set_up_store(folder)
    (folder / "extra_trials").write_text(str(TRIALS), encoding="utf-8")  # enough for all restarts
    outages: list[dict] = []
    with running_server() as server:
        open_storage(server.address())  # so that its tables are there for both who read it
        started = _start(folder, {"OPTUNA_STORAGE": server.address()})
        _wait_for_workers(started)
        while len(outages) < STRIKES_A_STUDY and started.poll() is None:
            time.sleep(rng.uniform(5, 20))
            trials = [trial.state.name for trial in _trials(server.address())]
            outage = rng.uniform(1, LONGEST_OUTAGE_SECONDS)
            server.stop()
            time.sleep(outage)
            server.start()
            if started.poll() is None:
                outages.append({"seconds": round(outage, 1), "running_trials": trials.count("RUNNING")})
        if started.wait():
            raise RuntimeError(f"the search failed: {folder / 'log.txt'}")
        left = _left(folder, server.address(), {})
    return {**provenance(), "seed": seed, "outages": outages} | _struck(outages) | left


def _killed(kills: list[dict]) -> int:
    return sum("after_seconds" in kill for kill in kills)


def _struck(strikes: list[dict]) -> dict[str, int]:
    real = [strike for strike in strikes if "running_trials" in strike]
    return {"strikes": len(real), "while_trials_trained": sum(strike["running_trials"] > 0 for strike in real)}


def _set_up_store(folder: Path) -> None:
    """Have MLflow make its tables: killed while it does, it leaves a database that it cannot open again."""
    from mlflow.tracking import MlflowClient

    MlflowClient(f"sqlite:///{folder / 'mlflow.db'}").search_experiments()


def _reopen(folder: Path, kills: list) -> None:
    """Ask for more trials next time: a study that is done cannot be killed in its trials."""
    kills.append({"what": "none: the search was over; two trials more from here on"})
    extra = folder / "extra_trials"
    extra.write_text(str(_extra(folder) + 2), encoding="utf-8")


def _extra(folder: Path) -> int:
    path = folder / "extra_trials"
    return int(path.read_text(encoding="utf-8")) if path.exists() else 0


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "PIPELINE_WORKDIR": str(folder / "workdir"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _start(folder: Path, environment: Mapping[str, str] = MappingProxyType({})) -> subprocess.Popen:
    options = OPTIONS | {"trials": TRIALS + _extra(folder), "data": folder / "colours"}
    command = ["mlflow", "run", str(ROOT), "-e", "search", "--env-manager", "local"]
    for name, value in options.items():
        command += ["-P", f"{name}={value}"]
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        return subprocess.Popen(
            command, cwd=folder, env=_environment(folder) | environment, stdout=log, stderr=log, start_new_session=True
        )


def _kill(started: subprocess.Popen, rng: random.Random) -> str:
    """Kill -9 the whole search, or one worker of it where there is one; wait for the search to end if it goes on."""
    workers = _workers(started)
    if workers and rng.random() < 0.5:
        rng.choice(workers).kill()
        time.sleep(rng.uniform(0, 3))
        what = "a worker, then all"
    else:
        what = "all"
    for each in [psutil.Process(started.pid), *psutil.Process(started.pid).children(recursive=True)]:
        try:
            os.kill(each.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    started.wait()
    return what


def _wait_for_workers(started: subprocess.Popen) -> None:
    while started.poll() is None and not _workers(started):
        time.sleep(0.2)


def _workers(started: subprocess.Popen) -> list[psutil.Process]:
    return [each for each in psutil.Process(started.pid).children(recursive=True) if _is_worker(each)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _finished(folder: Path) -> dict[int, float]:
    """The finished trials of the study, number -> value, as its database has them now."""
    return {
        trial.number: trial.value for trial in _trials(_sqlite(folder)) if trial.state.name in {"COMPLETE", "PRUNED"}
    }


def _sqlite(folder: Path) -> str:
    return sqlite_address(folder / "workdir" / "optuna.db")


def _trials(address: str) -> list:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        return optuna.load_study(study_name="faults", storage=address).trials
    except (KeyError, RuntimeError, OperationalError):  # killed before it was begun
        return []


def _left(folder: Path, address: str, seen: dict[int, float]) -> dict:
    """What is to be found when all is over. lost: trials seen finished that are no more so, or have another value."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    runs = client.search_runs(["0"], max_results=5000)
    trials = _trials(address)
    finished = {trial.number: trial for trial in trials if trial.state.name in {"COMPLETE", "PRUNED"}}
    retried = {number for trial in trials for number in trial.system_attrs.get("retry_history", [])}
    runs_of = {
        number: [
            run
            for run in runs
            if run.data.tags.get("optuna.trial") == str(number) and run.data.tags["stage"] == "trial"
        ]
        for number in finished
    }
    trial_runs = [run for run in runs if run.data.tags.get("stage") == "trial"]
    studies = [run for run in runs if run.data.tags.get("stage") == "search"]
    last = max(studies, key=lambda run: run.info.start_time)
    states_differ = [
        number
        for number, of_number in runs_of.items()
        if [run.data.tags.get("optuna.state") for run in of_number] != [finished[number].state.name.lower()]
    ]
    return {
        "finished_trials": len(finished),
        "wanted_trials": TRIALS + _extra(folder),
        "failed_trials": sum(trial.state.name == "FAIL" for trial in trials),
        "lost": sum(number not in finished or finished[number].value != value for number, value in seen.items()),
        "doubled": len(retried & set(finished)) + len(states_differ) + abs(len(finished) - TRIALS - _extra(folder)),
        "left_running": sum(run.info.status == "RUNNING" for run in runs),
        "outside_the_last_parent": sum(
            run.data.tags.get("mlflow.parentRunId") != last.info.run_id for run in trial_runs
        ),
        "parents": len(studies),
    }


def write_images(root: Path) -> None:
    """Three classes of noisy colours."""
    for label, (name, colour) in enumerate(COLOURS.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(IMAGES_A_CLASS):
            noise = np.random.default_rng(1000 * label + number).normal(0, 30, (24, 24, 3))
            image = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(image).save(root / name / f"{number:03d}.png")


if __name__ == "__main__":
    main()
