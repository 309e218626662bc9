"""The ablations: what each change between two configurations brought."""

import pandas as pd

from pipeline.report.contents import Figure, Heading, Paragraph, Section, Table
from pipeline.report.material import NOTE, Material
from pipeline.report.wording import NONE, newest, short_id
from pipeline.tracked.descriptions import command
from pipeline.tracking import StoredRun

MOST_ABLATIONS = 3
COLUMNS = ["change", "reading", "points", "least and greatest", "seeds"]


def section(material: Material) -> Section:
    """The ablations, without those that another one went on with."""
    found = Section("ablation", "Ablation")
    runs = [run for run in material.of_stage("ablate") if "continued_by" not in run.tags]
    again = command("ablate", start="RUN_ID", goal="RUN_ID")
    for run in newest(found, runs, MOST_ABLATIONS, "Ablations", again):
        _add_ablation(found, run, material)
    return found


def _add_ablation(found: Section, run: StoredRun, material: Material) -> None:
    name = f"{run.name} {short_id(run.id)}"
    table, png = material.table(run, "effects"), material.figure(run, "waterfall")
    if table is None or png is None:
        found.missing.append(f"{name}: it has no result, its status is {run.status.lower()}.")
        return
    said = [line for line in run.tags.get(NOTE, "").split("\n\n") if line]
    found.blocks += [Heading(name), *(Paragraph(line) for line in said)]
    alt = f"A waterfall from the start to the goal, a step for each change. {' '.join(said)}"
    found.blocks.append(Figure("What each change brought, in points of val_accuracy", alt, png))
    found.blocks.append(_effects(table))


def _effects(table: pd.DataFrame) -> Table:
    rows = [
        [
            row["change"],
            row["reading"],
            _points(row["effect"]),
            f"{_points(row['low'])} to {_points(row['high'])}" if row["low"] else NONE,
            row["seeds"],
        ]
        for row in table.to_dict("records")
    ]
    caption = "The same in figures: on the climb, alone on top of the start, and what the goal lacks without it"
    return Table(caption, COLUMNS, rows, frozenset(COLUMNS[2:]))


def _points(text: str) -> str:
    return f"{100 * float(text):+.1f}" if text else NONE
