"""What a diagnosis came to: its tables, its figures and its sentences, logged and printed."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import tracking
from pipeline.config import Values
from pipeline.data.prepared import Prepared
from pipeline.diagnosis import answer, figures
from pipeline.diagnosis.case import Case
from pipeline.diagnosis.contract import Finding
from pipeline.diagnosis.experiment import Outcomes
from pipeline.diagnosis.judgements import data, labels
from pipeline.tracking.tables import write_csv

# Where the work folder keeps the lists of images that `exclude` takes.
FOLDER = "diagnoses"
# Times the training images that there are, in the table of forecasts.
FORECAST_AT = (1, 2, 4, 10)


def log_results(
    run: tracking.Run, case: Case, images: Prepared, outcomes: Outcomes, typed: Values, minutes: float, workdir: Path
) -> None:
    """Log and print what holds the accuracy back. typed: the options that repeat the training."""
    run.log_table("experiments", _experiments(outcomes))
    if len(forecast := _more_images(case, outcomes)):
        run.log_table("more_images", forecast)
    suspects = labels.suspicious(case, outcomes)
    file = _log_suspects(run, suspects, images, workdir) if suspects is not None and len(suspects) else None
    found = [_with_file(each, file) for each in answer.findings(case, outcomes)]
    accuracy = outcomes[case.baseline].accuracy
    ceiling, table = answer.ceiling(accuracy, found), answer.table(found, typed)
    said = answer.sentences(case, outcomes, found, minutes)
    run.log_table("causes", table)
    run.log_figure("remedies", figures.remedies(accuracy, ceiling, found, said[0]))
    run.log_metrics(_metrics(accuracy, ceiling, found))
    lines = [row["command"] for row in table.to_dict("records") if row["command"]]
    run.describe("\n\n".join([*said, *(f"    {line}" for line in lines)]))
    first = found[0].cause if found else "none"
    run.set_tags({"first_cause": first})
    run.rename(f"diagnose: {first}")
    print("\n".join([*said, "what to type:", *(f"  {line}" for line in lines)]))
    print(f"  {tracking.run_address(run)}")


def _experiments(outcomes: Outcomes) -> pd.DataFrame:
    """One row a training, in the order in which they were run."""
    return pd.DataFrame(
        [
            {
                "experiment": experiment.name,
                "part": experiment.part.describe(),
                "seed": experiment.config.seed,
                "epochs": experiment.config.epochs,
                "val_accuracy": outcome.accuracy,
                "train_images_accuracy": outcome.train_accuracy,
                "seconds": outcome.seconds,
                "run_id": outcome.run_id or "",
                "reason": outcome.failure,
            }
            for experiment, outcome in outcomes.items()
        ]
    )


def _more_images(case: Case, outcomes: Outcomes) -> pd.DataFrame:
    """The forecast of the accuracy with more training images: times, images, accuracy, low, high."""
    images = sum(case.counts)
    forecasts = [(times, data.at(case, outcomes, times)) for times in FORECAST_AT]
    return pd.DataFrame(
        [
            {"times": times, "images": times * images, "accuracy": each.value, "low": each.low, "high": each.high}
            for times, each in forecasts
            if each
        ]
    )


def _log_suspects(run: tracking.Run, suspects: pd.DataFrame, images: Prepared, workdir: Path) -> Path:
    """Log the images whose labels are likely wrong; returns the file that `exclude` takes."""
    run.log_table("suspicious_labels", suspects)
    drawn = suspects.head(figures.MOST_IMAGES)
    run.log_figure("suspicious_labels", figures.suspects(_images(images, drawn["path"].tolist()), drawn))
    file = workdir / FOLDER / run.id / "suspicious_labels.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_csv(suspects, file, digits=6)
    return file


def _images(prepared: Prepared, paths: list[str]) -> np.ndarray:
    """The images at some paths of train and val, in their order."""
    places = {path: (split, place) for split in ("train", "val") for place, path in enumerate(prepared[split].paths)}
    opened = {split: prepared[split].images for split in ("train", "val")}
    return np.stack([opened[split][place] for split, place in (places[path] for path in paths)])


def _with_file(finding: Finding, file: Path | None) -> Finding:
    """The finding with the file that it names."""
    if not finding.options or "exclude" not in finding.options:
        return finding
    return dataclasses.replace(finding, options={**finding.options, "exclude": str(file)})


def _metrics(accuracy: float, ceiling: float, found: list[Finding]) -> dict[str, float]:
    """What can be compared between diagnoses: the accuracy, the ceiling, and each cause's gain and figures."""
    metrics: dict[str, float] = {"val_accuracy": accuracy, "forecast_ceiling": ceiling}
    for each in reversed(found):  # of two remedies of a cause, the first counts
        numbers = {name: value for name, value in each.facts.items() if isinstance(value, int | float)}
        metrics |= {f"{each.cause}_{name}": float(value) for name, value in numbers.items()}
        metrics[f"{each.cause}_gain"] = each.gain.value
    return metrics
