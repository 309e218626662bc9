"""The names of the models: those written here, and the classes of keras.applications."""

import ast
import functools
import importlib.util
from pathlib import Path

import click

from pipeline.config.places import PACKAGE

# Those that are written here; a class of keras.applications is a model too.
MODELS = sorted(path.stem.replace("_", "-") for path in (PACKAGE / "models" / "architectures").glob("[!_]*.py"))
SOURCES = "keras.src.applications."


@functools.cache
def applications() -> list[str]:
    """The classes of keras.applications, such as MobileNetV2, sorted: read from Keras's own list, without Keras."""
    keras = importlib.util.find_spec("keras")
    if keras is None or keras.origin is None:
        return []
    listed = Path(keras.origin).with_name("applications") / "__init__.py"
    imports = [node for node in ast.parse(listed.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    return sorted(alias.name for node in imports if (node.module or "").startswith(SOURCES) for alias in node.names)


class ModelType(click.Choice):
    """A model written here, or a class of keras.applications; the latter are too many to be listed in a help text."""

    shown = (*MODELS, "a class of keras.applications")

    def __init__(self) -> None:
        super().__init__([*MODELS, *applications()])
