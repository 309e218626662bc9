"""`hf:NAME`, a data set of Hugging Face that has images and labels, or `hf:` and a folder of Parquet or Arrow files.

NAME may be followed by a configuration: `hf:NAME:CONFIGURATION`. A folder is what `load_dataset` or `load_from_disk`
of the library takes. It needs the extra `hf`. The library keeps what it loads where it always does, or in HF_HOME.
"""

import contextlib
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config import PreprocessConfig, in_library, is_folder_of_library, name_in_library
from pipeline.data.library import PATIENCE_SECONDS, are_mirrorable, asked_name, column_of, imported, labelled, left_out
from pipeline.data.plain_labels import named_labels, unnamed_labels
from pipeline.data.shared_files import Stat, digests_of, stat_of, stat_of_all
from pipeline.data.source import Source
from pipeline.data.split_names import splits_of
from pipeline.errors import UserError, shown
from pipeline.paths import path_of

LIBRARY = "hf"
# The label of an image whose label is kept back, in test splits above all.
UNKNOWN = -1
# What the library's save_to_disk leaves in a folder of one split or of several.
SAVED = ("state.json", "dataset_dict.json")


def accepts(data: str) -> bool:
    """Whether `data` is a name or a folder for the library of Hugging Face."""
    return in_library(data, LIBRARY)


def open_source(config: PreprocessConfig) -> Source:
    """The images of the data set that `config.data` names, downloaded by the library if need be.

    Raises UserError if the library is not installed or cannot load the data set, or if it is not clear which of its
    columns are the image and the label.
    """
    where = f"--data {shown(config.data)}"
    loaded = _loaded(config.data, where)
    splits = splits_of(list(loaded), where)
    image, label = _columns(next(iter(loaded.values())).features, config, where)
    parts = {name: _encoded(loaded[name], image) for name in splits}
    rows, ignored = labelled([_rows(loaded[name], label, name).assign(split=split) for name, split in splits.items()])
    class_names, labels, warnings = _classes(rows, loaded, label, where)
    read = functools.partial(_read, parts, image)
    return Source(
        class_names=class_names,
        table=rows.assign(label=labels)[["path", "label", "split"]],
        read=read,
        where=functools.partial(_where, config.data),
        content_digests=functools.partial(digests_of, read, _stats(parts, image).__getitem__, config),
        mirrorable=are_mirrorable(class_names),
        splits=tuple(rows["split"].unique()),
        ignored=ignored,
        warnings=(*warnings, *left_out(loaded, splits)),
    )


def _loaded(data: str, where: str) -> dict[str, Any]:
    """The splits of the data set by the names that it gives them."""
    datasets = imported("datasets", LIBRARY)
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    # The library raises whatever its many builders do.
    try:
        found = _of_folder(path_of(name_in_library(data))) if is_folder_of_library(data) else _of_hub(data, where)
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error.__cause__ or error).split()) or type(error).__name__
        raise UserError(f"{where}: datasets cannot load it: {shown(reason)}") from error
    return dict(found) if isinstance(found, dict) else {"train": found}


def _of_folder(folder: Path) -> Any:
    datasets = imported("datasets", LIBRARY)
    if any((folder / name).is_file() for name in SAVED):
        return datasets.load_from_disk(str(folder))
    return datasets.load_dataset(str(folder))


def _of_hub(data: str, where: str) -> Any:
    datasets = imported("datasets", LIBRARY)
    name, _, configuration = asked_name(data).partition(":")
    if _answers(name):
        return datasets.load_dataset(name, configuration or None)
    try:
        with _offline():
            return datasets.load_dataset(name, configuration or None)
    except ConnectionError as error:
        raise UserError(
            f"{where}: the hub cannot be reached, and it was not loaded before; download its Parquet files where there "
            "is a network, and give their folder: hf:FOLDER"
        ) from error


