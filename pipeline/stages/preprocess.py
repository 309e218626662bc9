"""From a source of images to a prepared data set."""

import sys

import pandas as pd

from pipeline import config as options
from pipeline import figures, tracking
from pipeline.config import PreprocessConfig
from pipeline.data import prepared
from pipeline.data.prepared import DatasetFacts, Prepared
from pipeline.data.sources import open_source
from pipeline.tracked_training import log_data

SAMPLES_A_CLASS = 6


def preprocess(config: PreprocessConfig, parent: str | None = None) -> str:
    """Prepare the data set that `config` describes, unless it is prepared already, and log what it holds.

    Returns the id of the run. Raises UserError if the source is not what it should be.
    """
    with tracking.run("preprocess", f"preprocess {options.data_name(config)}", parent) as run:
        run.log_params(options.identity(config))
        data = _prepared(prepared.plan(open_source(config), config), config)
        _log(run, data, config)
    print(f"prepared {summary(data.facts)} in {data.folder}")
    return run.id


def ensure_prepared(config: PreprocessConfig, parent: str) -> Prepared:
    """The prepared data set that `config` describes; it is prepared in a run nested in `parent` if it is not yet."""
    plan = prepared.plan(open_source(config), config)
    if not plan.folder.is_dir():
        preprocess(config, parent)
    return prepared.open_prepared(plan.folder)


def _prepared(plan: prepared.Plan, config: PreprocessConfig) -> Prepared:
    data = prepared.open_or_write(plan, config)
    _warn(data.facts, config)
    return data


def _warn(facts: DatasetFacts, config: PreprocessConfig) -> None:
    if facts.leaking:
        handled = "dropped from all splits but one" if config.on_leak == "drop" else "kept; --on_leak drop removes them"
        print(f"warning: {len(facts.leaking)} files are equal to one in another split: {handled}", file=sys.stderr)
    if facts.skipped:
        print(f"warning: {len(facts.skipped)} files were no readable images and are left out", file=sys.stderr)


def _log(run: tracking.Run, data: Prepared, config: PreprocessConfig) -> None:
    facts = data.facts
    run.log_metrics(
        {f"images_{split}": sum(counts) for split, counts in facts.counts.items()}
        | {"classes": len(facts.class_names), "skipped": len(facts.skipped), "leaking": len(facts.leaking)}
    )
    log_data(run, data, config, "preprocess")
    run.log_table("class_counts", pd.DataFrame({"class": facts.class_names} | facts.counts))
    run.log_table("channels", _channels(facts))
    if facts.skipped:
        run.log_table("skipped", pd.DataFrame(facts.skipped))
    if facts.leaking:
        run.log_table("leaking", pd.DataFrame(facts.leaking))
    train = data["train"]
    run.log_figure("samples", figures.sample_sheet(train.images, train.labels, facts.class_names, SAMPLES_A_CLASS))
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


def summary(facts: DatasetFacts) -> str:
    """A data set in a line."""
    counts = " / ".join(f"{sum(counts):,}" for counts in facts.counts.values())
    return (
        f"{facts.name} {facts.digest}: {len(facts.class_names)} classes, {counts} images for train / val / test, "
        f"{facts.image_size} x {facts.image_size}"
    )
