"""`tfds:NAME`, a data set of TensorFlow Datasets that has an image and a label, such as `tfds:cifar10`.

NAME is what the library takes, with a configuration or a version too: `tfds:cifar10:3.0.2`. It needs the extra `tfds`.
The library keeps its data sets where it always does, or in TFDS_DATA_DIR. Its files can only be read from the first
image to the last, so the images are copied into the work folder once, encoded as they are.
"""

import functools
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.config import PreprocessConfig, in_library
from pipeline.data.library import PATIENCE_SECONDS, are_mirrorable, asked_name, column_of, imported, labelled, left_out
from pipeline.data.packs import pack_file, read_packed, write_pack
from pipeline.data.plain_labels import named_labels
from pipeline.data.quiet import quiet_start
from pipeline.data.shared_files import digests_of, stat_of
from pipeline.data.source import Source
from pipeline.data.split_names import splits_of
from pipeline.data.unpacked import unpacked
from pipeline.errors import UserError, first_line, shown

LIBRARY = "tfds"
# The label of an image whose label is kept back, in test splits above all.
UNKNOWN = -1
URLS_TRIED = 3


def accepts(data: str) -> bool:
    """Whether `data` is a name for TensorFlow Datasets."""
    return in_library(data, LIBRARY)


def open_source(config: PreprocessConfig) -> Source:
    """The images of the data set that `config.data` names, downloaded and prepared by the library if need be.

    Raises UserError if the library is not installed, if it has no such data set or cannot download it, or if the data
    set has no image with a label.
    """
    where = f"--data {shown(config.data)}"
    builder = _prepared(asked_name(config.data), where)
    image, label = _columns(builder.info.features, config, where)
    splits = splits_of(list(builder.info.splits), where)
    state = (builder.info.full_name, image, label, sorted(splits), _stats(Path(builder.data_path)))
    folder = unpacked(config.workdir, config.data, state, functools.partial(_pack, builder, splits, image, label))

    rows, ignored = labelled([_rows(folder, name, split) for name, split in splits.items()])
    class_names, labels, warnings = named_labels(rows["label"].astype(int), builder.info.features[label].names, where)
    read = functools.partial(read_packed, folder)
    stats = {name: stat_of(pack_file(folder, name)) for name in splits}
    return Source(
        class_names=class_names,
        table=rows.assign(label=labels)[["path", "label", "split"]],
        read=read,
        where=functools.partial(_where, config.data),
        content_digests=functools.partial(digests_of, read, lambda path: stats[path.split("/")[0]], config),
        mirrorable=are_mirrorable(class_names),
        splits=tuple(rows["split"].unique()),
        ignored=ignored,
        warnings=(*warnings, *left_out(builder.info.splits, splits)),
    )


def _prepared(name: str, where: str) -> Any:
    """The library's builder of the data set `name`, its files ready to be read."""
    tfds = imported("tensorflow_datasets", LIBRARY)
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    # It warns of what it does itself.
    logging.getLogger("absl").setLevel(logging.ERROR)
    with quiet_start():
        # The first operation looks for devices, and reports on them.
        imported("tensorflow", LIBRARY).zeros(1)
    # The library raises whatever its many data sets do.
    try:
        builder = tfds.builder(name)
        if not builder.is_prepared():
            _check_network(builder, where)
            builder.download_and_prepare()
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{where}: TensorFlow Datasets cannot load it: {first_line(error)}") from error
    return builder


def _check_network(builder: Any, where: str) -> None:
    """Raises UserError if none of a data set's addresses answers: the library itself would try for minutes."""
    import requests

    addresses = [url for url in builder.url_infos or {} if url.startswith("http")][:URLS_TRIED]
    for address in addresses:
        try:
            requests.head(address, timeout=PATIENCE_SECONDS)
        except (requests.ConnectionError, requests.Timeout):
            continue
        return
    if addresses:
        raise UserError(
            f"{where}: there is no answer from {addresses[0]}; prepare it with tensorflow-datasets where there is a "
            f"network, and copy its folder to {shown(str(builder.data_path))}"
        )


def _columns(features: Any, config: PreprocessConfig, where: str) -> tuple[str, str]:
    """The names of the features with the image and its label."""
    kinds = imported("tensorflow_datasets", LIBRARY).features
    images = [name for name, kind in features.items() if type(kind) is kinds.Image and kind.np_dtype != np.float32]
    labels = [name for name, kind in features.items() if isinstance(kind, kinds.ClassLabel)]
    return (
        column_of("image", images, getattr(config, "path_column", None), features, where),
        column_of("label", labels, getattr(config, "label_column", None), features, where),
    )


def _stats(folder: Path) -> list[tuple]:
    return [(file.name, *stat_of(file)) for file in sorted(folder.iterdir())]


def _pack(builder: Any, splits: dict[str, str], image: str, label: str, folder: Path) -> None:
    """Write a pack of images and a file of labels for each split into `folder`."""
    for name in splits:
        labels: list[int] = []
        write_pack(folder, name, _images(_examples(builder, name, image, label), image, label, labels))
        np.save(_labels_file(folder, name), np.array(labels, np.int64))


def _images(examples: Any, image: str, label: str, labels: list[int]) -> Iterator[bytes]:
    """The images of the examples; their labels are appended to `labels`."""
    for example in examples:
        labels.append(int(example[label]))
        yield example[image]


def _examples(builder: Any, split: str, image: str, label: str) -> Any:
    """The examples of a split in the order of its files, the image as the bytes of its file."""
    tfds = imported("tensorflow_datasets", LIBRARY)
    decoders = tfds.decode.PartialDecoding({image: True, label: True}, {image: tfds.decode.SkipDecoding()})
    reading = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
    return builder.as_dataset(
        split=split, shuffle_files=False, decoders=decoders, read_config=reading
    ).as_numpy_iterator()


def _rows(folder: Path, name: str, split: str) -> pd.DataFrame:
    file = _labels_file(folder, name)
    try:
        labels = pd.Series(np.load(file, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{shown(str(file))} is damaged; remove its folder, and it is made anew") from error
    paths = [f"{name}/{row}" for row in range(len(labels))]
    return pd.DataFrame({"path": paths, "label": labels.where(labels != UNKNOWN), "split": split})


def _labels_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.labels.npy"


def _where(data: str, path: str) -> str:
    name, row = path.split("/")
    return f"{data} {name}, image {row}"
