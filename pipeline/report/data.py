"""The data: how many images of which classes, and what they look like."""

import pandas as pd

from pipeline.report.contents import Facts, Figure, Section, Table
from pipeline.report.material import Material
from pipeline.report.wording import counted, number
from pipeline.tracked.descriptions import command
from pipeline.tracking import StoredRun

SPLITS = ("train", "val", "test")
# More classes than these are shown by their largest and smallest.
MOST_CLASSES = 12
PROBLEMS = {
    "skipped": "files that are no readable images and are left out",
    "conflicting": "files equal to one in another class",
    "leaking": "files equal to one in another split",
}


def section(material: Material) -> Section:
    """The data of the best training, or of the newest run that used any."""
    found = Section("data", "Data")
    run = material.best or next((each for each in reversed(material.runs) if each.data), None)
    if run is None or not run.data:
        found.missing.append("Data: no run says which it used.")
        return found
    found.blocks.append(_facts(run, material))
    prepared = material.preparation(run.data["digest"])
    if prepared is None:
        again = command("preprocess", data=run.params.get("data", ""))
        found.missing.append(f"Samples and classes: these data were prepared in another experiment; {again} logs them.")
        return found
    _add_samples(found, prepared, run, material)
    _add_classes(found, material.table(prepared, "class_counts"))
    return found


def _facts(run: StoredRun, material: Material) -> Facts:
    profile = run.data["profile"]
    rows = [
        ("name", run.data["name"]),
        ("digest", run.data["digest"]),
        ("images", ", ".join(f"{profile[split]:,} {split}" for split in SPLITS if split in profile)),
    ]
    if "image_size" in profile:
        size = profile["image_size"]
        rows.append(("size", f"{size} × {size} pixels, {run.params.get('resize', profile.get('resize', ''))}"))
    if means := profile.get("channel_means"):
        deviations = profile["channel_deviations"]
        values = [f"{mean:.0f} ± {spread:.0f}" for mean, spread in zip(means, deviations, strict=True)]
        rows.append(("red, green, blue", f"{', '.join(values)} of 255 (mean ± standard deviation)"))
    others = {each.data["name"] for each in material.runs if each.data} - {run.data["name"]}
    return Facts([*rows, ("other data", ", ".join(sorted(others)))] if others else rows)


def _add_samples(found: Section, prepared: StoredRun, run: StoredRun, material: Material) -> None:
    name = run.data["name"]
    if png := material.figure(prepared, "samples"):
        found.blocks.append(Figure("Images of each class", f"A sheet of images of {name}, a row for each class.", png))
    problems = [(said, number(prepared.metrics[kind])) for kind, said in PROBLEMS.items() if prepared.metrics.get(kind)]
    if problems:
        found.blocks.append(Facts(problems))


def _add_classes(found: Section, counts: pd.DataFrame | None) -> None:
    if counts is None:
        found.missing.append("Images by class: the run that prepared the data did not log them.")
        return
    splits = [split for split in SPLITS if split in counts.columns]
    ordered = counts.sort_values(splits[0], key=pd.to_numeric, ascending=False, kind="stable")
    caption = f"Images of {counted(len(counts), 'class', 'classes')}"
    if len(ordered) > MOST_CLASSES:
        half = MOST_CLASSES // 2
        caption += f"; the {half} with the most and the {half} with the fewest"
        ordered = pd.concat([ordered.head(half), ordered.tail(half)])
    rows = [[str(value) for value in row] for row in ordered[["class", *splits]].values.tolist()]
    found.blocks.append(Table(caption, ["class", *splits], rows, frozenset(splits)))
