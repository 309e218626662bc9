"""CONTRIBUTING.md, followed to the letter in a copy of the project: two networks, a data source and a measure."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from images import write_class_folders

ROOT = Path(__file__).parents[1]

NETWORKS = ("tiny", "narrow")

NARROW = '''"""One dense layer."""

from pipeline.models.networks.keras_network import keras_model
from pipeline.models.networks.quiet_keras import keras


@keras_model(recipe=dict(image_size=32, epochs=4, optimizer="adam", learning_rate=1e-3))
def narrow(input_shape: tuple[int, int, int], classes: int, *, width: int = 16) -> keras.Model:
    """One hidden dense layer.

    width: its units.
    """
    hidden = keras.layers.Dense(width, activation="relu")
    return keras.Sequential(
        [keras.Input(input_shape), keras.layers.Flatten(), hidden, keras.layers.Dense(classes, dtype="float32")]
    )
'''

SOURCE = '''"""A file NAME.rows with one `path;class` line per image."""

import pandas as pd

from pipeline.config import PreprocessConfig
from pipeline.data.files import file_source
from pipeline.data.source import Source
from pipeline.data.trees import walk
from pipeline.paths import path_of


def accepts(data: str) -> bool:
    """Whether `data` is a file that ends in .rows."""
    return data.endswith(".rows")


def open_source(config: PreprocessConfig) -> Source:
    """The images that the file names."""
    path = path_of(config.data)
    table = pd.read_csv(path, sep=";", names=["path", "class"])
    names = sorted(table["class"].unique())
    table = pd.DataFrame({"path": table["path"], "label": table["class"].map(names.index), "split": "train"})
    return file_source(walk(path.parent), names, table, config, splits=("train",))
'''

SOURCE_TEST = """from images import write_class_folders
from source_contract import check_source

from pipeline.config import PreprocessConfig
from pipeline.data.sources import open_source


def test_rows(tmp_path):
    root = write_class_folders(tmp_path / "colours")
    lines = [f"{path.relative_to(root)};{path.parent.name}" for path in root.rglob("*.png")]
    (root / "colours.rows").write_text("\\n".join(lines))
    source = open_source(PreprocessConfig(data=str(root / "colours.rows"), workdir=tmp_path / "workdir"))
    assert source.class_names == ["blue", "green", "red"]
    check_source(source)
"""

MEASURE = '''"""How sure a model is."""

from pipeline.evaluation.contract import Answers, Findings


def measure(answers: Answers) -> Findings:
    """The mean of the highest probability."""
    return Findings(metrics={"mean_confidence": float(answers.probabilities.max(axis=1).mean())})
'''


def example_of_the_page() -> str:
    """The network in CONTRIBUTING.md, as it stands there."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(.*?)```", text.split("## Add an architecture")[1], re.DOTALL).group(1)
    return re.sub(r"^   ", "", block, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with what a contributor adds."""
    root = tmp_path_factory.mktemp("project")
    for name in ("pipeline", "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "CONTRIBUTING.md", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    added = {
        "pipeline/models/architectures/tiny.py": example_of_the_page(),
        "pipeline/models/architectures/narrow.py": NARROW,
        "pipeline/data/sources/rows.py": SOURCE,
        "tests/data/test_rows.py": SOURCE_TEST,
        "pipeline/evaluation/measures/confidence.py": MEASURE,
    }
    for name, text in added.items():
        assert not (root / name).exists()
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def run(project):
    environment = os.environ | {
        "PYTHONPATH": str(project),
        "PIPELINE_WORKDIR": str(project / "workdir"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{project / 'mlflow.db'}",
    }

    def call(*arguments):
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return call


@pytest.mark.slow
def test_new_networks_keep_the_contract(run):
    said = run("pytest", "-v", "-p", "no:cacheprovider", "tests/models/test_networks.py", "-k", " or ".join(NETWORKS))
    for name in NETWORKS:
        assert len(re.findall(rf"{name}\S* PASSED", said)) > 10


def test_a_new_source_keeps_the_contract(run):
    tests = ["tests/data/test_rows.py", "tests/data/test_sources.py"]
    # The README of the copy does not know the new source; that is for whoever adds it.
    run("pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", "not in_the_words_of")


def test_help_and_errors_know_what_is_new(run):
    said = run("pipeline", "train", "--help")
    for name in NETWORKS:
        assert f"{name}:" in said
    assert "A file NAME.rows with one" in " ".join(said.split())


@pytest.mark.slow
def test_all_of_it_together(run, project):
    images = write_class_folders(project / "colours")
    lines = [f"{path.relative_to(images)};{path.parent.name}" for path in images.rglob("*.png")]
    (images / "mine.rows").write_text("\n".join(lines))
    data = str(images / "mine.rows")
    trained = run("pipeline", "train", "--data", data, "--model", "narrow", "--image_size", "16", "--epochs", "1")
    assert "mine.rows" in trained
    run("pipeline", "evaluate")
    code = (
        "import mlflow; runs = mlflow.search_runs(['0'], output_format='list');"
        "print([run.data.metrics['test_mean_confidence'] for run in runs if run.data.tags['stage'] == 'evaluate'])"
    )
    environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{project / 'mlflow.db'}"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert 0 < float(done.stdout.strip().splitlines()[-1].strip("[]")) <= 1
