"""A data set as MLflow sees it: prepared in a run of its own, and named in each run that uses it."""

import dataclasses
import sys

import pandas as pd

from pipeline import config as options
from pipeline import figures, tracking
from pipeline.config import PreprocessConfig
from pipeline.data.planning import plan
from pipeline.data.prepared import DatasetFacts, Prepared, open_prepared
from pipeline.data.writing import open_or_write

SAMPLES_PER_CLASS = 6


def prepare(config: PreprocessConfig, parent: str | None = None) -> tuple[Prepared, str]:
    """Prepare the data set that `config` describes, unless it is prepared already, and log what it holds in a run.

    parent: the id of the run to nest that run in. Returns the data set and the id of its run. Raises UserError if the
    source is not what it should be.
    """
    with tracking.run("preprocess", f"preprocess {options.data_name(config)}", parent) as run:
        run.log_params(options.identity(config))
        data = open_or_write(plan(config))
        _warn(data.facts, config)
        _log(run, data, config)
    print(f"prepared {summary(data)} in {data.folder}")
    return data, run.id


def ensure_prepared(config: PreprocessConfig, parent: str) -> Prepared:
    """The prepared data set that `config` describes; it is prepared in a run nested in `parent` if it is not yet."""
    planned = plan(config)
    if planned.folder.is_dir():
        return open_prepared(planned.folder, planned.name)
    data, _ = prepare(config, parent)
    return data


def log_data(run: tracking.Run, data: Prepared, config: PreprocessConfig, context: str) -> None:
    """Say in the run which data set it used. context: training, evaluation or preprocess."""
    profile = dataclasses.asdict(data.facts)
    counted = {split: sum(counts) for split, counts in data.facts.counts.items()}
    shown = {name: profile[name] for name in ("image_size", "resize", "channel_means", "channel_deviations")}
    run.set_tags({"data_digest": data.facts.digest})
    run.log_dataset(data.name, data.facts.digest, config.data, counted | shown, context)


def summary(data: Prepared) -> str:
    """A data set in a line."""
    facts = data.facts
    counts = " / ".join(f"{sum(counts):,}" for counts in facts.counts.values())
    return (
        f"{data.name} {facts.digest}: {len(facts.class_names)} classes, {counts} images for train / val / test, "
        f"{facts.image_size} x {facts.image_size}"
    )


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
    run.log_figure("samples", figures.sample_sheet(train.images, train.labels, facts.class_names, SAMPLES_PER_CLASS))
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
