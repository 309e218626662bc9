"""Whether a change of the code left trainings as they were, to the bit.

    python -m benchmarks.same_history --before COMMIT --data FOLDER --output FILE.json

Trains the same with the code of COMMIT and with this working tree, on the built-in images and on 400 images of FOLDER
(a folder with lists), and compares the loss of every step and all that an epoch came to but its times. Prints a line
per training, and ends with 1 if one differs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.shared import part, provenance

ROOT = Path(__file__).parents[1]
IMAGES = 400
TIMES = ("epoch_seconds", "images_per_second", "val_seconds", "compile_seconds", "time")
SMALL, GLYPHS = "400 images", "glyphs"
TRAININGS = {
    "glyphs, default": (GLYPHS, ["--epochs", "2"]),
    "glyphs, default, float32": (GLYPHS, ["--epochs", "2", "--precision", "float32"]),
    "glyphs, lenet5-numpy": (GLYPHS, ["--epochs", "2", "--model", "lenet5-numpy"]),
    "400 images, default": (SMALL, ["--epochs", "6"]),
    "400 images, default, float32": (SMALL, ["--epochs", "6", "--precision", "float32"]),
    "400 images, fast with CutMix, float32": (
        SMALL,
        ["--preset", "fast", "--epochs", "4", "--cutmix", "0.5", "--precision", "float32"],
    ),
    "400 images, lenet": (SMALL, ["--epochs", "3", "--model", "lenet", "--precision", "float32"]),
    "400 images, two-layer-numpy": (SMALL, ["--epochs", "5", "--model", "two-layer-numpy"]),
}


def main() -> int:
    """Train and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", required=True, metavar="COMMIT")
    parser.add_argument("--data", type=Path, required=True, help="folder with train.txt, val.txt and test.txt")
    parser.add_argument("--output", type=Path, required=True, help="a JSON file")
    arguments = parser.parse_args()
    result = part(arguments.output, lambda: _compared(arguments.before, arguments.data))
    for name, same in result["same"].items():
        print(f"{name}: {'the same to the bit' if same else 'DIFFERENT'}")
    return 0 if all(result["same"].values()) else 1


def _compared(before: str, data: Path) -> dict:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "clone", "--quiet", ROOT, folder / "code"], check=True)
        subprocess.run(["git", "checkout", "--quiet", before], cwd=folder / "code", check=True)
        data_of = {GLYPHS: GLYPHS, SMALL: str(_few(data, folder / "few"))}
        same = {}
        for training, (images, options) in TRAININGS.items():
            command = [sys.executable, "-m", "pipeline", "train", "--data", data_of[images], *options]
            histories = [_history(command, code, folder) for code in (folder / "code", ROOT)]
            same[training] = histories[0] == histories[1]
    return {**provenance(), "before": before, "same": same}


def _few(data: Path, folder: Path) -> Path:
    """A folder of lists with the first images of each of `data`'s, as many of each class."""
    folder.mkdir()
    for split, count in {"train": IMAGES, "val": IMAGES // 4, "test": IMAGES // 4}.items():
        lines = pd.read_csv(data / f"{split}.txt", sep=" ", names=["path", "label"])
        chosen = lines.groupby("label").head(max(1, count // lines["label"].nunique()))
        rows = (f"images/{row.path} {row.label}" for row in chosen.itertuples())
        (folder / f"{split}.txt").write_text("\n".join(rows), encoding="utf-8")
    (folder / "images").symlink_to(data.absolute())
    return folder


def _history(command: list[str], code: Path, folder: Path) -> tuple[list[dict], str]:
    """What each epoch came to, and the losses of all steps as text with all digits."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        state = Path(name)
        environment = os.environ | {
            "PIPELINE_WORKDIR": str(state / "workdir"),
            "MLFLOW_TRACKING_URI": f"sqlite:///{state / 'mlflow.db'}",
            "PYTHONPATH": str(code),
        }
        subprocess.run(command, cwd=state, env=environment, check=True, capture_output=True)
        history = next(state.glob("workdir/runs/*/history.jsonl")).read_text(encoding="utf-8")
        losses = next(state.rglob("step_losses.csv")).read_text(encoding="utf-8")
    epochs = [json.loads(line) for line in history.splitlines()]
    return [{name: value for name, value in epoch.items() if name not in TIMES} for epoch in epochs], losses


if __name__ == "__main__":
    sys.exit(main())
