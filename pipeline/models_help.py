"""What the models' options mean, read from the builders' docstrings without importing Keras."""

import ast

from pipeline.config import MODELS, PACKAGE

APPLICATIONS = """\
  A class of keras.applications, such as MobileNetV2 or EfficientNetV2B0, with a new last layer.
    dropout: rate before it. depth and width are the architecture's own. weights: see there."""


def text() -> str:
    """The docstring of each model's builder, as the end of a help page."""
    return "\b\nModels:\n" + "\n".join([*(_entry(name) for name in MODELS), APPLICATIONS])


def _entry(name: str) -> str:
    function = name.replace("-", "_")
    tree = ast.parse((PACKAGE / "models" / f"{function}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            lines = (ast.get_docstring(node) or "").splitlines()
            return "\n".join([f"  {name}: {lines[0]}", *(f"    {line}" for line in lines[1:] if line)])
    return f"  {name}"
