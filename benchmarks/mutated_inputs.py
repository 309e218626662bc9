"""Damaged configs, spaces, models, prepared data and trainings: each is read or refused in a sentence, in bounded time.

    python -m benchmarks.mutated_inputs --count 5000 --output mutated.json

Every file is made from its number alone, so that one that misbehaves can be made again: `mutated(number)`. The SHA-256
of a damaged network is written into its classifier.json: what is tried is what comes after the check of the digest.
"""

import dataclasses
import functools
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from PIL import Image

from benchmarks import damaged
from benchmarks.mutated_lists import DAMAGES, WHOLE
from pipeline import config as options
from pipeline import models, process
from pipeline.ablation.ladder import read_groups
from pipeline.config import PreprocessConfig, SearchConfig, TrainConfig
from pipeline.data.planning import plan
from pipeline.data.prepared import open_prepared
from pipeline.data.source import SPLITS
from pipeline.data.writing import open_or_write
from pipeline.errors import UserError
from pipeline.search.space import first_configurations, space_of
from pipeline.tracking.model import load_model
from pipeline.training import checkpoints, history, run_folder
from pipeline.training.fit import EpochResult
from pipeline.training.network_spec import network_spec, preprocessing_of

SEARCH = SearchConfig(model="two-layer-numpy", depth=1, dropout=0.1, width=8)
SPACE = (
    "learning_rate: {low: 1e-3, high: 0.1, log: yes}\nbatch_size: {low: 8, high: 64, step: 8}\noptimizer: [sgd, adam]\n"
)
FIRST = "- &first {learning_rate: 0.1, depth: 1}\n- {<<: *first, dropout: 0.3}\n"
GROUPS = "steps: [batch_size, learning_rate]\nsizes:\n- image_size\n- depth\n"
MLMODEL = """\
flavors:
  python_function:
    artifacts:
      classifier: {path: classifier.json, uri: somewhere}
      network: {path: NETWORK, uri: somewhere}
    loader_module: mlflow.pyfunc.loaders.code_model
run_id: 4db905672d264ee880154f39d2b939b4
"""


def _write_model(folder: Path, data, name: str, network_name: str, **recipe) -> None:
    config = TrainConfig(model=name, image_size=16, precision="float32", **recipe)
    network = models.build(name, network_spec(config, data))
    folder.mkdir()
    network.save(folder)
    preprocessing = dataclasses.replace(preprocessing_of(config, data.facts), in_file=network.standardizes_in_file)
    facts = {"preprocessing": dataclasses.asdict(preprocessing), "class_names": data.facts.class_names}
    (folder / "classifier.json").write_text(json.dumps(facts | {"network_sha256": ""}, indent=1))
    _sign(folder, network_name)
    (folder / "MLmodel").write_text(MLMODEL.replace("NETWORK", network_name))


def _sign(folder: Path, network_name: str) -> None:
    """Write the digest of a network's file into classifier.json."""
    facts = json.loads((folder / "classifier.json").read_text())
    digest = hashlib.sha256((folder / network_name).read_bytes()).hexdigest()
    (folder / "classifier.json").write_text(json.dumps(facts | {"network_sha256": digest}, indent=1))


def _write_training(workdir: Path) -> None:
    folder = run_folder.begin(workdir, "training", {"epochs": 3}).of_data("digest")
    dataclasses.replace(folder, owner=process.myself() | {"started": 0.0}).save()
    run_folder.let_go(folder.path)
    for epoch in range(1, 4):
        history.append(folder.path / "history.jsonl", EpochResult(epoch, 1, 0.5, 1, 0.5, 0.1, 1, 1, 1, 0, 0))
        state = {"weight": np.ones((3, 3), np.float32), "bias": np.zeros(3)}
        checkpoints.write(folder.path, checkpoints.Checkpoint(epoch, state, state, np.zeros(epoch)))


