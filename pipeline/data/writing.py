"""How a prepared data set is written: beside its folder, and renamed when it is whole."""

import contextlib
import dataclasses
import errno
import functools
import itertools
import json
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline import half_written, locks
from pipeline.data.channels import level_counts, statistics
from pipeline.data.duplicates import Handled, handle
from pipeline.data.filling import Filling, Row, fill
from pipeline.data.planning import Plan
from pipeline.data.pool import map_on_all_cores
from pipeline.data.prepared import QUALITY_COLUMNS, DatasetFacts, Prepared, open_prepared
from pipeline.data.quality.looking import look
from pipeline.data.quality.near import handle_near, with_nearest
from pipeline.data.source import SPLITS, Source
from pipeline.data.splitting import with_missing_splits
from pipeline.errors import UserError, shown
from pipeline.terminal import progress_bar

# What decoding one file may take. The largest picture that is decoded takes a fraction of it on any machine.
SECONDS = 120.0


# Decodes so many images into their arrays; gives each row with what was found of it, in any order.
FillAll = Callable[[Filling, Iterator[Row], int], Generator[tuple[Row, Any], None, None]]


def fill_here(filling: Filling, rows: Iterator[Row], count: int) -> Generator[tuple[Row, Any], None, None]:
    """A FillAll: by processes on all cores of this machine."""
    return map_on_all_cores(functools.partial(fill, filling), rows, count, SECONDS)


def open_or_write(plan: Plan, fill_all: FillAll = fill_here) -> Prepared:
    """The prepared data set of `plan`, written if it is not there yet. Raises UserError as `write` does."""
    if not plan.folder.is_dir():
        plan.folder.parent.mkdir(parents=True, exist_ok=True)
        # Of several processes that want the same data, one prepares it.
        with locks.alone(plan.folder.with_suffix(".lock")):
            if not plan.folder.is_dir():
                return write(plan, fill_all)
    return open_prepared(plan.folder, plan.name)


def write(plan: Plan, fill_all: FillAll = fill_here) -> Prepared:
    """Decode every image and write the data set.

    Raises UserError if an image cannot be read and `on_error` is fail, or if nothing is left of a split.
    """
    half_written.remove_abandoned(plan.folder.parent)
    beside = half_written.beside(plan.folder)
    beside.mkdir(parents=True)
    try:
        _write_whole(plan, beside, fill_all)
        try:
            beside.rename(plan.folder)
        except OSError:
            # Another process was quicker; what it wrote has the same digest, so it holds the same.
            if not plan.folder.is_dir():
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return open_prepared(plan.folder, plan.name)


def _write_whole(plan: Plan, folder: Path, fill_all: FillAll) -> None:
    _check_not_empty(plan, plan.table)
    table = plan.table.sort_values(["split", "path"]).reset_index(drop=True)
    table = table.assign(array=table["split"], position=table.groupby("split").cumcount())
    reasons, sizes, notes = _decode_all(plan, table, folder, fill_all)
    skipped = table.loc[list(reasons), ["path", "split"]].assign(reason=list(reasons.values()))
    found = Handled(table, plan.conflicting, plan.leaking, plan.leaking_groups)
    if reasons:
        found = _of_readable(plan, table.drop(index=list(reasons)))
        _check_not_empty(plan, found.table)
    looked = with_nearest(look(found.table, sizes, plan.config.resize, folder))
    kept = handle_near(looked, plan.config).index
    table = found.table.loc[kept]
    _check_not_empty(plan, table)
    if reasons or len(kept) < len(looked):
        table = _rearranged(table, folder)
    table = table.drop(columns="array")
    lists = {"leaking": found.leaking, "conflicting": found.conflicting, "leaking_groups": found.leaking_groups}
    _write_facts(plan, table, folder, skipped=skipped, **lists)
    table.to_parquet(folder / "manifest.parquet", index=False)
    looked = looked.assign(dropped=~looked.index.isin(kept))
    looked[QUALITY_COLUMNS].to_parquet(folder / "quality.parquet", index=False)
    notes[notes["path"].isin(table["path"])].to_parquet(folder / "notes.parquet", index=False)


def _of_readable(plan: Plan, table: pd.DataFrame) -> Handled:
    """The table of the readable images alone, their splits cut as if the others had never been there.

    Its columns array and position say where the image of each row has been written.
    """
    if plan.splits == SPLITS:
        table = with_missing_splits(table, plan.source, plan.config)
    return handle(table, plan.config)


def _rearranged(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Write the arrays again with the images in `table` alone, by its splits; returns it with the new positions."""
    table = table.sort_values(["split", "path"]).reset_index(drop=True)
    written = {split: np.load(folder / f"{split}.npy", mmap_mode="r") for split in SPLITS}
    for split in SPLITS:
        rows = table[table["split"] == split]
        shape = (len(rows), *written[split].shape[1:])
        array = _new_array(folder / f"{split}.new", shape)
        for number, (origin, position) in enumerate(zip(rows["array"], rows["position"], strict=True)):
            array[number] = written[origin][position]
        array.flush()
    for split in SPLITS:
        (folder / f"{split}.new").replace(folder / f"{split}.npy")
    return table.assign(position=table.groupby("split").cumcount())


def _write_facts(plan: Plan, table: pd.DataFrame, folder: Path, **files: pd.DataFrame) -> None:
    """Write dataset.json. files: rows of the table for each list of files among the facts."""
    # A data set to score alone has no training images; nothing is standardised by it.
    of_statistics = "train" if "train" in plan.splits else plan.splits[0]
    means, deviations = statistics(level_counts(np.load(folder / f"{of_statistics}.npy", mmap_mode="r")))
    columns = {"skipped": ["path", "split", "reason"], "leaking": ["path", "split"], "conflicting": ["path", "label"]}
    columns |= {"leaking_groups": ["path", "split", "group"]}
    class_names = plan.source.class_names
    facts = DatasetFacts(
        digest=plan.digest,
        image_size=plan.config.image_size,
        resize=plan.config.resize,
        class_names=class_names,
        counts={split: _class_counts(table, split, len(class_names)) for split in SPLITS},
        channel_means=means,
        channel_deviations=deviations,
        mirrorable=plan.source.mirrorable,
        **{name: rows[columns[name]].to_dict("records") for name, rows in files.items()},
    )
    (folder / "dataset.json").write_text(json.dumps(dataclasses.asdict(facts), indent=1), encoding="utf-8")


def _decode_all(
    plan: Plan, table: pd.DataFrame, folder: Path, fill_all: FillAll
) -> tuple[dict[int, str], np.ndarray, pd.DataFrame]:
    """Fill the arrays of all splits.

    Returns row -> reason for the images that could not be read, width and height (rows, 2) of the pictures in the files
    of the others, and the notes on these: path and note.
    """
    source, config = plan.source, plan.config
    _make_arrays(table, config.image_size, folder)
    filling = Filling(source.read, source.where, config.image_size, config.resize, config.max_pixels, folder)
    reasons: dict[int, str] = {}
    sizes = np.zeros((len(table), 2), np.int32)
    notes: list[tuple[str, str]] = []
    done = fill_all(filling, _rows(table, source), len(table))
    with contextlib.closing(done), progress_bar(total=len(table), desc="preprocess", unit="image") as bar:
        for row, found in done:
            bar.update()
            reason = found.reason
            if reason and config.on_error == "fail":
                raise UserError(
                    f"{shown(source.where(row.path))} is no readable image ({reason}); "
                    "--on_error skip leaves such files out"
                )
            if reason:
                reasons[row.row] = reason
            else:
                sizes[row.row] = found.size
                notes += [(row.path, note) for note in found.notes]
    return dict(sorted(reasons.items())), sizes, pd.DataFrame(sorted(notes), columns=["path", "note"])


def _make_arrays(table: pd.DataFrame, image_size: int, folder: Path) -> None:
    for split in SPLITS:
        shape = (int((table["split"] == split).sum()), image_size, image_size, 3)
        _new_array(folder / f"{split}.npy", shape).flush()


def _new_array(file: Path, shape: tuple[int, ...]) -> np.memmap:
    """A new array on the disk, with all the room that it takes."""
    array = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=shape)
    _reserve(file)
    return array


def _reserve(file: Path) -> None:
    """Take the space of a file on its disk now: a process that writes to a mapped file on a full disk is killed."""
    if not hasattr(os, "posix_fallocate"):
        return
    with file.open("r+b") as stream:
        try:
            os.posix_fallocate(stream.fileno(), 0, file.stat().st_size)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                return
            raise UserError(f"{shown(str(file.parent))} has no room for the prepared data: {error.strerror}") from error


def _rows(table: pd.DataFrame, source: Source) -> Iterator[Row]:
    contents = table["content"] if source.digests_are_of_bytes else itertools.repeat(None, len(table))
    columns = (table.index, table["path"], table["split"], table["position"], contents)
    return map(Row, *columns)


def _check_not_empty(plan: Plan, table: pd.DataFrame) -> None:
    for split in plan.splits:
        if not (table["split"] == split).any():
            raise UserError(f"the {split} split holds no readable image; each split needs at least one")
    class_names = plan.source.class_names
    without = set(range(len(class_names))) - set(table.loc[table["split"] == "train", "label"])
    if without and "train" in plan.splits:
        raise UserError(f"class {class_names[min(without)]!r} has no readable training image; each class needs one")


def _class_counts(table: pd.DataFrame, split: str, classes: int) -> list[int]:
    labels = table.loc[table["split"] == split, "label"]
    return np.bincount(labels, minlength=classes).tolist()
