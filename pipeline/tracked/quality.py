"""Whether the images of a data set are any good, as a person sees it: warnings, a paragraph, a table and a figure."""

from pathlib import PurePath

import numpy as np
import pandas as pd

from pipeline import figures, tracking
from pipeline.config import PreprocessConfig
from pipeline.data.prepared import DatasetFacts, Prepared
from pipeline.data.quality.findings import (
    NEAR,
    ODD_SHAPE,
    ONE_COLOUR,
    SMALL_CLASS,
    TINY_PICTURE,
    findings,
)
from pipeline.data.quality.near import across

# What to say of one and of several.
WORDS = {
    ONE_COLOUR: ("picture of one colour", "pictures of one colour"),
    TINY_PICTURE: ("tiny picture", "tiny pictures"),
    ODD_SHAPE: ("picture of an odd shape", "pictures of an odd shape"),
    SMALL_CLASS: ("small class", "small classes"),
}
METRICS = {
    NEAR: "near_duplicates",
    ONE_COLOUR: "one_colour",
    TINY_PICTURE: "tiny",
    ODD_SHAPE: "odd_shapes",
    SMALL_CLASS: "small_classes",
}
LISTED = "see tables/quality.csv"


def quality_warnings(config: PreprocessConfig, data: Prepared) -> list[str]:
    """What a person should look at before training, in at most two sentences."""
    looked = data.quality()
    if looked is None:
        return [
            f"an earlier version prepared these images and did not look at them; remove {data.folder} to have it done"
        ]
    found = findings(looked, data.facts.image_size, data.facts.class_names)
    leaking, counted = int(across(looked).sum()), _counted(found["kind"].value_counts())
    said = []
    if leaking:
        said.append(
            f"{leaking:,} images have a near-duplicate (the same but for small changes) in another split, {LISTED}: "
            f"{_handled(config)}"
        )
    if counted:
        said.append(f"{counted}: {LISTED}")
    return said


def log_quality(run: tracking.Run, data: Prepared) -> None:
    """Log the findings as a table, a figure and metrics."""
    looked = data.quality()
    if looked is None:
        return
    facts = data.facts
    found = findings(looked, facts.image_size, facts.class_names)
    kinds = found["kind"].value_counts()
    run.log_metrics({name: int(kinds.get(kind, 0)) for kind, name in METRICS.items()})
    run.log_metrics({"near_duplicates_across_splits": int(across(looked).sum())})
    if len(found):
        run.log_table("quality", found.drop(columns="kind"))
    sizes = looked[["width", "height"]].to_numpy()
    run.log_figure("quality", figures.quality(sizes, facts.counts, facts.class_names, _pairs(looked, data)))


def _handled(config: PreprocessConfig) -> str:
    if config.near_duplicates == "no":
        return "kept; --near_duplicates yes --on_leak drop removes them"
    return "dropped from all splits but one" if config.on_leak == "drop" else "kept; --on_leak drop removes them"


def _counted(kinds: pd.Series) -> str:
    """How many there are of each of WORDS, as far as there are any."""
    counts = {kind: int(kinds.get(kind, 0)) for kind in WORDS}
    return ", ".join(f"{count:,} {WORDS[kind][count > 1]}" for kind, count in counts.items() if count)


def quality_paragraph(data: Prepared) -> str:
    """What the images are like, in plain English; nothing of images that an earlier version prepared."""
    looked, facts = data.quality(), data.facts
    if looked is None:
        return ""
    found = findings(looked, facts.image_size, facts.class_names)
    said = [_of_sizes(looked, facts), _of_near(looked), _of_others(found)]
    if len(found):
        said.append("tables/quality.csv names them, figures/quality.png shows all.")
    return " ".join(said)


def _of_sizes(looked: pd.DataFrame, facts: DatasetFacts) -> str:
    """How many images there are, and how large."""
    split = (
        "train" if any(facts.counts["train"]) else next(name for name, counts in facts.counts.items() if any(counts))
    )
    counts, sides = facts.counts[split], looked[["width", "height"]]
    width, height = sides.median().astype(int)
    shorter = sides.min(axis=1)
    return (
        f"{len(looked):,} images of {len(counts):,} classes, {_range(min(counts), max(counts))} a class in {split}. "
        f"The median picture has {width:,} x {height:,} pixels; the shorter side has "
        f"{_range(shorter.min(), shorter.max())}."
    )


def _of_near(looked: pd.DataFrame) -> str:
    near, equal, leaking = int((looked["near"] != "").sum()), int(looked["equal"].sum()), int(across(looked).sum())
    if not near:
        return "No two images are nearly the same."
    return (
        f"{near:,} images are nearly the same as another one: {equal:,} are equal files, {near - equal:,} differ in "
        f"small changes, {leaking:,} of these from an image in another split."
    )


def _of_others(found: pd.DataFrame) -> str:
    if counted := _counted(found["kind"].value_counts()):
        return f"Worth a look: {counted}."
    return "No picture is of one colour, tiny or of an odd shape, and no class is far smaller than the largest."


def _range(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _pairs(looked: pd.DataFrame, data: Prepared) -> list[figures.Pair]:
    """Some near-duplicates, those across splits before others, those that are still there."""
    manifest = data.manifest().set_index("path")
    rows = looked[(looked["near"] != "") & looked["path"].isin(manifest.index) & looked["near"].isin(manifest.index)]
    rows = rows.assign(
        across=across(rows), key=[tuple(sorted(both)) for both in zip(rows["path"], rows["near"], strict=True)]
    )
    rows = rows.sort_values(["across", "equal", "distance"], ascending=[False, True, True], kind="stable")
    rows = rows.drop_duplicates("key").head(figures.MOST_PAIRS)
    return [
        figures.Pair(
            _image(data, manifest, row.path),
            _image(data, manifest, row.near),
            [
                f"{row.split}: {PurePath(row.path).name}",
                f"{row.near_split}: {PurePath(row.near).name}",
                "equal files" if row.equal else f"{row.distance} of 64 bits apart",
            ],
        )
        for row in rows.itertuples()
    ]


def _image(data: Prepared, manifest: pd.DataFrame, path: str) -> np.ndarray:
    row = manifest.loc[path]
    return np.load(data.folder / f"{row['split']}.npy", mmap_mode="r")[row["position"]]