@functools.cache
def _whole() -> tuple[tempfile.TemporaryDirectory, Path]:
    """A folder of everything, whole, and the folder of the prepared data in it."""
    made = tempfile.TemporaryDirectory()
    root = Path(made.name)
    for number, name in enumerate(("cat", "dog", "émeu")):
        (root / "images" / name).mkdir(parents=True)
        for image in range(20):
            pixels = np.full((8, 8, 3), 80 * number + image, np.uint8)
            Image.fromarray(pixels).save(root / "images" / name / f"{image}.png")
    data = open_or_write(plan(PreprocessConfig(data=str(root / "images"), image_size=16, workdir=root / "workdir")))
    _write_model(root / "numpy", data, "two-layer-numpy", "network.npz", depth=1, width=8)
    _write_model(root / "keras", data, "resnet", "network.keras", depth=1, width=8, dropout=0.1, whiten=False)
    _write_training(root / "workdir")
    texts = {"config.yaml": options.dump_yaml(options.identity(SEARCH)), "space.yaml": SPACE}
    for name, text in (texts | {"first.yaml": FIRST, "groups.yaml": GROUPS}).items():
        (root / name).write_text(text, encoding="utf-8")
    return made, data.folder.relative_to(root)


def _config(root: Path) -> None:
    values = options.options_in(options.read_yaml(root / "config.yaml"), "config.yaml")
    options.checked(SearchConfig, values, " in config.yaml")


def _data(root: Path) -> None:
    data = open_prepared(root / _whole()[1], "images")
    for split in SPLITS:
        assert len(data[split].images) == len(data[split].labels) == len(data[split].paths)
    data.notes()


def _training(root: Path) -> None:
    begun = run_folder.begin(root / "workdir", "again", {"epochs": 3}).of_data("digest")
    for folder in run_folder.find_same(begun)[0]:
        interrupted = folder.interrupted()
        assert interrupted is None or len(interrupted.epochs) == interrupted.checkpoint.epoch


# The file that is damaged -> what reads it. {data}: the folder of the prepared data.
READERS: dict[str, Callable[[Path], object]] = {
    "config.yaml": _config,
    "space.yaml": lambda root: space_of(dataclasses.replace(SEARCH, space=str(root / "space.yaml")), {}),
    "first.yaml": lambda root: first_configurations(
        dataclasses.replace(SEARCH, enqueue=str(root / "first.yaml")), space_of(SEARCH, {})
    ),
    "groups.yaml": lambda root: read_groups(str(root / "groups.yaml")),
    "numpy/MLmodel": lambda root: load_model(None, str(root / "numpy")),
    "numpy/classifier.json": lambda root: load_model(None, str(root / "numpy")),
    "numpy/network.npz": lambda root: load_model(None, str(root / "numpy")),
    "keras/network.keras": lambda root: load_model(None, str(root / "keras")),
    "{data}/dataset.json": _data,
    "{data}/manifest.parquet": _data,
    "{data}/notes.parquet": _data,
    "{data}/train.npy": _data,
    "workdir/runs/training/run.json": _training,
    "workdir/runs/training/history.jsonl": _training,
    "workdir/runs/training/checkpoint-000003.npz": _training,
}


def mutated(number: int) -> tuple[str, str, bytes]:
    """The name, the damage and the content of the file of this number; the first of each name are whole."""
    rng = np.random.default_rng(number)
    made, data = _whole()
    name = list(READERS)[number % len(READERS)].format(data=data)
    content = bytearray((Path(made.name) / name).read_bytes())
    if number < len(READERS):
        return name, WHOLE, bytes(content)
    return name, damaged.damage_at_random(content, DAMAGES, rng), bytes(content)


def tried(number: int) -> tuple[str, str, str]:
    """Which file is damaged, how, and whether it is read or refused."""
    name, damage, content = mutated(number)
    kind = name.replace(str(_whole()[1]), "data")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "all"
        shutil.copytree(_whole()[0].name, root)
        (root / name).write_bytes(content)
        if Path(name).stem == "network":
            _sign((root / name).parent, Path(name).name)
        try:
            list(READERS.values())[number % len(READERS)](root)
        except UserError as error:
            assert str(error).isprintable(), str(error)
            assert len(str(error)) < 2000
            assert damage != WHOLE, str(error)
            return kind, damage, "refused"
    return kind, damage, "read"


if __name__ == "__main__":
    if "--work" in sys.argv:
        tried(list(READERS).index("keras/network.keras"))  # what it takes to import TensorFlow is no file's
    damaged.main("benchmarks.mutated_inputs", __doc__, tried, count=5_000)
