"""Sources of images: one file per source, found by what `data` says.

A source module has `accepts(data) -> bool` and `open_source(config) -> Source`; the first line of its docstring says
what `data` may be, in help texts and errors too. A file in this folder is a source, and nothing else is.
"""

import importlib
from pathlib import Path

from pipeline import docstrings
from pipeline.config import PreprocessConfig
from pipeline.data.source import Source
from pipeline.errors import UserError, shown
from pipeline.paths import is_there, path_of

NAMES = docstrings.modules(Path(__file__).parent)


def open_source(config: PreprocessConfig) -> Source:
    """The source that `config.data` names. Raises UserError if none accepts it."""
    for name in NAMES:
        module = importlib.import_module(f"{__name__}.{name}")
        if module.accepts(config.data):
            return module.open_source(config)
    path = path_of(config.data)
    found = "is none of these" if is_there(config.data) else "no such file or folder, and no name of a source"
    relative = (
        "" if Path(config.data).is_absolute() else "; `mlflow run` starts in the project's folder: give a whole path"
    )
    raise UserError(f"--data {shown(str(path))}: {found}{relative}. It may be: {'; '.join(forms())}")


def forms() -> list[str]:
    """What `data` may be, in the words of each source."""
    return docstrings.first_lines(Path(__file__).parent)
