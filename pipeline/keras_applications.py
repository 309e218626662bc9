"""The names of keras.applications, read from Keras's own list without importing Keras."""

import ast
import functools
import importlib.util
from pathlib import Path

SOURCES = "keras.src.applications."


@functools.cache
def names() -> list[str]:
    """The classes of keras.applications, such as MobileNetV2, sorted."""
    keras = importlib.util.find_spec("keras")
    if keras is None or keras.origin is None:
        return []
    listed = Path(keras.origin).with_name("applications") / "__init__.py"
    imports = [node for node in ast.parse(listed.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    return sorted(alias.name for node in imports if (node.module or "").startswith(SOURCES) for alias in node.names)
