"""Whether a training that is killed and started again ends as an unbroken one, to the bit.

    python -m benchmarks.continuing --data FOLDER --output FOLDER
    python -m benchmarks.continuing --data FOLDER --output FOLDER --precision bfloat16

Trains 320 images of the first ten classes of FOLDER (a folder with lists) with several recipes: once without a break,
then four times with kill -9 at random moments of every epoch, of the odd ones, of the even ones, and of one. What is
compared is all that an epoch came to but its times, and the arrays in the network file of the logged model. Each recipe
is a part that leaves a JSON file in the output folder; a part that is there is not repeated.
"""

import argparse
import functools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.in_folders import LOG, check, empty_folder, start
from benchmarks.same_history import TIMES
from benchmarks.shared import part, provenance, write_classes

CLASSES, IMAGES_A_CLASS = 10, 32
EPOCHS = ["--epochs", "6"]
WEIGHTS = "weights, head_epochs"
RECIPES = {
    "default": EPOCHS,
    "preset=fast": [*EPOCHS, "--preset", "fast"],
    "preset=best": [*EPOCHS, "--preset", "best", "--image_size", "96"],
    "lenet": [*EPOCHS, "--model", "lenet"],
    "lenet5-numpy": [*EPOCHS, "--model", "lenet5-numpy"],
    "two-layer-numpy": [*EPOCHS, "--model", "two-layer-numpy"],
    # Nothing is learned at this rate, so that patience runs out.
    "patience": ["--epochs", "20", "--patience", "5", "--learning_rate", "1e-9"],
    WEIGHTS: [*EPOCHS, "--head_epochs", "2"],
}
LOOK_EVERY_SECONDS = 0.02


class Kill(NamedTuple):
    """A kill -9, so many seconds after the epoch began. went_on_after: what the killed process had begun after."""

    epoch: int
    after_seconds: float
    went_on_after: int = 0


class Trained(NamedTuple):
    """What a training came to: each epoch without its times, how long each took, and the arrays of the network."""

    history: list[dict]
    seconds: list[float]
    arrays: list[np.ndarray]


