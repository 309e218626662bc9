"""Sources of images: one file a source, found by what `data` says.

A source module has `accepts(data) -> bool` and `open_source(config) -> Source`.
"""

import importlib
from pathlib import Path

from pipeline.config import PreprocessConfig
from pipeline.data.sources.contract import Source
from pipeline.errors import UserError

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py") if path.stem != "contract")


def open_source(config: PreprocessConfig) -> Source:
    """The source that `config.data` names. Raises UserError if none accepts it."""
    for name in NAMES:
        module = importlib.import_module(f"{__name__}.{name}")
        if module.accepts(config.data):
            return module.open_source(config)
    folder = Path(config.data).expanduser().absolute()
    if folder.exists():
        raise UserError(f"--data {folder} is a file; glyphs or a folder of images is expected")
    raise UserError(f"--data {folder}: no such folder; glyphs or a folder of images is expected")
