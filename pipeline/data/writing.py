"""How a prepared data set is written: beside its folder, and renamed when it is whole."""

import dataclasses
import functools
import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from tqdm import tqdm

from pipeline.config import PreprocessConfig
from pipeline.data.decoding import DecodeError, decode
from pipeline.data.planning import Plan
from pipeline.data.pool import map_on_all_cores
from pipeline.data.prepared import DatasetFacts, Prepared, open_prepared
from pipeline.data.source import SPLITS, Source
from pipeline.errors import UserError

CHUNK = 64
# So few are decoded before a second process has started.
FEW_IMAGES = 512


def open_or_write(plan: Plan) -> Prepared:
    """The prepared data set of `plan`, written if it is not there yet. Raises UserError as `write` does."""
    return open_prepared(plan.folder, plan.name) if plan.folder.is_dir() else write(plan)


def write(plan: Plan) -> Prepared:
    """Decode every image on all cores and write the data set.

    Raises UserError if an image cannot be read and `on_error` is fail, or if nothing is left of a split.
    """
    _remove_abandoned(plan.folder.parent)
    beside = plan.folder.with_name(f"{plan.folder.name}.{socket.gethostname()}.{os.getpid()}.part")
    beside.mkdir(parents=True)
    try:
        _write_whole(plan, beside)
        try:
            beside.rename(plan.folder)
        except OSError:
            # Another process was quicker; what it wrote has the same digest, so it holds the same.
            if not plan.folder.is_dir():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return open_prepared(plan.folder, plan.name)


def _write_whole(plan: Plan, folder: Path) -> None:
    _check_not_empty(plan.table, plan.source.class_names)
    table = plan.table.sort_values(["split", "path"]).reset_index(drop=True)
    table = table.assign(position=table.groupby("split").cumcount())
    reasons = _decode_all(plan.source, table, plan.config, folder)
    skipped = table.loc[list(reasons), ["path", "split"]].assign(reason=list(reasons.values()))
    if reasons:
        table = _closed_up(table.drop(index=list(reasons)), folder)
    _check_not_empty(table, plan.source.class_names)
    means, deviations = _channel_statistics(np.load(folder / "train.npy", mmap_mode="r"))
    facts = DatasetFacts(
        digest=plan.digest,
        image_size=plan.config.image_size,
        resize=plan.config.resize,
        class_names=plan.source.class_names,
        counts={split: _class_counts(table, split, len(plan.source.class_names)) for split in SPLITS},
        channel_means=means,
        channel_deviations=deviations,
        mirrorable=plan.source.mirrorable,
        skipped=_records(skipped),
        leaking=_records(plan.leaking[["path", "split"]]),
    )
    table.to_parquet(folder / "manifest.parquet", index=False)
    (folder / "dataset.json").write_text(json.dumps(dataclasses.asdict(facts), indent=1), encoding="utf-8")


def _decode_all(source: Source, table: pd.DataFrame, config: PreprocessConfig, folder: Path) -> dict[int, str]:
    """Fill the arrays of all splits; returns row -> reason for the images that could not be read."""
    shape = (config.image_size, config.image_size, 3)
    for split in SPLITS:
        count = int((table["split"] == split).sum())
        np.lib.format.open_memmap(folder / f"{split}.npy", mode="w+", dtype=np.uint8, shape=(count, *shape)).flush()

    rows = list(zip(table.index, table["path"], table["split"], table["position"], strict=True))
    chunks = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    work = functools.partial(_decode_chunk, source.read, config.image_size, config.resize, folder)
    mapped = map if len(rows) <= FEW_IMAGES else map_on_all_cores
    reasons: dict[int, str] = {}
    with tqdm(total=len(rows), desc="preprocess", unit="image", disable=None) as bar:
        for chunk, failed in zip(chunks, mapped(work, chunks), strict=True):
            if failed and config.on_error == "fail":
                where, reason = source.where(table.loc[min(failed), "path"]), failed[min(failed)]
                raise UserError(f"{where} is no readable image ({reason}); --on_error skip leaves such files out")
            reasons |= failed
            bar.update(len(chunk))
    return reasons


def _decode_chunk(read: Callable, image_size: int, resize: str, folder: Path, rows: list) -> dict[int, str]:
    """Decode some rows into the arrays in `folder`; returns row -> reason for those that could not be read."""
    arrays = {split: np.load(folder / f"{split}.npy", mmap_mode="r+") for split in {row[2] for row in rows}}
    failed = {}
    for index, path, split, position in rows:
        try:
            arrays[split][position] = decode(read(path), image_size, resize)
        except (DecodeError, OSError) as error:
            failed[index] = str(error)
    return failed


def _closed_up(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Write the arrays again without the rows that are no longer in `table`; returns it with the new positions."""
    for split, rows in table.groupby("split"):
        images = np.load(folder / f"{split}.npy")[rows["position"]]
        np.save(folder / f"{split}.npy", images)
    return table.assign(position=table.groupby("split").cumcount())


def _check_not_empty(table: pd.DataFrame, class_names: list[str]) -> None:
    for split in SPLITS:
        if not (table["split"] == split).any():
            raise UserError(f"the {split} split holds no readable image; each split needs at least one")
    without = set(range(len(class_names))) - set(table.loc[table["split"] == "train", "label"])
    if without:
        raise UserError(f"class {class_names[min(without)]!r} has no readable training image; each class needs one")


def _class_counts(table: pd.DataFrame, split: str, classes: int) -> list[int]:
    labels = table.loc[table["split"] == split, "label"]
    return np.bincount(labels, minlength=classes).tolist()


def _channel_statistics(images: np.ndarray) -> tuple[list[float], list[float]]:
    """Mean and deviation of each channel over all pixels, exact: sums of integers, a few images at a time."""
    total, squares = np.zeros(3, np.int64), np.zeros(3, np.int64)
    for start in range(0, len(images), CHUNK):
        values = images[start : start + CHUNK].reshape(-1, 3).astype(np.int64)
        total += values.sum(axis=0)
        squares += (values**2).sum(axis=0)
    pixels = images.shape[0] * images.shape[1] * images.shape[2]
    means = total / pixels
    return means.tolist(), np.sqrt(squares / pixels - means**2).tolist()


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")


def _remove_abandoned(folder: Path) -> None:
    """Remove the half-written folders that killed processes of this machine left."""
    for part in folder.glob(f"*.{socket.gethostname()}.*.part"):
        if not psutil.pid_exists(int(part.name.split(".")[-2])):
            shutil.rmtree(part, ignore_errors=True)
