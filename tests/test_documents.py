"""What the documents and the Makefile start listens on this machine alone, unless it asks for passwords."""

import re
import socket
from pathlib import Path

import pytest

from pipeline import open_ui, tracking

ROOT = Path(__file__).parents[1]
STARTING = re.compile(r"mlflow (?:ui|server|models serve)|optuna-dashboard")


PATHS = [ROOT / "README.md", ROOT / "Makefile", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_no_server_is_opened_to_others_before_it_asks_for_passwords(path):
    text = path.read_text(encoding="utf-8")
    for opened in re.finditer(r"0\.0\.0\.0|--host (?!127\.0\.0\.1)", text):
        assert "--app-name basic-auth" in text[: opened.start()]
        assert STARTING.search(text)


def test_make_ui_listens_on_loopback_whatever_the_environment_says(here, monkeypatch):
    monkeypatch.setenv("MLFLOW_HOST", "0.0.0.0")
    monkeypatch.setenv("PATH", str(here))
    (here / "mlflow").write_text('#!/bin/sh\necho "$@" > started\n')
    (here / "mlflow").chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    monkeypatch.setattr(tracking, "UI_PORT", free)
    assert open_ui.main() == 0
    assert (here / "started").read_text().split() == ["ui", "--host", "127.0.0.1", "--port", str(free)]
