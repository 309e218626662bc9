"""What tests share: small folders of images, and an MLflow store and work folder of their own."""

import os

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from pathlib import Path

import pytest
from hypothesis import settings
from images import write_class_folders

# A machine that does other work besides is no failure.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Three classes of 20 images that a small network tells apart in a few steps."""
    return write_class_folders(tmp_path / "colours")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with an MLflow store and a work folder of its own."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PIPELINE_WORKDIR", str(folder / "workdir"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    return folder
