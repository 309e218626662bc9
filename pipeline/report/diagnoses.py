"""The diagnoses: what holds the accuracy back, in order, and what each remedy would bring."""

import pandas as pd

from pipeline.report.contents import Command, Figure, Heading, Paragraph, Section, Table
from pipeline.report.material import FINISHED, NOTE, Material
from pipeline.report.wording import newest, short_id
from pipeline.tracked.descriptions import command
from pipeline.tracking import StoredRun

MOST_DIAGNOSES = 3
COLUMNS = ["cause", "remedy", "expected gain in points", "95 % interval", "cost"]
# In a run's description, what to type.
INDENTED = "    "
FIGURES = {
    "remedies": "What each remedy would bring, with its interval",
    "suspicious_labels": "Images whose labels are likely wrong",
}


def section(material: Material) -> Section:
    """The diagnoses that came to an end, the newest last."""
    found = Section("diagnosis", "Diagnosis")
    runs = [run for run in material.of_stage("diagnose") if run.status == FINISHED]
    for run in newest(found, runs, MOST_DIAGNOSES, "Diagnoses", command("diagnose", run_id="RUN_ID")):
        _add(found, run, material)
    return found


def _add(found: Section, run: StoredRun, material: Material) -> None:
    said = [line for line in run.tags.get(NOTE, "").split("\n\n") if line.strip() and not line.startswith(INDENTED)]
    found.blocks += [Heading(f"{run.name} {short_id(run.id)}"), *(Paragraph(line) for line in said)]
    for name, caption in FIGURES.items():
        if png := material.figure(run, name):
            found.blocks.append(Figure(caption, f"{caption}. {' '.join(said)}", png))
    causes = material.table(run, "causes")
    if causes is not None and len(causes):
        found.blocks += [_table(causes), *_commands(causes)]


def _table(causes: pd.DataFrame) -> Table:
    rows = [
        [
            row["cause"],
            row["remedy"],
            f"{float(row['gain']):+.1f}",
            f"{float(row['low']):+.1f} to {float(row['high']):+.1f}",
            row["cost"],
        ]
        for row in causes.to_dict("records")
    ]
    return Table("Causes in order, with the remedy of each", COLUMNS, rows, frozenset(COLUMNS[2:4]))


def _commands(causes: pd.DataFrame) -> list[Command]:
    return [Command(row["remedy"], row["command"]) for row in causes.to_dict("records") if row["command"]]
