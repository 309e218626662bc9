"""Does `diagnose` find what is wrong? Patients with a known illness, and what is said of them.

    python -m benchmarks.diagnosing --data FOLDER --output FOLDER --patients labels-random width-2 --seeds 0 1

Each patient and seed is a part that leaves a JSON file in the output folder; a part that is there is not repeated, and
one that was stopped goes on where it stopped. `--data glyphs` takes the built-in images, written as files. `--classes`
takes the first of the classes alone, `--minutes` another budget than 20, `--set` options of a sound training.

With `--check`, the first remedy that options can apply is trained with a seed that the diagnosis did not see, beside
the training as it is, at the length of the experiments: is what it brings inside its interval?
"""

import argparse
import os
import shlex
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.patients import PATIENTS, Lists, admit, glyphs_as_files
from benchmarks.shared import part, provenance
from pipeline.config import Values

# Of the trainings that hold a remedy against its interval.
UNSEEN_SEED = 100
# The classes of imagenet50.
ALL_CLASSES = 50


def main() -> None:
    """Diagnose what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with lists of images, or glyphs")
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--patients", nargs="+", choices=PATIENTS, default=list(PATIENTS), metavar="PATIENT")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--classes", type=int, default=ALL_CLASSES)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="options of a sound training")
    parser.add_argument("--check", action="store_true", help="train the first remedy too")
    arguments = parser.parse_args()
    output = arguments.output.absolute()
    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{output / 'mlflow.db'}"
    os.environ["PIPELINE_WORKDIR"] = str(output / "workdir")
    output.mkdir(parents=True, exist_ok=True)
    os.chdir(output)
    results = [
        part(output / f"{name}-{_size(arguments)}-seed-{seed}.json", lambda n=name, s=seed: examined(n, s, arguments))
        for name in arguments.patients
        for seed in arguments.seeds
    ]
    print("| patient | seed | must come first | came | gains in points | labels, data | the first remedy, trained |")
    print("|---|---|---|---|---|---|---|")
    for each in results:
        print(row(each))


def examined(name: str, seed: int, arguments: argparse.Namespace) -> dict:
    """What is said of a patient."""
    from pipeline.__main__ import run
    from pipeline.tracking import RunFiles, find, metrics_of

    patient, output = PATIENTS[name], arguments.output.absolute()
    sound: Values = dict(each.split("=", 1) for each in arguments.set)
    if arguments.data == "glyphs":
        source, sound = glyphs_as_files(output / "glyphs"), {"mirror": "no", **sound}
    else:
        source = Path(arguments.data).absolute()
    folder = output / "patients" / f"{name}-{_size(arguments)}"
    lists = admit(patient, source, folder, arguments.classes)
    typed = patient.options(sound) | {"data": str(folder), "seed": seed}
    run("diagnose", typed | {"minutes": arguments.minutes})
    run_id = find({"stage": "diagnose"}, "FINISHED")[-1].id
    causes = _table(RunFiles().read(run_id, "tables/causes.csv"))
    experiments = _table(RunFiles().read(run_id, "tables/experiments.csv"))
    found = causes.drop(columns="evidence").to_dict("records")
    result = {
        **provenance(),
        "patient": name,
        "seed": seed,
        "classes": arguments.classes,
        "minutes": arguments.minutes,
        "sound": sound,
        "expected": list(patient.causes),
        "found": found,
        "evidence": causes["evidence"].tolist(),
        "metrics": metrics_of(run_id),
        "experiments": experiments.drop(columns="run_id").to_dict("records"),
        "labels": _of_labels(_table(RunFiles().read(run_id, "tables/suspicious_labels.csv")), lists),
        "more_images": _table(RunFiles().read(run_id, "tables/more_images.csv")).to_dict("records"),
    }
    epochs = int(experiments.iloc[0]["epochs"])
    return result | ({"checked": checked(typed, causes, epochs)} if arguments.check else {})


def checked(typed: Values, causes: pd.DataFrame, epochs: int) -> dict | None:
    """What the first remedy that options apply brings with an unseen seed; None if there is none, or it is longer."""
    from pipeline.__main__ import run
    from pipeline.tracking import metrics_of, newest_run

    able = causes[(causes["command"] != "") & (causes["cause"] != "length")]
    if able.empty:
        return None
    first = able.iloc[0]
    options = dict(word.split("=", 1) for word in shlex.split(first["command"]) if "=" in word)
    accuracies = []
    for more in ({}, options):
        run("train", typed | more | {"epochs": epochs, "seed": UNSEEN_SEED})
        accuracies.append(metrics_of(newest_run("train"))["best_val_accuracy"])
    gain = 100 * (accuracies[1] - accuracies[0])
    said = {name: float(first[name]) for name in ("gain", "low", "high")}
    return {"cause": first["cause"], "measured": gain, **said, "inside": said["low"] <= gain <= said["high"]}


def _table(contents: bytes | None) -> pd.DataFrame:
    from pipeline.tracking.tables import read_csv

    return read_csv(contents) if contents else pd.DataFrame()


def _of_labels(suspects: pd.DataFrame, lists: Lists) -> dict[str, Any]:
    """How many of the flipped labels are named, and how many of the named are flipped."""
    flipped = {row.path for rows in lists.values() for row in rows if row.label != row.truth}
    images = sum(len(lists[split]) for split in ("train", "val"))
    named = set(suspects["path"]) if len(suspects) else set()
    hits = len(named & flipped)
    return {
        "images": images,
        "flipped": len(flipped),
        "named": len(named),
        "recall": hits / len(flipped) if flipped else None,
        "precision": hits / len(named) if named and flipped else None,
    }


def row(result: dict) -> str:
    """A line of the table."""
    found, said = result["found"], result["labels"]
    gains = ", ".join(f"{each['cause']} {_points(each)}" for each in found[:3])
    share = result["metrics"].get("labels_share")
    of_labels = f"share {share:.0%}, {said['named']} of {said['images']} named" if share is not None else ""
    if said["recall"] is not None:
        precision = f", precision {said['precision']:.0%}" if said["precision"] is not None else ""
        of_labels += f", {said['recall']:.0%} of the flipped{precision}"
    check = result.get("checked")
    brought = f"{check['cause']} {check['measured']:+.1f}" if check else ""
    came = found[0]["cause"] if found else "none"
    expected = " or ".join(result["expected"])
    return f"| {result['patient']} | {result['seed']} | {expected} | {came} | {gains} | {of_labels} | {brought} |"


def _points(found: dict) -> str:
    gain, low, high = (float(found[name]) for name in ("gain", "low", "high"))
    return f"{gain:+.1f} ({low:+.1f} to {high:+.1f})"


def _size(arguments: argparse.Namespace) -> str:
    data = "glyphs" if arguments.data == "glyphs" else f"{arguments.classes}-classes"
    return f"{data}-{arguments.minutes:g}-minutes"


if __name__ == "__main__":
    main()
