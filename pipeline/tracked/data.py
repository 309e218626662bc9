"""A data set as MLflow sees it: prepared in a run of its own, and named in each run that uses it."""

import dataclasses
import re
import sys

import pandas as pd

from pipeline import config as options
from pipeline import figures, tracking
from pipeline.config import PreprocessConfig
from pipeline.data.groups import without_group
from pipeline.data.planning import Plan, plan
from pipeline.data.prepared import DatasetFacts, Prepared, open_prepared
from pipeline.data.series import series_in
from pipeline.data.source import Source
from pipeline.data.writing import FillAll, fill_here, open_or_write
from pipeline.errors import shown
from pipeline.tracked.descriptions import next_of_preprocess, of_preprocess
from pipeline.tracked.quality import log_quality, quality_paragraph, quality_warnings

SAMPLES_PER_CLASS = 6
# A warning names so many classes at most.
CLASSES_NAMED = 5
KINDS_NAMED = 5
# What differs between notes of one kind.
DETAILS = re.compile(r" \(.*\)")
NUMBERS = re.compile(r"\b\d[\d,.]*(e[+-]?\d+)?\b")


def prepare(
    config: PreprocessConfig, parent: str | None = None, whole: str | None = None, fill_all: FillAll = fill_here
) -> tuple[Prepared, str]:
    """Prepare the data set that `config` describes, unless it is prepared already, and log what it holds in a run.

    parent: the id of the run to nest that run in. whole: the split of all images, where the data say none. fill_all:
    what decodes them. Returns the data set and the id of its run. Raises UserError if the source is not what it should
    be.
    """
    with tracking.run("preprocess", f"preprocess {options.data_name(config)}", parent) as run:
        run.log_params(options.identity(config))
        planned = plan(config, whole)
        data = open_or_write(planned, fill_all)
        _warn(planned, data)
        _log(run, planned, data)
        run.describe(of_preprocess(config, summary(data), quality_paragraph(data)))
    print(f"prepared {summary(data)} in {data.folder}")
    if parent is None:
        print("next:\n  " + "\n  ".join(next_of_preprocess(config)))
    return data, run.id


def ensure_prepared(
    config: PreprocessConfig, parent: str, whole: str | None = None, fill_all: FillAll = fill_here
) -> Prepared:
    """The prepared data set that `config` describes; it is prepared in a run nested in `parent` if it is not yet.

    whole: the split of all images, where the data say none.
    """
    planned = plan(config, whole)
    if planned.folder.is_dir():
        return open_prepared(planned.folder, planned.name)
    data, _ = prepare(config, parent, whole, fill_all)
    return data


def log_data(run: tracking.Run, data: Prepared, config: PreprocessConfig, context: str) -> None:
    """Say in the run which data set it used. context: training, evaluation or preprocess."""
    profile = dataclasses.asdict(data.facts)
    counted = {split: sum(counts) for split, counts in data.facts.counts.items()}
    shown = {name: profile[name] for name in ("image_size", "resize", "channel_means", "channel_deviations")}
    run.set_tags({"data": data.name, "data_digest": data.facts.digest, "files_digest": data.files_digest})
    run.log_dataset(data.name, data.facts.digest, config.data, counted | shown, context)


def summary(data: Prepared) -> str:
    """A data set in a line."""
    facts = data.facts
    counts = " / ".join(f"{sum(counts):,}" for counts in facts.counts.values())
    return (
        f"{shown(data.name)} {facts.digest}: {len(facts.class_names)} classes, {counts} images for train / val / test, "
        f"{facts.image_size} x {facts.image_size}"
    )


def _warn(planned: Plan, data: Prepared) -> None:
    of_source = [*planned.source.warnings, *_ignored(planned.source)]
    of_files = [*_of_files(planned, data.facts), *_of_groups(planned, data), *quality_warnings(planned.config, data)]
    for warning in (*of_source, *of_files, *_noted(data.notes()), *_absent(data.facts)):
        print(f"warning: {warning}", file=sys.stderr)


def _ignored(source: Source) -> list[str]:
    """What is no image, counted by kind."""
    counts = source.ignored["kind"].value_counts()
    listed = ", ".join(f"{count:,} {kind}" for kind, count in counts.items())
    return [f"{counts.sum():,} files and folders are ignored, see tables/ignored.csv: {listed}"] if listed else []


