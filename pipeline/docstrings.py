"""What modules say of themselves, read from their text: to import them would take seconds."""

import ast
from pathlib import Path


def modules(folder: Path) -> list[str]:
    """The names of the modules in a folder, sorted."""
    return sorted(path.stem for path in folder.glob("[!_]*.py"))


def first_lines(folder: Path) -> list[str]:
    """The first line of each of these modules' docstrings, without its full stop."""
    return [line for _, line in named_first_lines(folder)]


def named_first_lines(folder: Path) -> list[tuple[str, str]]:
    """The name of each of these modules, with that line."""
    return [(name, _docstring(folder / f"{name}.py").splitlines()[0].rstrip(".")) for name in modules(folder)]


def _docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem
