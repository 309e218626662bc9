"""The prepared format: a data set as memory-mapped arrays, in a folder named by its digest.

    <workdir>/prepared/<digest>/
        train.npy, val.npy, test.npy    uint8 images, (images, size, size, 3) RGB
        manifest.parquet                one row an image: path, label, split, content, position in its array
        dataset.json                    the facts of DatasetFacts

The folder is written beside and renamed when whole, so one that is there is whole. Opening it reads no image.
"""

import concurrent.futures
import dataclasses
import functools
import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL
import psutil
from tqdm import tqdm

from pipeline.config import PreprocessConfig
from pipeline.data import leaks
from pipeline.data.decoding import DecodeError, decode
from pipeline.data.sources.contract import SPLITS, Source
from pipeline.errors import UserError

FORMAT = 1
DIGEST_CHARACTERS = 16
CHUNK = 64
FEW_IMAGES = 512


@dataclass(frozen=True)
class DatasetFacts:
    """What is known of a prepared data set.

    counts: split -> images of each class, by label. channel_means, channel_deviations: of the training split, on the
    scale 0 to 255, RGB. mirrorable: whether a mirrored image keeps its class. skipped: the files that could not be
    read, with the reason. leaking: the files that stand in more than one split.
    """

    name: str
    digest: str
    image_size: int
    resize: str
    class_names: list[str]
    counts: dict[str, list[int]]
    channel_means: list[float]
    channel_deviations: list[float]
    mirrorable: bool
    skipped: list[dict[str, str]]
    leaking: list[dict[str, str]]


@dataclass(frozen=True)
class Split:
    """images: (n, size, size, 3) uint8, memory-mapped. labels: (n,) int64. paths: (n,)."""

    images: np.ndarray
    labels: np.ndarray
    paths: list[str]


@dataclass(frozen=True)
class Prepared:
    """A prepared data set on disk; a split is opened when it is asked for."""

    folder: Path
    facts: DatasetFacts

    def __getitem__(self, split: str) -> Split:
        rows = self.manifest()
        rows = rows[rows["split"] == split].sort_values("position")
        # A plain array over the same mapped file: taking an image from it is several times cheaper.
        images = np.asarray(np.load(self.folder / f"{split}.npy", mmap_mode="r"))
        return Split(images, rows["label"].to_numpy(np.int64), rows["path"].tolist())

    def manifest(self) -> pd.DataFrame:
        """One row an image: path, label, split, content, position."""
        return pd.read_parquet(self.folder / "manifest.parquet")


@dataclass(frozen=True)
class Plan:
    """A data set that may be prepared already: its source's table, checked for leaks, and its digest."""

    source: Source
    table: pd.DataFrame
    leaking: pd.DataFrame
    digest: str
    folder: Path


def plan(source: Source, config: PreprocessConfig) -> Plan:
    """Work out which prepared data set `source` and `config` lead to, without decoding an image.

    Raises UserError if files leak between splits and `on_leak` is fail, or if a file cannot be read.
    """
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
    digest = _digest(source, table, config)
    return Plan(source, table, leaking, digest, config.workdir / "prepared" / digest)


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


def open_prepared(folder: Path) -> Prepared:
    """The prepared data set in `folder`."""
    facts = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    return Prepared(folder, DatasetFacts(**facts))


def open_or_write(plan: Plan, config: PreprocessConfig) -> Prepared:
    """The prepared data set of `plan`, written if it is not there yet. Raises UserError as `write` does."""
    return open_prepared(plan.folder) if plan.folder.is_dir() else write(plan, config)


def write(plan: Plan, config: PreprocessConfig) -> Prepared:
    """Decode every image on all cores and write the data set.

    Raises UserError if an image cannot be read and `on_error` is fail, or if nothing is left of a split.
    """
    _remove_abandoned(plan.folder.parent)
    beside = plan.folder.with_name(f"{plan.folder.name}.{socket.gethostname()}.{os.getpid()}.part")
    beside.mkdir(parents=True)
    try:
        _write_whole(plan, config, beside)
        try:
            beside.rename(plan.folder)
        except OSError:
            # Another process was quicker; what it wrote has the same digest, so it holds the same.
            if not plan.folder.is_dir():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return open_prepared(plan.folder)


def _write_whole(plan: Plan, config: PreprocessConfig, folder: Path) -> None:
    _check_not_empty(plan.table, plan.source.class_names)
    table = plan.table.sort_values(["split", "path"]).reset_index(drop=True)
    table = table.assign(position=table.groupby("split").cumcount())
    reasons = _decode_all(plan.source, table, config, folder)
    skipped = table.loc[list(reasons), ["path", "split"]].assign(reason=list(reasons.values()))
    if reasons:
        table = _closed_up(table.drop(index=list(reasons)), folder)
    _check_not_empty(table, plan.source.class_names)
    means, deviations = _channel_statistics(np.load(folder / "train.npy", mmap_mode="r"))
    facts = DatasetFacts(
        name=plan.source.name,
        digest=plan.digest,
        image_size=config.image_size,
        resize=config.resize,
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
    reasons: dict[int, str] = {}
    with tqdm(total=len(rows), desc="preprocess", unit="image", disable=None) as bar:
        for chunk, failed in zip(chunks, _map_on_all_cores(work, chunks, len(rows)), strict=True):
            if failed and config.on_error == "fail":
                path, reason = Path(config.data) / table.loc[min(failed), "path"], failed[min(failed)]
                raise UserError(f"{path} is no readable image ({reason}); --on_error skip leaves such files out")
            reasons |= failed
            bar.update(len(chunk))
    return reasons


def _map_on_all_cores(work: Callable, chunks: list, images: int) -> Iterable[dict[int, str]]:
    if images <= FEW_IMAGES:
        yield from map(work, chunks)
        return
    # Spawned, not forked: a fork of a process whose libraries run threads can hang.
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(os.cpu_count(), context, _leave_signals_to_parent)
    try:
        yield from pool.map(work, chunks)
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_signals_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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
