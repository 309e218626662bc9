"""What the models' options mean and their recipes, read from the builders' text without importing Keras."""

import ast
import textwrap

from pipeline.config import MODELS, PACKAGE

WIDTH = 112
APPLICATIONS = """\
  A class of keras.applications, such as MobileNetV2 or EfficientNetV2B0, with a new last layer.
    dropout: rate before it. depth and width are the architecture's own. weights: see there."""


def text() -> str:
    """The docstring and the recipe of each model's builder, as the end of a help page."""
    return "\b\nModels (what their recipes name holds before the defaults above):\n" + "\n".join(
        [*(_entry(name) for name in MODELS), APPLICATIONS]
    )


def _entry(name: str) -> str:
    function = name.replace("-", "_")
    tree = ast.parse((PACKAGE / "models" / f"{function}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            lines = (ast.get_docstring(node) or "").splitlines()
            lines = [lines[0], *(f"  {line}" for line in lines[1:] if line), *_recipe(node)]
            return f"  {name}: " + "\n  ".join(lines)
    return f"  {name}"


def _recipe(function: ast.FunctionDef) -> list[str]:
    """Lines that say which options the builder's decorator sets."""
    for decorator in function.decorator_list:
        given = {word.arg: word.value for word in getattr(decorator, "keywords", [])}
        if isinstance(recipe := given.get("recipe"), ast.Call):
            values = ", ".join(f"{word.arg} {ast.unparse(word.value).strip(chr(39))}" for word in recipe.keywords)
            return textwrap.wrap(f"recipe: {values}", WIDTH, initial_indent="  ", subsequent_indent="  ")
    return []
