"""Which prepared data set a configuration leads to, known without decoding an image."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import PIL

from pipeline.config import PreprocessConfig, data_name
from pipeline.data import leaks
from pipeline.data.source import Source
from pipeline.data.sources import open_source
from pipeline.errors import UserError

FORMAT = 1

DIGEST_CHARACTERS = 16


@dataclass(frozen=True)
class Plan:
    """A data set that may be prepared already: its source's table, checked for leaks, and its digest."""

    config: PreprocessConfig
    source: Source
    table: pd.DataFrame
    leaking: pd.DataFrame
    digest: str

    @property
    def folder(self) -> Path:
        """Where it lies once it is prepared."""
        return self.config.workdir / "prepared" / self.digest

    @property
    def name(self) -> str:
        """What a person calls it."""
        return data_name(self.config)


def plan(config: PreprocessConfig) -> Plan:
    """Work out which prepared data set `config` leads to, without decoding an image.

    Raises UserError if the source is not what it should be, if files leak between splits and `on_leak` is fail, or if
    a file cannot be read.
    """
    source = open_source(config)
    table = source.table.reset_index(drop=True)
    table = table.assign(content=source.content_digests(table["path"].tolist()))
    leaking = leaks.find(table)
    if len(leaking) and config.on_leak == "fail":
        first, second = leaking.iloc[0], leaking.iloc[1]
        raise UserError(
            f"{leaking['content'].nunique()} image(s) stand in more than one split, the first as {first['path']} in "
            f"{first['split']} and {second['path']} in {second['split']}; --on_leak warn or drop goes on"
        )
    if config.on_leak == "drop":
        table = leaks.drop(table, leaking)
    return Plan(config, source, table, leaking, _digest(source, table, config))


def _digest(source: Source, table: pd.DataFrame, config: PreprocessConfig) -> str:
    facts = {
        "format": FORMAT,
        "decoder": PIL.__version__,
        "image_size": config.image_size,
        "resize": config.resize,
        "on_error": config.on_error,
        "on_leak": config.on_leak,
        "class_names": source.class_names,
        "mirrorable": source.mirrorable,
    }
    hasher = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for row in table.sort_values(["split", "path"]).itertuples(index=False):
        hasher.update(f"{row.path}\0{row.label}\0{row.split}\0{row.content}\n".encode())
    return hasher.hexdigest()[:DIGEST_CHARACTERS]
