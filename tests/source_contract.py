"""What every source promises, held against one that is open."""

import hashlib
import importlib
import io
import pickle

from PIL import Image

from pipeline.data.source import SPLITS, Source
from pipeline.data.sources import NAMES

LOOKED_AT = 3


def accepting(data: str) -> list[str]:
    """The sources that accept `data`."""
    return [name for name in NAMES if importlib.import_module(f"pipeline.data.sources.{name}").accepts(data)]


def check_source(source: Source) -> None:
    """Fail unless `source` is what `pipeline/data/source.py` says of a source."""
    table = source.table
    assert list(table.columns) == ["path", "label", "split"]
    assert table["path"].is_unique
    assert set(table["split"]) == set(source.splits) <= set(SPLITS)
    assert set(table["label"]) == set(range(len(source.class_names)))
    assert len(set(source.class_names)) == len(source.class_names) >= 2
    assert isinstance(source.mirrorable, bool)
    paths = table.groupby("split")["path"].head(LOOKED_AT).tolist()
    _check_reading(source, paths)
    _check_digests(source, paths)
    assert list(source.ignored.columns) == ["path", "kind"]
    assert all(isinstance(warning, str) for warning in source.warnings)


def _check_reading(source: Source, paths: list[str]) -> None:
    elsewhere = pickle.loads(pickle.dumps(source.read))
    for path in paths:
        content = source.read(path)
        assert elsewhere(path) == content, "read has to work in another process"
        Image.open(io.BytesIO(content)).load()
        assert path.split("/")[-1] in source.where(path)


def _check_digests(source: Source, paths: list[str]) -> None:
    digests = source.content_digests(paths)
    contents = [source.read(path) for path in paths]
    assert len(digests) == len(paths)
    assert len(set(digests)) == len(set(contents)), "digests are equal where and only where the contents are"
    assert source.content_digests(paths) == digests
    if source.digests_are_of_bytes:
        assert digests == [hashlib.sha256(content).hexdigest() for content in contents]
