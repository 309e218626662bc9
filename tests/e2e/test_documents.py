"""Each command of the documents is run, at a size and a length that take seconds.

Left out: what other tests run (a Ray cluster, data sets and weights that are downloaded, `make`), and benchmarks, which
take hours.
"""

import itertools
import re
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
from images import write_class_folders
from mlflow.tracking import MlflowClient
from own_place import settle_in
from PIL import Image
from test_documents import DOCUMENTS, FENCED, PLACEHOLDERS, ROOT, commands_in

from pipeline import tracking
from pipeline.__main__ import run

ELSEWHERE = re.compile(r"engine=ray|data=(hf|keras|tfds):|preset=transfer")
# What is typed besides, where the command does not say it; and in its place, where it does.
SMALL = {"model": "two-layer-numpy", "image_size": "16", "batch_size": "16"}
SHORT = {"epochs": "1"}
SHORTER = {
    "train": SHORT,
    "search": SHORT | {"trials": "2", "final_epochs": "1", "final_image_size": "32"},
    "ablate": SHORT | {"seeds": "1", "alone_seeds": "0"},
    "diagnose": SHORT | {"minutes": "0.2", "seeds": "1"},
    "main": SHORT | {"trials": "2", "final_epochs": "1", "final_image_size": "16"},
}
pytestmark = pytest.mark.slow


def commands():
    found = [words for path in DOCUMENTS for words in commands_in(path) if words[:2] == ["mlflow", "run"]]
    lines = {" ".join(words[words.index("-e") + 1 :]): words for words in found if not PLACEHOLDERS & set(words)}
    return [words for line, words in sorted(lines.items()) if not ELSEWHERE.search(line)]


@pytest.fixture(scope="module")
def home(tmp_path_factory, empty_store):
    """A home with all that the documents speak of, two runs, and the files that they show in the current folder."""
    home = tmp_path_factory.mktemp("home")
    colours = write_class_folders(home / "colours", images=40)
    _write_photos(home, colours)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        settle_in(home / "here", patch, empty_store)
        (home / "here" / "ranges.yaml").write_text(_block_with("ranges.yaml"))
        shutil.copytree(ROOT / "benchmarks", home / "here" / "benchmarks")
        for learning_rate in ("0.05", "0.1"):
            run("train", SMALL | SHORT | {"data": "~/photos", "learning_rate": learning_rate})
        yield home


def _write_photos(home, colours):
    """The same images in each form in which the documents have them."""
    rows, pixels, labels = [], [], []
    for number, path in enumerate(sorted(colours.rglob("*.png"))):
        name = f"{path.parent.name}/clip{number % 40 // 4}_frame{number % 40}.png"
        for folder in ("photos", "new-photos"):
            (home / folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, home / folder / name)
        rows.append({"path": name, "label": path.parent.name, "patient": f"{path.parent.name}-{number % 40 // 4}"})
        pixels.append(np.asarray(Image.open(path)))
        labels.append(path.parent.name)
    table = pd.DataFrame(rows)
    table.to_csv(home / "photos" / "labels.csv", index=False)
    table[:2].to_csv(home / "wrong-labels.csv", index=False)
    with zipfile.ZipFile(home / "photos.zip", "w") as archive:
        for name in table["path"]:
            archive.write(home / "photos" / name, name)
    for name in ("images", "photos"):
        np.savez(home / f"{name}.npz", images=np.stack(pixels), labels=np.array(labels))
    np.save(home / "photos.npy", np.stack(pixels))
    np.save(home / "photos_labels.npy", np.array(labels))
    for name in ("set", "models", "reports"):
        (home / name).mkdir()
    np.save(home / "set" / "x_train.npy", np.stack(pixels))
    np.save(home / "set" / "y_train.npy", np.array(labels))


def _block_with(name):
    blocks = (block for path in DOCUMENTS for _, block in FENCED.findall(path.read_text(encoding="utf-8")))
    return next(block for block in blocks if block.startswith(f"# {name}"))


@pytest.mark.parametrize("words", commands(), ids=lambda words: " ".join(words[words.index("-e") + 1 :]))
def test_each_command_does_what_it_says(words, home, tmp_path):
    stage = words[words.index("-e") + 1]
    typed = dict(value.split("=", maxsplit=1) for flag, value in itertools.pairwise(words) if flag == "-P")
    newest, before = _trained_runs()
    for name, value in typed.items():
        other = before if name in ("start", "other") else newest
        typed[name] = value.replace("RUN_ID,RUN_ID", f"{newest},{before}").replace("RUN_ID", other)
    if stage in SHORTER:
        # The built-in images would take longer.
        typed = {"data": "~/photos"} | typed | SHORTER[stage]
        if not {"preset", "model", "run_id", "config", "start", "goal", "space"} & set(typed):
            typed = SMALL | typed
        elif "preset" in typed or "model" in typed or "space" in typed:
            is_lenet = typed.get("model") == "lenet" or typed.get("preset") == "reference"
            typed = {"image_size": "104" if is_lenet else "32"} | typed
        if stage == "search":
            # Each command begins one of its own.
            typed = {"study": str(tmp_path.name)} | typed
        if "minutes" in typed:
            typed["minutes"] = "0.2"
            typed.pop("epochs")
    if typed.get("data") == "FOLDER":
        typed["data"] = "~/photos"
    run_id = run(stage, typed)
    assert tracking.stored_run(run_id).status == "FINISHED"


def _trained_runs():
    found = MlflowClient().search_runs(["0"], "tags.stage = 'train' AND attributes.status = 'FINISHED'")
    mine = [each.info.run_id for each in found if each.data.params["data"].endswith("photos")]
    return mine[-1], mine[-2]