def _answers(name: str) -> bool:
    """Whether the hub can be asked for this data set, whatever it answers."""
    hub = imported("huggingface_hub", LIBRARY)
    try:
        hub.HfApi().dataset_info(name, timeout=PATIENCE_SECONDS)
    except (hub.errors.HfHubHTTPError, hub.errors.HFValidationError):
        return True
    # Which errors mean that there is no network depends on the version of the library.
    except Exception:
        return False
    return True


@contextlib.contextmanager
def _offline() -> Iterator[None]:
    """The library takes what it loaded before, and does not try to connect six times first."""
    settings = imported("datasets", LIBRARY).config
    before = settings.HF_HUB_OFFLINE
    settings.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        settings.HF_HUB_OFFLINE = before


def _columns(features: Any, config: PreprocessConfig, where: str) -> tuple[str, str]:
    """The names of the columns with the image and its label."""
    datasets = imported("datasets", LIBRARY)
    images = [name for name, kind in features.items() if isinstance(kind, datasets.Image)]
    declared = [name for name, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    others = [name for name, kind in features.items() if isinstance(kind, datasets.Value) and _may_be_label(kind)]
    asked = getattr(config, "label_column", None)
    labels = [*declared, *others] if asked else declared or others
    return (
        column_of("image", images, getattr(config, "path_column", None), features, where),
        column_of("label", labels, asked, features, where),
    )


def _may_be_label(kind: Any) -> bool:
    return kind.dtype in ("string", "large_string", "bool") or "int" in kind.dtype


def _encoded(split: Any, image: str) -> Any:
    """The column with the images alone, each as the bytes of its file."""
    return split.select_columns([image]).cast_column(image, imported("datasets", LIBRARY).Image(decode=False))


def _rows(split: Any, label: str, name: str) -> pd.DataFrame:
    """One row per image: path, label (missing where it is not known) and line."""
    labels = _column(split, label).to_pandas()
    if hasattr(split.features[label], "names"):
        labels = labels.where(labels != UNKNOWN)
    places = [f"{name}/{row}" for row in range(len(labels))]
    return pd.DataFrame({"path": places, "label": labels, "line": [f"image {place}" for place in places]})


def _column(split: Any, name: str) -> pa.ChunkedArray:
    return split.select_columns([name]).with_format("arrow")[:].column(name)


def _classes(
    rows: pd.DataFrame, loaded: dict[str, Any], label: str, where: str
) -> tuple[list[str], pd.Series, list[str]]:
    names = getattr(next(iter(loaded.values())).features[label], "names", None)
    if names is not None:
        return named_labels(rows["label"].astype(int), names, where)
    return unnamed_labels(rows.assign(label=rows["label"].map(_text)), where)


def _text(label: Any) -> str:
    # A column of whole numbers in which one is missing is one of floating-point numbers.
    return str(int(label)) if isinstance(label, float) else str(label)


def _stats(parts: dict[str, Any], image: str) -> dict[str, Stat]:
    """The file that each image lies in: the split's own, or the one that its row names in place of the bytes."""
    stats: dict[str, Stat] = {}
    for name, split in parts.items():
        shared = stat_of_all(Path(file["filename"]) for file in split.cache_files)
        for row, file in enumerate(_named_files(_column(split, image))):
            stats[f"{name}/{row}"] = stat_of(Path(file)) if file else shared
    return stats


def _named_files(images: pa.ChunkedArray) -> Iterator[str | None]:
    for chunk in images.chunks:
        without_bytes = pc.is_null(pc.struct_field(chunk, "bytes"))
        yield from pc.if_else(without_bytes, pc.struct_field(chunk, "path"), pa.scalar(None, pa.string())).to_pylist()


def _read(parts: dict[str, Any], image: str, path: str) -> bytes:
    name, row = path.split("/")
    content = parts[name][int(row)][image] or {}
    if content.get("bytes") is None and content.get("path"):
        return Path(content["path"]).read_bytes()
    return content.get("bytes") or b""


def _where(data: str, path: str) -> str:
    name, row = path.split("/")
    return f"{data} {name}, image {row}"
