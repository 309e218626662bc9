"""Whether a search survives kill -9: studies of short trials, killed at random moments and started again.

    python -m benchmarks.search_faults --kills 20 --output FOLDER

Each study is a part that leaves a JSON file in the output folder; a part that is there is not repeated. A kill takes
the whole search (`mlflow run` and all it started), or one worker first. The images are made here: three classes of
noisy colours.
"""

import argparse
import functools
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from benchmarks.shared import part, provenance

ROOT = Path(__file__).parents[1]
COLOURS = {"blue": (40, 60, 200), "green": (40, 180, 60), "red": (210, 40, 40)}
IMAGES_A_CLASS = 60
TRIALS = 8
KILLS_A_STUDY = 5
LATEST_KILL_SECONDS = 40.0
OPTIONS = {
    "trials": TRIALS,
    "epochs": 3,
    "final_epochs": 1,
    "image_size": 16,
    "final_image_size": 16,
    "input_scale": 1,
    "width": 8,
    "batch_size": 8,
    "precision": "float32",
    "workers": 2,
    "study": "faults",
}


def main() -> None:
    """Run the studies that are missing, and print what all came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts and their stores")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    results = []
    for number in range(-(-arguments.kills // KILLS_A_STUDY)):
        study = functools.partial(_study, number, output / f"study-{number}")
        results.append(part(output / f"study-{number}.json", study))
    for name in ("kills", "finished_trials", "lost", "doubled", "left_running", "outside_the_last_parent"):
        print(f"{name}: {sum(result[name] for result in results)}")


def _study(seed: int, folder: Path) -> dict:
    """Kill a search again and again, let it end, and see what is left."""
    rng = random.Random(seed)
    _write_images(folder / "colours")
    _set_up_store(folder)
    seen: dict[int, float] = {}
    kills = []
    while _killed(kills) < KILLS_A_STUDY:
        started = _start(folder)
        delay = rng.uniform(0, LATEST_KILL_SECONDS)
        try:
            started.wait(delay)
        except subprocess.TimeoutExpired:
            kills.append({"after_seconds": round(delay, 1), "what": _kill(started, rng)})
        else:
            if started.returncode:
                raise RuntimeError(f"a search failed by itself: {folder / 'log.txt'}")
            _reopen(folder, kills)
        seen |= _finished(folder)
    if _start(folder).wait():
        raise RuntimeError(f"the last search failed: {folder / 'log.txt'}")
    return {
        **provenance(),
        "seed": seed,
        "kill_list": kills,
        "kills": _killed(kills),
    } | _left(folder, seen)


def _killed(kills: list[dict]) -> int:
    return sum("after_seconds" in kill for kill in kills)


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


def _start(folder: Path) -> subprocess.Popen:
    options = OPTIONS | {"trials": TRIALS + _extra(folder), "data": folder / "colours"}
    command = ["mlflow", "run", str(ROOT), "-e", "search", "--env-manager", "local"]
    for name, value in options.items():
        command += ["-P", f"{name}={value}"]
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        return subprocess.Popen(
            command, cwd=folder, env=_environment(folder), stdout=log, stderr=log, start_new_session=True
        )


def _kill(started: subprocess.Popen, rng: random.Random) -> str:
    """Kill -9 the whole search, or one worker of it where there is one; wait for the search to end if it goes on."""
    family = psutil.Process(started.pid).children(recursive=True)
    workers = [each for each in family if _is_worker(each)]
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


def _is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def _finished(folder: Path) -> dict[int, float]:
    """The finished trials of the study, number -> value, as its database has them now."""
    return {trial.number: trial.value for trial in _trials(folder) if trial.state.name in {"COMPLETE", "PRUNED"}}


def _trials(folder: Path) -> list:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    database = folder / "workdir" / "optuna.db"
    if not database.exists():
        return []
    try:
        return optuna.load_study(study_name="faults", storage=f"sqlite:///{database}").trials
    except (KeyError, RuntimeError):  # killed before it was begun
        return []


def _left(folder: Path, seen: dict[int, float]) -> dict:
    """What is to be found when all is over. lost: trials seen finished that are no more so, or have another value."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    runs = client.search_runs(["0"], max_results=5000)
    trials = _trials(folder)
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


def _write_images(root: Path) -> None:
    for label, (name, colour) in enumerate(COLOURS.items()):
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(IMAGES_A_CLASS):
            noise = np.random.default_rng(1000 * label + number).normal(0, 30, (24, 24, 3))
            image = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(image).save(root / name / f"{number:03d}.png")


if __name__ == "__main__":
    main()
