"""Whether a search on a Ray cluster survives the loss of each of its parts, in studies of short trials.

    PYTHONPATH=tests python -m benchmarks.cluster_faults --output FOLDER
    PYTHONPATH=tests python -m benchmarks.cluster_faults --output FOLDER --only node database

Three Ray nodes, an MLflow server and PostgreSQL on this machine, started by deploy/service.sh. Each of five studies of
twelve trials loses one kind of part at three random moments while trials are trained: an actor, a node (another one
joins), the command itself (it is given again), the MLflow server or PostgreSQL (each is started again after some
seconds). Each study is a part that leaves a JSON file in the output folder; a part that is there is not repeated.
"""

import argparse
import functools
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import optuna
import psutil
from deployed import Deployment, deployment
from mlflow.tracking import MlflowClient
from optuna.trial import TrialState

from benchmarks.search_faults import write_images
from benchmarks.shared import part, provenance

ROOT = Path(__file__).parents[1]
KINDS = ("actor", "node", "command", "server", "database")
STRIKES = 3
TRIALS, EPOCHS = 12, 40
LONGEST_PAUSE_SECONDS, LONGEST_OUTAGE_SECONDS = 8.0, 10.0
NODES = 3
FIGURES = ("finished", "wanted", "failed", "doubled", "left_running", "incomplete", "best_differs")
OPTIONS = {
    "model": "two-layer-numpy",  # without TensorFlow a trial takes seconds
    "trials": TRIALS,
    "epochs": EPOCHS,
    "final_epochs": 1,
    "image_size": 16,
    "final_image_size": 16,
    "width": 16,
    "batch_size": 8,
    "pruner": "none",
    "study": "faults",
    "engine": "ray",
    "workers": NODES,
}


def main() -> None:
    """Run the studies that are missing, and print what is left of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts and their stores")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    print(f"| struck | {' | '.join(FIGURES)} | seconds |\n|{'---|' * (len(FIGURES) + 2)}")
    for kind in arguments.only:
        done = part(output / f"{kind}.json", functools.partial(_struck, kind, output / kind))
        print(f"| {kind} | {' | '.join(str(done[name]) for name in FIGURES)} | {done['seconds']:.0f} |", flush=True)


def _struck(kind: str, folder: Path) -> dict:
    """Search, strike again and again, and see what is left when the search has ended by itself."""
    rng = random.Random(kind)
    shutil.rmtree(folder, ignore_errors=True)
    write_images(folder / "colours")
    with deployment() as deployed:
        os.environ |= deployed.environment
        address = deployed.database.address(database="optuna")
        optuna.storages.RDBStorage(address)
        for _ in range(NODES):
            deployed.join()
        deployed.serve("mlflow")
        started, search = time.monotonic(), _search(folder, deployed)
        strikes = []
        while len(strikes) < STRIKES and search.poll() is None:
            if not _wait_for_trial(search, address):
                break
            time.sleep(rng.uniform(0, LONGEST_PAUSE_SECONDS))
            training = [trial.number for trial in _running(address)]
            if search.poll() is None:
                search = _strike(kind, deployed, search, folder, rng)
                strikes.append({"trials_in_training": training})
        code = search.wait()
        if code:
            code = _search(folder, deployed).wait()
        seconds = time.monotonic() - started
        left = {"exit_code": code, "strikes": strikes, "seconds": seconds} | _left(address)
    return {**provenance(), "kind": kind} | left


def _search(folder: Path, deployed: Deployment) -> subprocess.Popen:
    options = OPTIONS | {"data": folder / "colours", "ray_address": deployed.ray_address}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    environment = os.environ | {"PIPELINE_WORKDIR": str(folder / "workdir"), "PYTHONPATH": str(ROOT)}
    with (folder / "log.txt").open("a", encoding="utf-8") as log:
        command = [sys.executable, "-m", "pipeline", "search", *words]
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)


def _strike(
    kind: str, deployed: Deployment, search: subprocess.Popen, folder: Path, rng: random.Random
) -> subprocess.Popen:
    """Take one part away, and have it back; returns the search that goes on."""
    if kind == "actor":
        workers = [each for node in deployed.nodes if node.poll() is None for each in _workers(node)]
        if workers:
            rng.choice(workers).kill()
    elif kind == "node":
        deployed.kill(max(number for number, node in enumerate(deployed.nodes) if node.poll() is None))
        deployed.join()
    elif kind == "command":
        os.killpg(search.pid, signal.SIGKILL)
        search.wait()
        return _search(folder, deployed)
    elif kind == "server":
        deployed.stop_serving("mlflow")
        time.sleep(rng.uniform(1, LONGEST_OUTAGE_SECONDS))
        deployed.serve("mlflow")
    else:
        deployed.database.stop()
        time.sleep(rng.uniform(1, LONGEST_OUTAGE_SECONDS))
        deployed.database.start()
    return search


def _workers(node: subprocess.Popen) -> list[psutil.Process]:
    family = psutil.Process(node.pid).children(recursive=True)
    return [each for each in family if each.is_running() and "ray::Worker.train" in " ".join(each.cmdline())]


def _wait_for_trial(search: subprocess.Popen, address: str) -> bool:
    """Wait until a trial is trained; False if the search ended before."""
    while search.poll() is None:
        if any("run_id" in trial.user_attrs for trial in _running(address)):
            return True
        time.sleep(0.2)
    return False


def _running(address: str) -> list[optuna.trial.FrozenTrial]:
    return [trial for trial in _trials(address) if trial.state == TrialState.RUNNING]


def _trials(address: str) -> list[optuna.trial.FrozenTrial]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        return optuna.load_study(study_name="faults", storage=address).trials
    except KeyError:  # not begun yet
        return []


def _left(address: str) -> dict:
    """What is found when all is over. incomplete: runs of finished trials without all epochs or the best score."""
    client = MlflowClient()
    runs = client.search_runs(["0"], max_results=5000)
    trials = _trials(address)
    finished = {trial.number: trial for trial in trials if trial.state == TrialState.COMPLETE}
    of_trials = [run for run in runs if run.data.tags.get("stage") == "trial"]
    counted = Counter(int(run.data.tags["optuna.trial"]) for run in of_trials)
    retried = {number for trial in trials for number in trial.system_attrs.get("retry_history", [])}
    incomplete = [
        run.info.run_id
        for run in of_trials
        if int(run.data.tags["optuna.trial"]) in finished
        and (
            len(client.get_metric_history(run.info.run_id, "val_accuracy")) != EPOCHS
            or "best_val_accuracy" not in run.data.metrics
        )
    ]
    last = max((run for run in runs if run.data.tags["stage"] == "search"), key=lambda run: run.info.start_time)
    best = max(trial.value for trial in finished.values())
    return {
        "finished": len(finished),
        "wanted": TRIALS,
        "failed": sum(trial.state == TrialState.FAIL for trial in trials),
        "doubled": len(retried & set(finished)) + sum(counted[number] != 1 for number in finished),
        "left_running": sum(run.info.status == "RUNNING" for run in runs)
        + sum(trial.state == TrialState.RUNNING for trial in trials),
        "incomplete": len(incomplete),
        "best_differs": int(last.data.metrics.get("best_val_accuracy") != best),
    }


if __name__ == "__main__":
    main()
