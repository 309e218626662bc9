"""The code that is stored with a model: what serving needs, under a name that no other module has.

Whoever loads a model may have a module called `pipeline`, or another version of this project: the stored package is
called after its contents, and imports nothing but itself.
"""

import ast
import contextlib
import functools
import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
NAME = "image_classifier"
DIGEST_CHARACTERS = 12
# What serving imports at its top, and what it loads by a network file's kind.
ROOTS = ("serving", "models.networks.keras_network", "models.networks.numpy_network")
ARCHITECTURES = "models/architectures"
OWN_IMPORT = re.compile(rf"^(\s*(?:from|import) ){PACKAGE.name}(?=[.\s])", re.MULTILINE)
LOADER = '''"""The model, as MLflow loads it."""

import mlflow

from {name}.serving import ImageClassifier

mlflow.models.set_model(ImageClassifier())
'''


def write_stored_code(folder: Path) -> tuple[Path, Path]:
    """Write the code of a model into `folder`; returns the package's folder, and the file that MLflow loads it by."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(_needed())}
    contents = "".join(f"{path.relative_to(PACKAGE)}\0{text}\0" for path, text in texts.items())
    name = f"{NAME}_{hashlib.sha256(contents.encode()).hexdigest()[:DIGEST_CHARACTERS]}"
    for path, text in texts.items():
        stored = folder / name / path.relative_to(PACKAGE)
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_text(OWN_IMPORT.sub(rf"\g<1>{name}", text), encoding="utf-8")
    loader = folder / "load_model.py"
    loader.write_text(LOADER.format(name=name), encoding="utf-8")
    return folder / name, loader


@contextlib.contextmanager
def importable(package: Path) -> Iterator[None]:
    """Have a package be importable in this process inside, and forgotten afterwards: its folder may go."""
    sys.path.insert(0, str(package.parent))
    try:
        yield
    finally:
        sys.path.remove(str(package.parent))
        for name in [name for name in sys.modules if name.split(".")[0] == package.name]:
            del sys.modules[name]


@functools.cache
def _needed() -> set[Path]:
    """The files that the roots import at their top, and so on, and the architectures, of which a network may be one."""
    found: set[Path] = set()
    waiting = [file for root in ROOTS for file in _files(f"{PACKAGE.name}.{root}")]
    waiting += (PACKAGE / ARCHITECTURES).glob("*.py")
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [file for module in _imported(path) for file in _files(module)]
    return found


def _imported(path: Path) -> Iterator[str]:
    """The modules of this project that a file imports when it is imported itself."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE.name:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _files(module: str) -> Iterator[Path]:
    """The file of a module, and those of the packages that it is in; nothing for a name that is no module."""
    parts = module.split(".")[1:]
    for count in range(len(parts) + 1):
        place = PACKAGE.joinpath(*parts[:count])
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                yield path
