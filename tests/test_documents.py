"""What the documents and the Makefile tell a reader to type."""

import itertools
import re
import shlex
import socket
import tomllib
from pathlib import Path

import pytest

from pipeline import config, open_ui, tracking
from pipeline.__main__ import parse

ROOT = Path(__file__).parents[1]
FENCED = re.compile(r"^( *)```\w*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
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


def commands_in(path):
    """The words of each command line in a document, in blocks and in sentences; what may be typed as it stands."""
    text = path.read_text(encoding="utf-8")
    lines = "\n".join(block for _, block in FENCED.findall(text)).replace("\\\n", " ").splitlines()
    for line in [*lines, *INLINE.findall(FENCED.sub("", text))]:
        if re.search(r"^ *(\w+=\S+ )?(mlflow run .*-e |python -m (pipeline |benchmarks\.)|make |pip install )", line):
            words = [*itertools.takewhile(lambda word: word != ">", shlex.split(line, comments=True))]
            yield words[1:] if "=" in words[0] else words


DOCUMENTS = [path for path in (*PATHS, ROOT / "CONTRIBUTING.md") if path.suffix == ".md"]
# What stands for a stage, and the model that CONTRIBUTING.md shows how to add (test_contributing.py adds it).
PLACEHOLDERS = {"STAGE", "…", "model=tiny"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_each_command_names_what_is_there_and_options_that_are_taken(path):
    for words in commands_in(path):
        if not PLACEHOLDERS & set(words):
            {"mlflow": check_run, "python": check_module, "make": check_targets, "pip": check_extras}[words[0]](words)


def check_run(words):
    """What is typed is passed on by MLflow: each -P name=value as --name value."""
    given = [value.split("=", maxsplit=1) for flag, value in itertools.pairwise(words) if flag == "-P"]
    check_stage(words[words.index("-e") + 1], [word for name, value in given for word in (f"--{name}", value)])


def check_module(words):
    if words[2] == "pipeline":
        check_stage(words[3], words[4:])
    else:
        check_benchmark(words[2].removeprefix("benchmarks."), words[3:])


def check_stage(stage, typed):
    parsed = parse([stage, *typed])
    if parsed is not None:
        config.resolve(*parsed, recipe_of=lambda model: {}, config_of_run=lambda run_id: {})


def check_benchmark(name, words):
    text = (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
    for other in re.findall(r"^from benchmarks(?:\.| import )(\w+)", text, re.MULTILINE):
        text += (ROOT / "benchmarks" / f"{other}.py").read_text(encoding="utf-8")
    assert [word for word in words if word.startswith("--") and f'"{word}"' not in text] == [], name


def check_targets(words):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {word for word in words[1:] if "=" not in word} <= set(targets), words


def check_extras(words):
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = re.findall(r"(?:\.|past-the-ceiling)\[([\w,]+)\]", " ".join(words))
    assert {each for group in named for each in group.split(",")} <= set(extras), words
