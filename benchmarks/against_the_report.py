"""The curves of finished or running trainings against those that the reference report gives.

    python -m benchmarks.against_the_report --reference RUN_ID --others fast=RUN_ID best=RUN_ID --figure FILE

On the left by epoch: the reference recipe here, and the report's own figures. On the right by seconds of training: the
reference recipe and the others.
"""

import argparse
from pathlib import Path

import mlflow
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from pipeline.figures import DPI

# docs/reference-report.md.
REPORTED = {10: 0.13, 20: 0.15, 30: 0.23}
CEILING = 0.32


def main() -> None:
    """Draw and write the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True, metavar="RUN_ID")
    parser.add_argument("--others", nargs="*", default=[], metavar="NAME=RUN_ID")
    parser.add_argument("--figure", type=Path, required=True)
    arguments = parser.parse_args()
    others = dict(each.split("=", 1) for each in arguments.others)
    curves = {name: curve_of(run_id) for name, run_id in others.items()}
    figure(curve_of(arguments.reference), curves).savefig(arguments.figure)


def curve_of(run_id: str) -> pd.DataFrame:
    """Columns train_accuracy, val_accuracy and seconds (of training, up to then) by epoch."""
    client = mlflow.MlflowClient()
    columns = {
        name: pd.Series({point.step: point.value for point in client.get_metric_history(run_id, name)})
        for name in ("train_accuracy", "val_accuracy", "epoch_seconds")
    }
    curve = pd.DataFrame(columns).sort_index()
    return curve.assign(seconds=curve["epoch_seconds"].cumsum())


def figure(reference: pd.DataFrame, others: dict[str, pd.DataFrame]) -> Figure:
    """By epoch and by seconds. reference, others: as `curve_of` gives them."""
    drawn = Figure(figsize=(13, 4.8), dpi=DPI, layout="constrained")
    by_epoch, by_seconds = drawn.subplots(1, 2)
    by_epoch.plot(reference.index, reference["train_accuracy"], color="C0", ls=":", label="training, here")
    by_epoch.plot(reference.index, reference["val_accuracy"], color="C0", label="validation, here")
    by_epoch.plot(list(REPORTED), list(REPORTED.values()), "ks", label="validation, as reported")
    by_epoch.set(xlabel="epoch", title="the reference recipe")
    by_epoch.xaxis.set_major_locator(MaxNLocator(integer=True))
    for number, (name, curve) in enumerate({"the reference recipe": reference, **others}.items()):
        label = f"{name}: {curve['val_accuracy'].max():.1%}"
        by_seconds.plot(curve["seconds"], curve["val_accuracy"], color=f"C{number}", label=label, marker=".", ms=3)
    by_seconds.set(xlabel="seconds of training", xscale="log", title="validation accuracy, and its highest")
    for axes in (by_epoch, by_seconds):
        axes.axhline(CEILING, color="black", lw=0.8, ls="--", label=f"the report's best: {CEILING:.0%}")
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.legend()
    return drawn


if __name__ == "__main__":
    main()