def main() -> int:
    """Train what is missing, and print what all came to; 1 if a training ended otherwise than the unbroken one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with train.txt, val.txt and test.txt")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts, and what they leave")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES), metavar="RECIPE")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    write_classes(arguments.data, output / "few", range(CLASSES), IMAGES_A_CLASS)
    results = {}
    for name in arguments.recipes:
        if arguments.precision == "float32" or "numpy" not in name:
            folder = output / f"{name} {arguments.precision}".replace(", ", "-").replace(" ", "-")
            make = functools.partial(_recipe, name, arguments.precision, output / "few", folder)
            results[name] = part(folder.with_name(f"{folder.name}.json"), make)
    print("| recipe | kills | went on from a checkpoint | trainings | identical |\n|---|---|---|---|---|")
    for name, result in results.items():
        print(f"| {name} | {' | '.join(map(str, _counts(result['trainings'])))} |")
    return 0 if all(_is_same(training) for result in results.values() for training in result["trainings"]) else 1


def _counts(trainings: list[dict]) -> tuple[int, int, int, int]:
    """Kills, starts that went on from a checkpoint, trainings, and identical ones."""
    kills = [kill for training in trainings for kill in training["kills"]]
    starts = [kill["went_on_after"] for kill in kills] + [training["ended_from"] for training in trainings]
    return len(kills), sum(start > 0 for start in starts), len(trainings), sum(map(_is_same, trainings))


def _is_same(training: dict) -> bool:
    return training["same_history"] and training["same_weights"]


def _recipe(name: str, precision: str, data: Path, folder: Path) -> dict:
    """Train one recipe without a break, then with kills."""
    empty_folder(folder)
    command = [sys.executable, "-m", "pipeline", "train", "--data", str(data), "--precision", precision]
    if name == WEIGHTS:
        _train([*command, "--epochs", "1", "--seed", "1"], folder)
        shutil.copy(_network_file(folder), folder / "first.keras")
        command += ["--weights", str(folder / "first.keras")]
    command += RECIPES[name]
    unbroken, _ = _train(command, folder)
    rng = random.Random(f"{name} {precision}")
    trainings = []
    for epochs in _plans(len(unbroken.history), rng):
        kills = [Kill(epoch, rng.uniform(0, unbroken.seconds[epoch - 1])) for epoch in epochs]
        broken, done = _train(command, folder, kills)
        same = _same(broken, unbroken)
        print(f"{name}, {precision}: killed in epochs {[kill.epoch for kill in done]}: {same}", flush=True)
        kill_list = [kill._asdict() for kill in done]
        trainings.append({"kills": kill_list, "ended_from": _went_on_after(folder), **same})
    trained = " ".join(command)
    return {**provenance(), "trained": trained, "epochs": len(unbroken.history), "trainings": trainings}


def _plans(epochs: int, rng: random.Random) -> list[list[int]]:
    """The epochs to kill in, of each training."""
    every = list(range(1, epochs + 1))
    return [every, every[::2], every[1::2], [rng.choice(every)]]


def _same(broken: Trained, unbroken: Trained) -> dict[str, bool]:
    return {
        "same_history": broken.history == unbroken.history,
        "same_weights": all(np.array_equal(*pair) for pair in zip(broken.arrays, unbroken.arrays, strict=True)),
    }


def _train(command: list[str], folder: Path, kills: Sequence[Kill] = ()) -> tuple[Trained, list[Kill]]:
    """Train to the end; returns what it came to, and the kills that came before that."""
    done: list[Kill] = []
    for kill in kills:
        if not _killed(command, folder, kill):
            break
        done.append(kill._replace(went_on_after=_went_on_after(folder)))
    else:
        check(start(command, folder).wait(), folder)
    lines = next(folder.glob("workdir/runs/*/history.jsonl")).read_text(encoding="utf-8").splitlines()
    epochs = [json.loads(line) for line in lines]
    history = [{name: value for name, value in epoch.items() if name not in TIMES} for epoch in epochs]
    seconds = [epoch["epoch_seconds"] + epoch["compile_seconds"] + epoch["val_seconds"] for epoch in epochs]
    trained = Trained(history, seconds, _arrays(_network_file(folder)))
    shutil.rmtree(folder / "workdir" / "runs")
    return trained, done


def _killed(command: list[str], folder: Path, kill: Kill) -> bool:
    """Start a training, and kill it in the epoch of `kill`; False if it ended before."""
    process = start(command, folder)
    while _epochs_done(folder) < kill.epoch - 1 and process.poll() is None:
        time.sleep(LOOK_EVERY_SECONDS)
    try:
        check(process.wait(kill.after_seconds), folder)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def _epochs_done(folder: Path) -> int:
    """What the training has behind it, as it says itself; -1 before it trains."""
    said = (folder / LOG).read_text(encoding="utf-8")
    if not re.search(r"^training ", said, re.MULTILINE):
        return -1
    return max((int(number) for number in re.findall(r"epoch +(\d+)(?:/| of )", said)), default=0)


def _went_on_after(folder: Path) -> int:
    """The epoch after which the last process went on; 0 if it began anew."""
    said = re.search(r"going on after epoch (\d+)", (folder / LOG).read_text(encoding="utf-8"))
    return int(said[1]) if said else 0


def _network_file(folder: Path) -> Path:
    """The network in the model that was logged last."""
    networks = [path for path in (folder / "mlruns").rglob("network.*") if path.suffix in (".keras", ".npz")]
    return max(networks, key=lambda path: path.stat().st_mtime)


def _arrays(network_file: Path) -> list[np.ndarray]:
    if network_file.suffix == ".npz":
        with np.load(network_file) as stored:
            return list(stored.values())
    from pipeline.models.networks.keras_network import KerasNetwork

    return KerasNetwork.load(network_file).model.get_weights()


if __name__ == "__main__":
    sys.exit(main())
