"""Trials an hour with Ray workers against as many processes of this machine.

    python -m benchmarks.cluster_rates --output FOLDER
    python -m benchmarks.cluster_rates --output FOLDER --workers 1 2 --epochs 300

Searches of short trials, with the study and the runs in SQLite, and a Ray cluster of this machine alone, which each
search starts for itself. The rate is taken between the first trial that ended and the last, so that the start of
workers is not in it; the whole time stands beside it. Each pair of engine and number of workers is a part that leaves a
JSON file; a part that is there is not repeated.
"""

import argparse
import functools
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import optuna

from benchmarks.search_faults import write_images
from benchmarks.shared import part, provenance
from pipeline.search.storage import sqlite_address

ROOT = Path(__file__).parents[1]
ENGINES = ("processes", "ray")
TRIALS_A_WORKER = 8
OPTIONS = {
    "model": "two-layer-numpy",
    "image_size": 16,
    "final_image_size": 16,
    "width": 16,
    "batch_size": 8,
    "pruner": "none",
    "sampler": "random",
    "retrain": 0,
    "study": "rates",
}


def main() -> None:
    """Run the searches that are missing, and print their rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts and their stores")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--epochs", type=int, default=300, help="of a trial")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    print("| workers | engine | trials an hour | seconds of a trial | seconds in all |\n|---|---|---|---|---|")
    for workers in arguments.workers:
        for engine in ENGINES:
            folder = output / f"{engine}-{workers}"
            make = functools.partial(_searched, engine, workers, arguments.epochs, folder)
            done = part(folder.with_name(f"{folder.name}.json"), make)
            rates = (f"{done['trials_an_hour']:.0f}", f"{done['trial_seconds']:.1f}", f"{done['seconds']:.0f}")
            print(f"| {workers} | {engine} | {' | '.join(rates)} |", flush=True)


def _searched(engine: str, workers: int, epochs: int, folder: Path) -> dict:
    shutil.rmtree(folder, ignore_errors=True)
    write_images(folder / "colours")
    options = OPTIONS | {"data": folder / "colours", "epochs": epochs, "final_epochs": epochs, "workers": workers}
    options |= {"engine": engine, "trials": TRIALS_A_WORKER * workers}
    if engine == "ray":
        # As many as are asked for, however few cores there are: as with processes.
        options["cpus_per_trial"] = min(1.0, len(os.sched_getaffinity(0)) / workers)
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    environment = os.environ | {
        "PIPELINE_WORKDIR": str(folder / "workdir"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "PYTHONPATH": str(ROOT),
    }
    started = time.monotonic()
    with (folder / "log.txt").open("w", encoding="utf-8") as log:
        command = [sys.executable, "-m", "pipeline", "search", *words]
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=True)
    seconds = time.monotonic() - started
    storage = sqlite_address(folder / "workdir" / "optuna.db")
    trials = optuna.load_study(study_name="rates", storage=storage).trials
    ends = sorted(trial.datetime_complete.timestamp() for trial in trials if trial.datetime_complete)
    times = [trial.user_attrs["outcome"]["seconds"] for trial in trials]
    return {
        **provenance(),
        **{"engine": engine, "workers": workers, "epochs": epochs, "seconds": seconds},
        "trials_an_hour": 3600 * (len(ends) - 1) / (ends[-1] - ends[0]),
        "trial_seconds": sum(times) / len(times),
    }


if __name__ == "__main__":
    main()
