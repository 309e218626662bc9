"""The table of trainings: what each came to, and the options in which they differ."""

from pipeline.report.contents import Paragraph, Section, Table
from pipeline.report.differences import differing
from pipeline.report.material import FINISHED, SCORE, TRAINING_STAGES, Material
from pipeline.report.wording import NONE, duration, left_out, moment, percent, short_id, with_interval
from pipeline.tracking import StoredRun

MOST_RUNS = 50
# Options that have a column each: more do not fit on a sheet of paper.
MOST_COLUMNS = 5
TOGETHER = "options that differ"
SCORES = ["val accuracy", "test accuracy (95 % interval)", "best epoch", "time"]


def section(material: Material) -> Section:
    """The trainings, the best first."""
    found = Section("trainings", "Trainings")
    runs = sorted(material.trainings, key=lambda run: -run.metrics.get(SCORE, -1.0))
    if not runs:
        found.missing.append("Trainings: none was started.")
        return found
    left_out(found, len(runs), MOST_RUNS, "Trainings", "MLflow")
    options = differing(runs)
    apart = len(options) <= MOST_COLUMNS
    rows = [[*_of_run(run), *_values(run, options, apart)] for run in runs[:MOST_RUNS]]
    columns = ["run", "started (UTC)", "status", *SCORES, *(options if apart else [TOGETHER])]
    caption = "Trainings by validation accuracy, with the options in which they differ"
    found.blocks.append(Table(caption, columns, rows, frozenset(SCORES)))
    found.blocks.append(Paragraph(_same(len(runs), len(options))))
    if len(material.of_stage(*TRAINING_STAGES)) > len(runs):
        found.blocks.append(Paragraph("Trials of searches and trainings of ablations stand in their own sections."))
    return found


def _of_run(run: StoredRun) -> list[str]:
    status = run.status.lower() if run.status != FINISHED else "finished"
    epoch = (
        f"{run.metrics['best_epoch']:.0f} of {run.params.get('epochs', '?')}" if "best_epoch" in run.metrics else NONE
    )
    return [
        f"{run.name} {short_id(run.id)}",
        moment(run.started),
        status,
        percent(run.metrics.get(SCORE)),
        with_interval(run.metrics, "test_accuracy"),
        epoch,
        duration(run.ended - run.started) if run.ended else NONE,
    ]


def _values(run: StoredRun, options: dict[str, dict[str, str]], apart: bool) -> list[str]:
    """The run's values of the options, each by itself or all in one text."""
    if apart:
        return [values[run.id] for values in options.values()]
    named = [f"{name} {values[run.id]}" for name, values in options.items() if values[run.id] != NONE]
    return [", ".join(named)]


def _same(runs: int, options: int) -> str:
    if runs == 1:
        return "There is one training; its options stand in its config.yaml."
    return "All other options are the same in all of them." if options else "All have the same options."
