"""Which prepared data set a configuration leads to, known without decoding an image."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import pandas as pd
import PIL

from pipeline.config import PreprocessConfig, data_name
from pipeline.data.decoding.limits import MAX_PIXELS
from pipeline.data.duplicates import handle
from pipeline.data.exclusion import without_excluded
from pipeline.data.groups import with_groups
from pipeline.data.prepared import DIGEST_CHARACTERS
from pipeline.data.quality.near import NEAR
from pipeline.data.source import SPLITS, Source
from pipeline.data.sources import open_source
from pipeline.data.splitting import with_missing_splits

# Changes with what stands in the folder, and with what decoding makes of a file.
FORMAT = 2


@dataclass(frozen=True)
class Plan:
    """A data set that may be prepared already: its source's table as far as it is taken, and its digest.

    leaking, conflicting: rows of equal files in more than one split, or with more than one label. leaking_groups: rows
    of groups in more than one split. splits: those that it must have.
    """

    config: PreprocessConfig
    source: Source
    table: pd.DataFrame
    leaking: pd.DataFrame
    conflicting: pd.DataFrame
    leaking_groups: pd.DataFrame
    splits: tuple[str, ...]
    digest: str

    @property
    def folder(self) -> Path:
        """Where it lies once it is prepared."""
        return self.config.workdir / "prepared" / self.digest

    @property
    def name(self) -> str:
        """What a person calls it."""
        return data_name(self.config)


def plan(config: PreprocessConfig, whole: str | None = None) -> Plan:
    """Work out which prepared data set `config` leads to, without decoding an image.

    whole: the split that all images are of, where the data say no splits; without it, splits are cut by the options.
    Raises UserError if the source is not what it should be, if a file cannot be read, if groups are asked for and not
    found, if an image to exclude is not there, or if equal files or a group stand in two splits or classes and
    `on_leak` or `on_conflict` is fail.
    """
    source = open_source(config)
    table = source.table.reset_index(drop=True)
    if whole and set(source.splits) <= {"train"}:
        splits: tuple[str, ...] = (whole,)
        table = table.assign(split=whole)
    else:
        splits = SPLITS
        # Other data than a model was trained on need not have the groups that those have.
        table = with_groups(table, config, required=whole is None)
        table = with_missing_splits(table, source, config)
    table = without_excluded(table, config, required=whole is None)
    handled = handle(table.assign(content=source.content_digests(table["path"].tolist())), config)
    digest = _digest(source, handled.table, config)
    return Plan(
        config, source, handled.table, handled.leaking, handled.conflicting, handled.leaking_groups, splits, digest
    )


def _digest(source: Source, table: pd.DataFrame, config: PreprocessConfig) -> str:
    facts = {
        "format": FORMAT,
        "decoder": [PIL.__version__, cv2.__version__],
        "image_size": config.image_size,
        "resize": config.resize,
        "on_error": config.on_error,
        "on_leak": config.on_leak,
        "class_names": source.class_names,
        "mirrorable": source.mirrorable,
    }
    # It decides which files can be read. Data sets of the usual limit have the digest that they always had.
    if config.max_pixels != MAX_PIXELS:
        facts["max_pixels"] = config.max_pixels
    if config.near_duplicates == "yes":
        facts["near_duplicates"] = NEAR
    hasher = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    in_order = table.sort_values(["split", "path"])
    # Going through the rows of a table takes three times as long.
    # Groups are part of it where they are given.
    names = ["path", "label", "split", "content", *in_order.columns.intersection(["group"])]
    columns = [in_order[name].tolist() for name in names]
    lines = ("\0".join(map(str, cells)) + "\n" for cells in zip(*columns, strict=True))
    hasher.update("".join(lines).encode())
    return hasher.hexdigest()[:DIGEST_CHARACTERS]