def _of_files(planned: Plan, facts: DatasetFacts) -> list[str]:
    """What is wrong with the images, and what was done about it."""
    config, said = planned.config, []
    if facts.skipped:
        said.append(f"{len(facts.skipped)} files were no readable images and are left out, see tables/skipped.csv")
    if facts.conflicting:
        handled = "dropped" if config.on_conflict == "drop" else "kept; --on_conflict drop removes them"
        said.append(f"{len(facts.conflicting)} files are equal to one in another class: {handled}")
    if facts.leaking:
        handled = "dropped from all splits but one" if config.on_leak == "drop" else "kept; --on_leak drop removes them"
        said.append(f"{len(facts.leaking)} files are equal to one in another split: {handled}")
    return said


def _of_groups(planned: Plan, data: Prepared) -> list[str]:
    """What is wrong with groups; where none are given, that there seem to be some."""
    config, leaking, table = planned.config, data.facts.leaking_groups, data.manifest()
    said = without_group(table, config)
    if leaking:
        handled = "dropped from all splits but one" if config.on_leak == "drop" else "kept; --on_leak drop removes them"
        groups = len({row["group"] for row in leaking})
        said.append(
            f"{groups:,} groups, {len(leaking):,} images, stand in more than one split, see tables/leaking_groups.csv: "
            f"{handled}"
        )
    if "group" not in table and (series := series_in(table)):
        said.append(
            f"{series.images:,} images look by their names like {series.parted:,} series (bursts, or frames of a "
            f"video) that stand in more than one split, such as {shown(series.example)}, so scores may be too good: "
            f"--group_pattern '{series.pattern}' {_of_pattern(planned)}"
        )
    return said


def _of_pattern(planned: Plan) -> str:
    """What a group_pattern does to series in more than one split."""
    cut = [split for split in planned.splits if split not in planned.source.splits]
    return "keeps each series in one split" if cut else "--on_leak drop leaves each series in one split"


def _noted(notes: pd.DataFrame) -> list[str]:
    """What is odd about images that are used, counted by kind: the notes but for their numbers and their details."""
    kinds = notes["note"].map(_kind_of_note).value_counts()
    named = [f"{count:,} {shown(kind)}" for kind, count in kinds.head(KINDS_NAMED).items()]
    more = [f"{len(kinds) - KINDS_NAMED} other kinds"] if len(kinds) > KINDS_NAMED else []
    files = notes["path"].nunique()
    return [f"{files:,} files are odd but used, see tables/notes.csv: {'; '.join(named + more)}"] if files else []


def _kind_of_note(note: str) -> str:
    return NUMBERS.sub("…", DETAILS.sub("", note))


def _absent(facts: DatasetFacts) -> list[str]:
    """The classes that a split has no image of."""
    said = []
    for split in ("val", "test"):
        counts = facts.counts[split]
        absent = [shown(name) for name, count in zip(facts.class_names, counts, strict=True) if not count]
        if absent and any(counts):
            named = ", ".join(absent[:CLASSES_NAMED]) + (", ..." if len(absent) > CLASSES_NAMED else "")
            said.append(f"{len(absent)} of {len(counts)} classes have no {split} image: {named}")
    return said


def _log(run: tracking.Run, planned: Plan, data: Prepared) -> None:
    facts, notes = data.facts, data.notes()
    files = {name: getattr(facts, name) for name in ("skipped", "leaking", "conflicting", "leaking_groups")}
    run.log_metrics(
        {f"images_{split}": sum(counts) for split, counts in facts.counts.items()}
        | {"classes": len(facts.class_names), "ignored": len(planned.source.ignored), "notes": len(notes)}
        | {name: len(rows) for name, rows in files.items()}
    )
    log_data(run, data, planned.config, "preprocess")
    run.log_table("class_counts", pd.DataFrame({"class": facts.class_names} | facts.counts))
    run.log_table("channels", _channels(facts))
    tables = {name: pd.DataFrame(rows) for name, rows in files.items()}
    tables |= {"ignored": planned.source.ignored, "notes": notes}
    for name, table in tables.items():
        if len(table):
            run.log_table(name, table)
    shown_split = data["train" if "train" in planned.splits else planned.splits[0]]
    sheet = figures.sample_sheet(shown_split.images[:], shown_split.labels, facts.class_names, SAMPLES_PER_CLASS)
    run.log_figure("samples", sheet)
    log_quality(run, data)
    run.log_file(data.folder / "manifest.parquet")
    run.log_file(data.folder / "dataset.json")


def _channels(facts: DatasetFacts) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "channel": ["red", "green", "blue"],
            "mean": facts.channel_means,
            "deviation": facts.channel_deviations,
        }
    )
